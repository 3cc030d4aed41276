"""Data files: encodings, headers, cells. Findings name row and item, never a value."""

import codecs

import pytest

from contracts.events.catalog import Item
from sharing.datasets.domain import CellFinding, RowChecker, cell_check, match_header
from sharing.datasets.reading import CsvFile, UnreadableError, detect

TEXT = "村居代码,村居名称\n441521001001,新园社区\n"


def written(tmp_path, content: bytes):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8-sig"),
        (TEXT.encode("gb18030"), "gb18030"),
        (b"code,name\n1,a\n", "utf-8"),
        (("㐀" * 700_000).encode("gb18030"), "gb18030"),  # four-byte characters over a chunk's end
    ],
)
def test_the_encoding_of_a_file_is_found(tmp_path, content, encoding):
    assert detect(written(tmp_path, content)) == encoding


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (TEXT.encode("utf-16"), "encoding"),
        (b"code,name\n1,\xff\xfe\xfa\x80\n", "encoding"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content, reason):
    with pytest.raises(UnreadableError) as caught:
        detect(written(tmp_path, content))
    assert caught.value.reason == reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_rows_come_in_batches_without_blank_lines(tmp_path, encoding):
    text = '村居代码,村居名称\r\n1,甲\r\n\r\n2,"乙,\n丙"\r\n3,丁\r\n'
    path = written(tmp_path, text.encode(encoding))
    with CsvFile(path, detect(path)) as file:
        assert file.header() == ["村居代码", "村居名称"]
        assert file.rows(2) == [["1", "甲"], ["2", "乙,\n丙"]]
        assert file.rows(2) == [["3", "丁"]]
        assert file.rows(2) == []


def test_a_torn_quotation_is_named_with_its_line(tmp_path):
    path = written(tmp_path, b'code,name\n1,a\n2,"torn')
    with CsvFile(path, "utf-8") as file:
        file.header()
        with pytest.raises(UnreadableError) as caught:
            file.rows(10)
    assert (caught.value.reason, caught.value.line) == ("csv", 3)


@pytest.mark.parametrize("content", [b"\n", b",,\n1,2,3\n"])
def test_a_file_without_header_is_refused(tmp_path, content):
    with CsvFile(written(tmp_path, content), "utf-8") as file, pytest.raises(UnreadableError):
        file.header()


def item(name: str, data_type: str = "C", **more) -> Item:
    return Item(name_cn=f"中文{name}", name_en=name, data_type=data_type, **more)


def test_columns_are_found_by_either_name():
    items = (item("code"), item("name"), item("note"))
    found, wrong = match_header(["中文name", " code "], items)
    assert [each.name_en for each in found] == ["name", "code"]
    assert wrong == []


@pytest.mark.parametrize(
    ("header", "column", "named", "reason"),
    [
        (["code", "owner"], 2, "", "column_unknown"),
        (["code", "中文code"], 2, "code", "column_repeated"),
        (["name"], None, "code", "column_missing"),
        (["code", "cipher"], 2, "cipher", "item_secret"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header, column, named, reason):
    items = (
        item("code", primary_key=True, nullable=False),
        item("name"),
        item("cipher", secret=True, nullable=False),
    )
    _, wrong = match_header(header, items)
    assert [(each.column, each.item, each.reason) for each in wrong] == [(column, named, reason)]


@pytest.mark.parametrize(
    ("data_type", "more", "value", "reason"),
    [
        ("C", {"length": 3}, "四个汉字", "too_long"),
        ("C", {"length": 4}, "四个汉字", None),
        ("M", {}, "长文" * 5000, None),
        ("I", {"length": 6}, "1234567", "too_long"),
        ("I", {}, "-12", None),
        ("I", {}, "1.5", "not_an_integer"),
        ("I", {}, "１２", "not_an_integer"),
        ("N", {"length": 5, "precision": 2}, "123.45", None),
        ("N", {"length": 5, "precision": 2}, "123.456", "too_long"),
        ("N", {"length": 9, "precision": 2}, "123.456", "too_precise"),
        ("Y", {}, "12元", "not_a_number"),
        ("F", {}, "1e5", None),
        ("B", {}, "NaN", "not_a_number"),
        ("B", {}, "inf", "not_a_number"),
        ("D", {}, "2026-02-30", "not_a_date"),
        ("D", {}, "20260228", None),
        ("D", {}, "2026/2/8", "not_a_date"),
        ("T", {}, "2026-02-13T09:30:00+08:00", None),
        ("T", {}, "昨天", "not_a_datetime"),
        ("L", {}, "是", None),
        ("L", {}, "maybe", "not_logical"),
        ("G", {}, "aGk=", None),
        ("G", {}, "%%%", "not_base64"),
    ],
)
def test_a_cell_is_checked_by_the_type_of_its_item(data_type, more, value, reason):
    assert cell_check(item("x", data_type, **more))(value) == reason


def test_a_row_is_checked_for_number_of_fields_required_values_keys_and_characters():
    checker = RowChecker(
        [item("code", primary_key=True, nullable=False), item("name"), item("count", "I")]
    )
    assert checker.check(1, ["1", "", "7"]) == (["1", None, "7"], [])
    assert checker.check(2, ["2", "x"])[1] == [CellFinding(2, "", "wrong_number_of_fields")]
    assert checker.check(3, ["", "x", "1"])[1] == [CellFinding(3, "code", "required")]
    assert checker.check(4, ["1", "x", "1"])[1] == [CellFinding(4, "code", "key_repeated")]
    assert checker.check(5, ["5", "a\x00b", "1"])[1] == [
        CellFinding(5, "name", "invalid_character")
    ]
    assert checker.check(6, ["6", "x", "many"])[1] == [CellFinding(6, "count", "not_an_integer")]
