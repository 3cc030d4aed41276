"""One act on many entries passes the same checks as on one."""

import pytest

from tests.integration.catalog.world import HEALTH

pytestmark = pytest.mark.postgres
BATCH = "/catalog/v1/entries/batch"


async def batch(world, who, act, ids, status=200, **more):
    answer = await world.people[who].post(BATCH, {"act": act, "ids": ids, **more})
    assert answer.status_code == status, answer.text + world.node.log.getvalue()[-2000:]
    return answer.json()


async def drafts(world, count):
    return [(await world.draft(title=f"目录{number}"))["entry_id"] for number in range(count)]


async def test_a_batch_is_published_in_one_edition_with_one_notice_an_agency(world):
    ids = await drafts(world, 3)
    for who, act in (("steward", "submit"), ("reviewer", "accept"), ("approver", "approve")):
        assert (await batch(world, who, act, ids))["done"] == 3
    result = await batch(world, "approver", "publish", ids)
    assert (result["done"], result["refused"], result["edition"]) == (3, 0, 1)
    editions = await world.events("yiwang.catalog.edition.published.v1")
    assert [len(edition["added"]) for edition in editions] == [3]
    codes = {
        state["resource_code"] for state in await world.events("yiwang.catalog.entry.published.v1")
    }
    assert len(codes) == 3
    notices = await world.events("yiwang.notice.posted.v1")
    assert [notice["role"] for notice in notices] == [
        "authority_reviewer",
        "agency_clerk",
        "agency_clerk",
    ]
    assert "3条" in notices[-1]["title_zh"]
    assert len(await world.events("yiwang.clock.ended.v1")) == 3
    audited = await world.node.query(
        "SELECT count(*) AS n FROM kernel.audit WHERE act = 'entry.publish'"
        " AND object_kind = 'catalog_entry'"
    )
    assert audited[0]["n"] == 3


async def test_what_is_refused_stays_and_says_why_and_the_rest_goes_on(world):
    good = await drafts(world, 2)
    bad = (await world.draft(title="缺依据", share_type="none", share_scope="nobody"))["entry_id"]
    other = {"providing_org": HEALTH, "collecting_org": HEALTH, "verifying_org": HEALTH}
    foreign = (await world.draft(title="别家的", **other))["entry_id"]
    unknown = str(world.node.runtime.ids.uuid7())
    result = await batch(world, "steward", "submit", [*good, bad, foreign, unknown, good[0]])
    assert (result["done"], result["refused"]) == (2, 3)
    assert result["reasons"] == {
        "basis-missing:share_basis": 1,
        "other-organisation": 1,
        "not-found": 1,
    }
    refused = {each["entry_id"]: each["problem"] for each in result["refusals"]}
    assert refused[bad]["errors"][0]["article"] == "第十四条第二款"
    shown = (await world.steward.get("/catalog/v1/entries", state="draft")).json()["items"]
    assert [entry["entry_id"] for entry in shown] == [bad]


async def test_nobody_approves_in_a_batch_what_he_submitted(world):
    both = world.node.caller(
        "steward", "authority_reviewer", organisation="441521-yj", subject="both"
    )
    world.people["both"] = both
    mine, theirs = await drafts(world, 2)
    await batch(world, "both", "submit", [mine])
    await batch(world, "steward", "submit", [theirs])
    result = await batch(world, "both", "accept", [mine, theirs])
    assert (result["done"], result["reasons"]) == (1, {"separation-of-duties": 1})


async def test_a_batch_in_the_wrong_state_changes_nothing(world):
    ids = await drafts(world, 2)
    result = await batch(world, "approver", "publish", ids)
    assert (result["done"], result["reasons"]) == (0, {"entry-move-not-open": 2})
    assert await world.events("yiwang.catalog.edition.published.v1") == []


async def test_a_return_in_a_batch_needs_an_opinion(world):
    ids = await drafts(world, 1)
    refused = await batch(world, "reviewer", "return", ids, status=422)
    assert refused["errors"][0]["field"] == "opinion"


async def test_a_filter_takes_an_agencys_own_entries_only(world):
    await drafts(world, 2)
    other = {"providing_org": HEALTH, "collecting_org": HEALTH, "verifying_org": HEALTH}
    await world.draft(title="别家的", **other)
    answer = await world.steward.post(BATCH, {"act": "submit", "filter": {}})
    assert (answer.json()["done"], answer.json()["refused"]) == (2, 0)
    accepted = await world.reviewer.post(BATCH, {"act": "accept", "filter": {}})
    assert accepted.json()["done"] == 2


async def test_more_than_the_policys_number_of_entries_is_refused(world):
    ids = [str(world.node.runtime.ids.uuid7()) for _ in range(5001)]
    refused = await batch(world, "steward", "submit", ids, status=422)
    assert refused["type"].endswith("batch-too-large")
    assert refused["kind"] == "policy"


async def test_a_role_without_the_act_is_refused_before_anything_is_looked_at(world):
    ids = await drafts(world, 1)
    assert (await world.clerk.post(BATCH, {"act": "approve", "ids": ids})).status_code == 403
    assert (await world.auditor.post(BATCH, {"act": "submit", "ids": ids})).status_code == 403


async def test_a_repeated_batch_gives_the_first_answer(world):
    ids = await drafts(world, 2)
    body = {"act": "submit", "ids": ids}
    first = await world.steward.post(BATCH, body, key="batch-1")
    again = await world.steward.post(BATCH, body, key="batch-1")
    assert first.json() == again.json()
    assert len(await world.events("yiwang.clock.started.v1")) == 2


async def test_two_publications_at_once_make_two_editions(world):
    import asyncio  # noqa: PLC0415

    ids = await drafts(world, 4)
    for who, act in (("steward", "submit"), ("reviewer", "accept"), ("approver", "approve")):
        await batch(world, who, act, ids)
    results = await asyncio.gather(
        batch(world, "approver", "publish", ids[:2]), batch(world, "approver", "publish", ids[2:])
    )
    assert {result["edition"] for result in results} == {1, 2}
    listed = (await world.auditor.get("/catalog/v1/editions")).json()
    assert (listed["items"][0]["edition"], listed["entries"]) == (2, 4)
    second = (await world.auditor.get("/catalog/v1/editions/441521/2")).json()
    assert len(second["added"]) == 2
