"""The searchable replica: own and other nodes' entries, ranked, with facets."""

from urllib.parse import quote
from uuid import UUID, uuid5

import pytest

from contracts.events.catalog import AgencyState
from tests.integration.catalog.receiving import (
    OTHER,
    foreign_entry,
    organisation,
    receive_agency,
    receive_entry,
)
from tests.integration.catalog.world import EMERGENCY, HEALTH, NODE

pytestmark = pytest.mark.postgres
SPACE = UUID(int=0)
TITLES = (
    "危险化学品经营许可证",
    "婚姻登记信息",
    "2022年1-12月规模以上工业经济",
    "ＧＤＰ（季度）核算_2021",
    "A4纸质 档案目录",
    "税",
    "'引号'与\\反斜杠|竖线&与",
    "农村集体经济组织名单（2019年）",
)


async def publish_foreign(world, title, number=0, **changed):
    state = foreign_entry(str(uuid5(SPACE, f"{title}-{number}")), title=title, **changed)
    await receive_entry(world, state)
    return state


async def search(world, q="", **filters):
    answer = await world.clerk.get("/catalog/v1/search", q=q, **filters)
    assert answer.status_code == 200, answer.text + world.node.log.getvalue()[-2000:]
    return answer.json()


def titles(found):
    return [item["title"] for item in found["items"]]


async def test_every_part_of_two_or_more_characters_of_a_title_finds_it(world):
    for title in TITLES:
        await publish_foreign(world, title)
    missed = []
    for title in TITLES:
        for start in range(len(title)):
            for end in range(start + 2, min(len(title), start + 9) + 1):
                part = title[start:end]
                if title not in titles(await search(world, part)):
                    missed.append((title, part))
    assert missed == []


async def test_single_characters_latin_and_digits_find_too(world):
    for title in TITLES:
        await publish_foreign(world, title)
    assert titles(await search(world, "税")) == ["税"]
    assert "婚姻登记信息" in titles(await search(world, "息"))
    assert titles(await search(world, "gdp")) == ["ＧＤＰ（季度）核算_2021"]
    assert titles(await search(world, "a4")) == ["A4纸质 档案目录"]
    assert titles(await search(world, "2021")) == ["ＧＤＰ（季度）核算_2021"]
    assert titles(await search(world, "0220")) == []
    assert titles(await search(world, "经营许可 化学")) == ["危险化学品经营许可证"]
    assert titles(await search(world, "经营 婚姻")) == []


async def test_words_of_department_abstract_items_and_code_find_too(world):
    entry = await world.published(title="许可信息", abstract="涉及烟花爆竹", keywords=["民爆"])
    for words in ("烟花爆竹", "民爆", "应急管理局", "企业名称", entry["resource_code"]):
        assert titles(await search(world, words)) == ["许可信息"]


async def test_equal_titles_come_first_then_beginnings_then_parts_then_other_text(world):
    await publish_foreign(world, "其他", abstract="婚姻登记", number=1)
    await publish_foreign(world, "补领婚姻登记")
    await publish_foreign(world, "婚姻登记信息")
    await publish_foreign(world, "婚姻登记")
    assert titles(await search(world, "婚姻登记")) == [
        "婚姻登记",
        "婚姻登记信息",
        "补领婚姻登记",
        "其他",
    ]


