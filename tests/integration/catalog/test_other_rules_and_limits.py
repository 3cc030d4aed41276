"""Another rule set drives lengths, levels and addressees; limits of the node hold."""

from pathlib import Path

import pytest

from tests.integration.catalog.world import INTERNAL, LAW, catalog_world

pytestmark = pytest.mark.postgres
OTHER_RULES = Path(__file__).parents[2] / "support" / "rules" / "gedian-2031.yaml"
NOT_SHARED = {"share_type": "none", "share_scope": "nobody"}


@pytest.fixture
async def elsewhere(postgres_url, node_files):
    """The same county under rules in which every length, level and addressee differs."""
    async with catalog_world(
        postgres_url("catalog"), node_files, rules_files=(OTHER_RULES,)
    ) as world:
        yield world


async def test_due_dates_follow_the_other_rules(elsewhere):
    entry = await elsewhere.published()
    trigger = {"kind": "statutory_function", "document": "1号", "effective_on": "2026-01-05"}
    changing = await elsewhere.act("steward", entry["entry_id"], "change", {"trigger": trigger})
    update = changing["update_due"]
    assert (update["length"], update["due_on"], update["article"]) == (
        11,
        "2026-01-20",
        "第五十二条第一款",
    )
    assert update["start_basis"] == "text"
    submitted = await elsewhere.act("steward", entry["entry_id"], "submit")
    review = submitted["review_due"]
    assert (review["length"], review["due_on"]) == (3, "2026-01-15")
    assert submitted["rule_version"] == "gedian-2031"
    started = await elsewhere.events("yiwang.clock.started.v1")
    assert started[-1]["escalate_to"] == "authority_city"


async def test_the_filing_goes_where_the_other_rules_say(elsewhere):
    await elsewhere.published(**NOT_SHARED, share_basis=[LAW])
    filing = (await elsewhere.events("yiwang.filing.submitted.v1"))[0]
    assert (filing["receiver_node"], filing["receiver_level"]) == ("441500", "upper")
    assert filing["topic"] == "filings.441500.v1"
    assert (filing["article"], filing["rule_version"]) == ("第五十四条第二款", "gedian-2031")


async def test_the_levels_that_carry_follow_the_other_rules(elsewhere):
    rule = {"level": "government_rule", "title": "某市数据办法"}
    assert (await elsewhere.draft(**NOT_SHARED, share_basis=[rule]))["violations"] == []
    draft = await elsewhere.draft(
        **NOT_SHARED, share_basis=[{"level": "local_regulation", "title": "某省条例"}]
    )
    problem = draft["violations"][0]
    assert problem["article"] == "第五十四条第二款"
    assert "local government rule" in problem["remedy"]


async def test_an_open_case_keeps_the_rules_it_was_submitted_under(postgres_url, node_files):
    url = postgres_url("catalog")
    async with catalog_world(url, node_files) as world:
        strict = (await world.draft(**NOT_SHARED, share_basis=[INTERNAL]))["entry_id"]
        assert (await world.act("steward", strict, "submit", status=422))["errors"]
        good = await world.draft(
            **NOT_SHARED, share_basis=[{"level": "local_regulation", "title": "某省条例"}]
        )
        await world.act("steward", good["entry_id"], "submit")
        await world.act("reviewer", good["entry_id"], "accept")
        other = world.node.runtime.rulebook
        from contracts.rules import RuleBook, read_rule_set  # noqa: PLC0415

        newer = read_rule_set(OTHER_RULES)
        world.node.runtime.rulebook = RuleBook(
            versions={**other.versions, newer.version: newer}, current_version=newer.version
        )
        approved = await world.act("approver", good["entry_id"], "approve")
        assert approved["rule_version"] == other.current_version
        published = await world.act("approver", good["entry_id"], "publish")
        assert published["state"] == "published"
        filing = (await world.events("yiwang.filing.submitted.v1"))[0]
        assert (filing["receiver_level"], filing["rule_version"]) == (
            "same",
            other.current_version,
        )


async def test_a_review_that_comes_after_its_due_date_is_late_and_never_silent(
    postgres_url, node_files
):
    async with catalog_world(postgres_url("catalog"), node_files) as world:
        entry_id = (await world.draft())["entry_id"]
        await world.act("steward", entry_id, "submit")
        world.clock.advance(days=14)
        world.renew_tokens()
        shown = (await world.auditor.get(f"/catalog/v1/entries/{entry_id}")).json()
        assert shown["state"] == "submitted"
        await world.act("reviewer", entry_id, "accept")
        await world.act("reviewer", entry_id, "return", {"opinion": "迟到的意见"})
        ended = await world.events("yiwang.clock.ended.v1")
        assert [clock["on_time"] for clock in ended] == [False]


async def test_a_file_beyond_the_nodes_limit_is_refused_and_leaves_nothing(
    postgres_url, node_files
):
    async with catalog_world(postgres_url("catalog"), node_files, upload_limit=20_000) as world:
        answer = await world.reviewer.post(
            "/catalog/v1/imports", files={"file": ("big.csv", b"a,b\n" * 10_000)}
        )
        assert answer.status_code == 413
        assert await world.node.count("imports") == 0


async def test_a_command_beyond_the_body_limit_is_refused(postgres_url, node_files):
    async with catalog_world(postgres_url("catalog"), node_files, body_limit=20_000) as world:
        answer = await world.steward.post("/catalog/v1/entries", {"title": "长" * 20_000})
        assert answer.status_code == 413
