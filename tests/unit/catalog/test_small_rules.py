"""Departments by name, diffs of versions, editions in a chain, claims on facts."""

from catalog.agencies.domain import OwnAgency, core_name, department_matcher
from catalog.editions.domain import Listed, chained_digest
from catalog.entries.claims import facts_of
from catalog.entries.diff import field_diff
from tests.unit.catalog.contents import content

PLACES = ("海丰县", "汕尾市", "广东省")
AGENCIES = (
    OwnAgency("yj", "海丰县应急管理局", "海丰应急局"),
    OwnAgency("sc", "海丰县市场监督管理局"),
    OwnAgency("cg", "海丰县城市管理局"),
    OwnAgency("gl", "海丰县管理局"),
    OwnAgency("wj", "海丰卫生健康局"),
)


def matcher(default=None, declared=None):
    return department_matcher(AGENCIES, places=PLACES, declared=declared or {}, default=default)


def test_the_place_in_front_of_a_name_does_not_matter():
    assert core_name("海丰县应急管理局", PLACES) == "应急管理局"
    assert core_name("海丰卫生健康局", PLACES) == "卫生健康局"
    assert core_name("市场监督管理局", PLACES) == "市场监督管理局"


def test_a_department_of_elsewhere_is_found_by_its_function():
    found = matcher()
    assert found.match("百色市应急管理局") == ("yj", "function")
    assert found.match("东兴市市场监督管理局") == ("sc", "function")
    assert found.match("海丰县 应急管理局") == ("yj", "name")
    assert found.match("海丰应急局") == ("yj", "name")
    assert found.match("柳州市柳城县") == (None, "none")


def test_the_longest_name_wins():
    assert matcher().match("南宁市城市管理局") == ("cg", "function")


def test_a_declared_department_comes_first_and_the_default_last():
    found = matcher(default="sc", declared={"百色市应急管理局": "wj"})
    assert found.match("百色市应急管理局") == ("wj", "declared")
    assert found.match("柳州市柳城县") == ("sc", "default")
    assert found.match("") == ("sc", "default")


def test_a_diff_names_fields_and_items():
    before = content()
    after = content(
        abstract="新摘要",
        keywords=["新"],
        items=[
            {"name_cn": "编号", "name_en": "no", "data_type": "C", "length": 60},
            {"name_cn": "名称", "name_en": "name", "data_type": "C", "length": 60},
        ],
    )
    changes = {(change.field, change.change) for change in field_diff(before, after)}
    assert changes == {
        ("abstract", "changed"),
        ("keywords", "added"),
        ("items.编号", "changed"),
        ("items.名称", "added"),
    }
    back = {(change.field, change.change) for change in field_diff(after, before)}
    assert ("items.名称", "removed") in back
    assert ("keywords", "removed") in back
    assert field_diff(before, before) == ()


def test_an_editions_digest_covers_what_it_lists_and_the_one_before():
    one = chained_digest("", 1, added=[Listed("a", 1), Listed("b", 1)], changed=[], removed=[])
    assert one == chained_digest(
        "", 1, added=[Listed("b", 1), Listed("a", 1)], changed=[], removed=[]
    )
    others = [
        chained_digest(one, 2, added=[Listed("c", 1)], changed=[], removed=[]),
        chained_digest("", 2, added=[Listed("c", 1)], changed=[], removed=[]),
        chained_digest(one, 2, added=[], changed=[Listed("c", 1)], removed=[]),
        chained_digest(one, 2, added=[], changed=[], removed=[Listed("c", 1)]),
        chained_digest(one, 2, added=[Listed("c", 2)], changed=[], removed=[]),
        chained_digest(one, 3, added=[Listed("c", 1)], changed=[], removed=[]),
    ]
    assert len({one, *others}) == 7


def test_a_fact_is_claimed_by_an_item_that_is_collected_here():
    entry = content(
        function_basis="三定方案",
        items=[
            {"name_cn": "婚姻状况", "data_element": "DE001", "subject_kind": "person"},
            {"name_cn": "姓名", "data_element": "DE002", "taken_from": "307044441521001/000001"},
            {"name_cn": "备注"},
        ],
    )
    assert facts_of(entry, "441521") == {"DE001|person|441521": ("婚姻状况", "三定方案")}