async def test_facets_count_what_is_found_and_filters_narrow_it(world):
    await world.published()
    await publish_foreign(world, "危险化学品运输")
    await publish_foreign(world, "婚姻登记信息", share_type="unconditional")
    found = await search(world, "危险化学品")
    assert found["total"] == {"value": 2, "relation": "exact"}
    assert found["sampled"] is False
    nodes = {value["code"]: value["count"] for value in found["facets"]["node"]}
    assert nodes == {NODE: 1, OTHER: 1}
    assert {value["name"] for value in found["facets"]["region"]} == {"Haifeng", "Lufeng"}
    departments = {value["code"]: value["name"] for value in found["facets"]["department"]}
    assert departments == {EMERGENCY: "海丰县应急管理局", f"{OTHER}-mz": "陆丰市民政局"}
    shares = {value["code"]: value["name"] for value in found["facets"]["share_type"]}
    assert shares == {"unconditional": "unconditional", "conditional": "conditional"}
    assert set(found["facets"]) == {
        "node", "department", "region", "theme", "share_type", "open_attr", "update_frequency",
        "data_form",
    }  # fmt: skip
    narrowed = await search(world, "危险化学品", node=OTHER)
    assert titles(narrowed) == ["危险化学品运输"]
    either = await search(world, "", share_type=["unconditional", "none"])
    assert set(titles(either)) == {"危险化学品经营许可证", "婚姻登记信息"}
    both = await search(world, "", share_type="unconditional", node=OTHER)
    assert titles(both) == ["婚姻登记信息"]
    assert titles(await search(world, "", node="440000")) == []


async def test_without_words_the_newest_come_first_and_pages_join(world):
    for number in range(7):
        stamp = f"2026-01-{10 + number}T00:00:00.000000Z"
        await publish_foreign(world, f"目录{number}", changed_at=stamp)
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await search(world, "", limit=3, **more)
        seen += titles(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"目录{number}" for number in reversed(range(7))]


async def test_pages_of_a_search_join_without_gap_or_repeat(world):
    for number in range(25):
        await publish_foreign(world, "统计信息", number=number)
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await search(world, "统计", limit=10, **more)
        seen += [item["entry_id"] for item in page["items"]]
        assert ("total" in page) == (cursor is None)
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("cursor", ["x", "WzEsMiwzXQ", "WzksMCwwLG51bGxd", "WzUsMCw1LFtdXQ"])
async def test_a_forged_cursor_is_refused(world, cursor):
    answer = await world.clerk.get("/catalog/v1/search", q="统计", cursor=cursor)
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert answer.json()["field"] == "cursor"


async def test_what_means_something_to_the_database_is_searched_as_text(world):
    await publish_foreign(world, TITLES[6])
    for words in ("'", "\\", "&|", "'引号'", "反斜杠|竖线&与", ":*", "!(", "%_"):
        found = await search(world, words)
        assert set(titles(found)) <= {TITLES[6]}
    assert titles(await search(world, "'引号'与\\")) == [TITLES[6]]


async def test_the_newer_record_wins_and_an_older_one_changes_nothing(world):
    state = await publish_foreign(world, "婚姻登记信息")
    newer = state.model_copy(update={"record_version": 9, "title": "结婚登记"})
    await receive_entry(world, newer)
    await receive_entry(world, state)
    await receive_entry(world, newer)
    assert titles(await search(world, "登记")) == ["结婚登记"]
    assert titles(await search(world, "婚姻")) == []
    shown = (await world.clerk.get(f"/catalog/v1/published/{state.entry_id}")).json()
    assert shown["title"] == "结婚登记"


async def test_an_offline_record_leaves_the_search_and_comes_back_with_a_newer_one(world):
    state = await publish_foreign(world, "婚姻登记信息")
    await receive_entry(world, state.model_copy(update={"record_version": 6, "state": "offline"}))
    assert titles(await search(world, "婚姻")) == []
    await receive_entry(world, state)
    assert titles(await search(world, "婚姻")) == []
    await receive_entry(world, state.model_copy(update={"record_version": 7}))
    assert titles(await search(world, "婚姻")) == ["婚姻登记信息"]


async def test_an_offline_record_of_an_unknown_entry_is_kept_and_not_found(world):
    state = foreign_entry(str(uuid5(SPACE, "gone")), state="offline")
    await receive_entry(world, state)
    assert titles(await search(world, "婚姻")) == []


