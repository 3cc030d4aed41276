"""Catalogue files as they come: encodings, forms, and the ways real portals write values."""

import gzip
import io

import pytest

from catalog.imports.mapping import map_row
from catalog.imports.reading import UnreadableFileError, look, rows
from catalog.imports.values import codes_of, date_of, list_of, number_of, text_of

LIMIT = 1 << 20
CSV = "标题,来源部门,开放属性,更新频率\n危化品许可,应急管理局,无条件开放,每月\n血站名单,卫健局,有条件开放,每年\n"


def read(content, limit=LIMIT):
    file = io.BytesIO(content)
    facts = look(file, limit=limit)
    return facts, list(rows(file, facts))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (CSV.encode(), "utf-8-sig"),
        (b"\xef\xbb\xbf" + CSV.encode(), "utf-8-sig"),
        (CSV.encode("gb18030"), "gb18030"),
    ],
)
def test_a_csv_is_read_in_each_encoding(content, encoding):
    facts, found = read(content)
    assert (facts.form, facts.encoding) == ("csv", encoding)
    assert [row.values["标题"] for row in found] == ["危化品许可", "血站名单"]
    assert [row.number for row in found] == [1, 2]


def test_windows_line_ends_tabs_and_quoted_line_breaks_are_read():
    text = '标题\t摘要\r\n"两行\r\n标题"\t"含\t制表"\r\n'
    facts, found = read(text.encode())
    assert facts.delimiter == "\t"
    assert found[0].values == {"标题": "两行\r\n标题", "摘要": "含\t制表"}


def test_json_lines_are_read_and_a_broken_line_is_one_refused_row():
    content = '{"title": "甲"}\n\n{"title": \n["不是对象"]\n{"title": "乙"}'.encode()
    facts, found = read(content)
    assert facts.form == "jsonl"
    assert [(row.number, row.error) for row in found] == [
        (1, ""),
        (2, "row_unreadable"),
        (3, "row_unreadable"),
        (4, ""),
    ]


def test_a_json_array_with_one_object_a_line_is_read_too():
    _, found = read('[\n{"title": "甲"},\n{"title": "乙"}\n]\n'.encode())
    assert [row.values["title"] for row in found] == ["甲", "乙"]


def test_gzip_is_unpacked_and_counts_against_the_limit():
    content = ('{"title": "甲"}\n' * 10).encode()
    _, found = read(gzip.compress(content))
    assert len(found) == 10
    bomb = gzip.compress(b"\n" * (LIMIT + 1))
    assert len(bomb) < 10_000
    with pytest.raises(UnreadableFileError, match="too_large"):
        read(bomb)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\xff\xfe\x00\x80\x80\xff", "encoding"),
        (gzip.compress(b"x")[:12], "gzip"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        read(content)


def test_a_long_row_of_a_csv_is_refused_and_a_short_one_is_not():
    _, found = read("标题,摘要\n甲,乙,丙\n丁\n".encode())
    assert [(row.error, row.values) for row in found] == [
        ("row_too_long", {}),
        ("", {"标题": "丁"}),
    ]


@pytest.mark.parametrize("text", ["暂无", "null", "无", "NULL", " 无 ", "-", ""])
def test_what_stands_for_absent_is_absent(text):
    assert text_of(text) == ""


def test_markup_and_entities_are_removed():
    assert text_of("<p>信息公开&amp;年报</p>\r\n") == "信息公开&年报"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("['xls', 'xml']", ["xls", "xml"]),
        ('["xls", "json"]', ["xls", "json"]),
        (["xls", ["csv"], None], ["xls", "csv"]),
        ("建设\r\n\t审查\r\n\t其他", ["建设", "审查", "其他"]),
        ("证书编号、企业名称，法定代表人", ["证书编号", "企业名称", "法定代表人"]),
        ("[]", []),
        ("[不是列表]", ["[不是列表]"]),
        ("__import__('os').getcwd()", ["__import__('os').getcwd()"]),
        (None, []),
    ],
)
def test_lists_come_in_many_forms(value, texts):
    assert list_of(value) == texts


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2022-06-12", "2022-06-12"),
        ("2022/03/18 10:46:00", "2022-03-18"),
        ("2022-6-27", "2022-06-27"),
        ("2022年6月7日", "2022-06-07"),
        ("20220607", "2022-06-07"),
        ("2022-02-30", ""),
        ("去年", ""),
    ],
)
def test_dates_come_in_many_forms(text, iso):
    assert date_of(text) == iso


@pytest.mark.parametrize(
    ("value", "number"),
    [("4,408", 4408), ("12", 12), (7, 7), ("3.0", 3), ("约20", None), (True, None), (-1, None)],
)
def test_numbers_come_with_separators(value, number):
    assert number_of(value) == number


def test_codes_that_nobody_knows_are_kept_apart():
    assert codes_of("resource_format", "['xls', '其他', '磁带']") == (["xls", "other"], ["磁带"])


def test_portals_name_one_thing_in_many_ways():
    one = {"标题": "甲", "来源部门": "应急局", "开放条件": "无条件开放", "数据格式": "['xls']"}
    other = {"title": "甲", "department": "应急局", "is_open": "完全开放", "formats": ["xls"]}
    first, second = map_row(one), map_row(other)
    assert first.content == second.content
    assert first.content == {"title": "甲", "open_attr": "open", "resource_format": ["xls"]}
    assert first.department == "应急局"


def test_what_is_not_understood_is_reported_and_not_guessed():
    row = map_row({"标题": "甲", "更新频率": "看心情", "奇怪的列": "1", "数据量": "很多"})
    assert row.content == {"title": "甲"}
    assert row.unread == {"update_frequency": "看心情", "record_count": "很多"}
    assert row.unknown == ["奇怪的列"]


def test_our_own_fields_are_taken_as_they_are():
    row = map_row(
        {
            "title": "甲",
            "open_attr": "none",
            "contains_secret": "否",
            "security_level": "2",
            "items": [{"name_cn": "编号", "name_en": "no", "data_type": "I"}],
            "share_basis": [{"level": "law", "title": "某法"}],
        }
    )
    assert row.content["open_attr"] == "none"
    assert row.content["contains_secret"] is False
    assert row.content["security_level"] == 2
    assert row.content["items"][0]["name_cn"] == "编号"
    assert row.content["share_basis"][0]["level"] == "law"


def test_a_damaged_structure_is_unread_and_does_no_harm():
    row = map_row({"title": "甲", "items": [{"name_cn": "编号", "evil": 1}]})
    assert row.unread == {"items": "structure"}
    assert "items" not in row.content