async def test_an_agencys_new_name_shows_in_the_facets(world):
    await publish_foreign(world, "婚姻登记信息")
    org = organisation()
    await receive_agency(
        world,
        AgencyState(
            org_id=org.org_id, node=OTHER, region_code=OTHER, name="陆丰市民政和养老局",
            kind="administrative_organ", level="county", record_version=3,
        ),
    )  # fmt: skip
    found = await search(world, "婚姻")
    assert found["facets"]["department"][0]["name"] == "陆丰市民政和养老局"


async def test_a_common_word_is_answered_from_a_sample_and_every_entry_can_still_be_reached(world):
    """Entries of other levels than the sample's come on later pages."""
    from catalog.search import domain, repository  # noqa: PLC0415
    from catalog.search.service import SearchCommand  # noqa: PLC0415

    assert domain.ENOUGH > 60
    for number in range(60):
        await publish_foreign(world, f"统计信息{number}", number=number)
    await publish_foreign(world, "统计")
    runtime = world.node.runtime

    async def fetch(text, *arguments):
        return await runtime.database.hot.fetch(text, arguments)

    query = repository.Terms(terms=("统计",), filters=())
    seen = []
    for first, stop in ((0, 3), (3, 4), (4, 5)):
        page = await repository.ranked(
            fetch, query, levels=range(first, stop), all_titles=False, after=None, facets=True,
            limit=100,
        )  # fmt: skip
        seen += [position.entry_id for position, _ in page.hits]
    assert len(seen) == len(set(seen)) == 61
    page = await repository.ranked(
        fetch, query, levels=range(1), all_titles=True, after=None, facets=True, limit=100
    )
    assert len(page.hits) == 61
    assert page.counted < 61
    assert SearchCommand.__doc__


async def test_a_search_needs_a_role_and_bad_parameters_are_named(world):
    anonymous = await world.node.client.get("/catalog/v1/search", params={"q": "x"})
    assert anonymous.status_code == 401
    operator = world.node.caller("node_operator")
    assert (await operator.get("/catalog/v1/search", q="x")).status_code == 403
    for query in ({"limit": 0}, {"limit": 1000}, {"colour": "red"}, {"node": "x" * 300}):
        answer = await world.clerk.get("/catalog/v1/search", **query)
        assert answer.status_code == 422, query
    assert (await world.clerk.get(f"/catalog/v1/search?q={quote(chr(0))}")).status_code == 200


async def test_an_unknown_published_entry_is_not_found(world):
    unknown = await world.clerk.get(f"/catalog/v1/published/{uuid5(SPACE, 'nothing')}")
    assert unknown.status_code == 404


async def test_tokens_of_the_index_are_those_of_the_rules(world):
    from catalog.search.domain import EVERY_ENTRY, TITLE_MARK, body_of, fold, tokens_of  # noqa: PLC0415

    for title in TITLES:
        body = body_of(title, "关键 词", "部门2022abc")
        rows = await world.node.query(
            "SELECT tsvector_to_array(catalog_search_tokens(:title, :body, ARRAY[7, 8]::bigint[]))"
            " AS tokens",
            title=fold(title),
            body=body,
        )
        expected = {token for part in body.splitlines() for token in tokens_of(part)}
        expected |= {TITLE_MARK + token for token in tokens_of(fold(title))}
        expected |= {"\x017", "\x018", EVERY_ENTRY}
        assert set(rows[0]["tokens"]) == expected


async def test_the_search_shows_no_contact_and_no_person(world):
    await world.published(contact_name="张三丰", contact_phone="0660-1234567", steward="李四光")
    found = await world.clerk.get("/catalog/v1/search", q="危险化学品")
    entry_id = found.json()["items"][0]["entry_id"]
    shown = await world.clerk.get(f"/catalog/v1/published/{entry_id}")
    for private in ("张三丰", "0660-1234567", "李四光"):
        assert private not in found.text + shown.text
        assert (await search(world, private))["items"] == []
    assert HEALTH not in found.text
