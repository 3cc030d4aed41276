"""Taking an entry down: who depends on it, what they are given, and when it goes."""

import pytest

from catalog.entries.jobs import take_down_due
from kernel.handlers import NotYet
from tests.integration.catalog.receiving import (
    add_dependent,
    end_dependent,
    foreign_entry,
    receive_entry,
)
from tests.integration.catalog.world import LAW

pytestmark = pytest.mark.postgres
REASON = {"reason": "职能已划出", "basis": [LAW]}


async def state_of(world, entry_id):
    return (await world.steward.get(f"/catalog/v1/entries/{entry_id}")).json()["state"]


async def test_an_entry_nobody_depends_on_goes_offline_at_once(world):
    entry = await world.published()
    entry_id = entry["entry_id"]
    missing = await world.act("leader", entry_id, "takedown", {"reason": "x"}, status=422)
    assert missing["errors"][0]["field"] == "basis"
    asked = await world.act("leader", entry_id, "takedown", REASON)
    assert asked["state"] == "takedown_review"
    down = await world.act("approver", entry_id, "takedown/approve")
    assert down["state"] == "offline"
    last = (await world.events("yiwang.catalog.entry.published.v1"))[-1]
    assert (last["state"], last["resource_code"]) == ("offline", entry["resource_code"])
    edition = (await world.events("yiwang.catalog.edition.published.v1"))[-1]
    assert (edition["edition"], edition["removed"], edition["entries"]) == (2, [entry_id], 0)
    hits = (await world.health_clerk.get("/catalog/v1/search", q="危险化学品")).json()
    assert hits["items"] == []
    known = (await world.health_clerk.get(f"/catalog/v1/published/{entry_id}")).json()
    assert known["state"] == "offline"


async def test_nobody_approves_the_takedown_he_asked_for(world):
    entry = await world.published()
    both = world.node.caller(
        "authority_reviewer", "authority_approver", organisation="441521-zs", subject="both"
    )
    path = f"/catalog/v1/entries/{entry['entry_id']}/takedown"
    assert (await both.post(path, REASON)).status_code == 200
    refused = await both.post(f"{path}/approve")
    assert refused.status_code == 403


async def test_a_refused_takedown_leaves_the_entry_in_force(world):
    entry = await world.published()
    await world.act("leader", entry["entry_id"], "takedown", REASON)
    refused = await world.act(
        "approver", entry["entry_id"], "takedown/refuse", {"opinion": "仍有需求"}
    )
    assert refused["state"] == "published"
    assert len(await world.events("yiwang.catalog.entry.published.v1")) == 1


async def test_a_dependent_without_substitute_or_end_date_holds_the_takedown_up(world):
    entry_id = (await world.published())["entry_id"]
    await add_dependent(world, entry_id, "grant-1")
    impact = (await world.steward.get(f"/catalog/v1/entries/{entry_id}/impact")).json()
    assert impact["unprovided"] == 1
    assert impact["earliest_end"] == "2026-01-26"
    assert impact["dependents"][0]["holder"]["name"] == "海丰县卫生健康局"
    await world.act("leader", entry_id, "takedown", REASON)
    held = await world.act("approver", entry_id, "takedown/approve", status=409)
    assert held["dependents"] == ["grant-1"]
    assert held["kind"] == "policy"
    assert await state_of(world, entry_id) == "takedown_review"


async def test_an_end_date_within_the_notice_is_refused(world):
    entry_id = (await world.published())["entry_id"]
    await add_dependent(world, entry_id, "grant-1")
    soon = {**REASON, "provisions": [{"dependent_id": "grant-1", "ends_on": "2026-01-14"}]}
    refused = await world.act("leader", entry_id, "takedown", soon, status=422)
    assert refused["errors"][0]["field"] == "provisions[0].ends_on"


async def test_an_entry_works_until_its_dependents_last_day_and_then_goes(world):
    entry_id = (await world.published())["entry_id"]
    await add_dependent(world, entry_id, "grant-1")
    await world.act("leader", entry_id, "takedown", REASON)
    provision = {"provisions": [{"dependent_id": "grant-1", "ends_on": "2026-02-02"}]}
    approved = await world.act("approver", entry_id, "takedown/approve", provision)
    assert approved["state"] == "takedown_review"
    assert approved["takedown_request"]["effective_on"] == "2026-02-02"
    await take_down_due(world.node.runtime)
    assert await state_of(world, entry_id) == "takedown_review"
    world.clock.advance(days=21)
    await take_down_due(world.node.runtime)
    rows = await world.node.query("SELECT state FROM entries")
    assert [row["state"] for row in rows] == ["offline"]
    await take_down_due(world.node.runtime)
    editions = await world.events("yiwang.catalog.edition.published.v1")
    assert [edition["edition"] for edition in editions] == [1, 2]


async def test_a_substitute_must_be_published_somewhere(world):
    entry_id = (await world.published())["entry_id"]
    await add_dependent(world, entry_id, "grant-1")
    substitute = str(world.node.runtime.ids.uuid7())
    body = {**REASON, "provisions": [{"dependent_id": "grant-1", "substitute": substitute}]}
    refused = await world.act("leader", entry_id, "takedown", body, status=422)
    assert refused["errors"][0]["type"].endswith("substitute-unknown")
    await receive_entry(world, foreign_entry(substitute))
    await world.act("leader", entry_id, "takedown", body)
    assert (await world.act("approver", entry_id, "takedown/approve"))["state"] == "offline"


async def test_a_dependence_that_ended_holds_nothing_up(world):
    entry_id = (await world.published())["entry_id"]
    await add_dependent(world, entry_id, "grant-1")
    await add_dependent(world, entry_id, "grant-1")
    await end_dependent(world, entry_id, "grant-1")
    await world.act("leader", entry_id, "takedown", REASON)
    assert (await world.act("approver", entry_id, "takedown/approve"))["state"] == "offline"


async def test_an_end_before_its_beginning_waits(world):
    with pytest.raises(NotYet):
        await end_dependent(world, str(world.node.runtime.ids.uuid7()), "grant-9")


async def test_an_offline_entry_is_restored_through_review_under_its_old_code(world):
    entry = await world.published()
    entry_id = entry["entry_id"]
    await world.act("leader", entry_id, "takedown", REASON)
    await world.act("approver", entry_id, "takedown/approve")
    await world.act("steward", entry_id, "change")
    await world.act("steward", entry_id, "submit")
    await world.act("reviewer", entry_id, "accept")
    await world.act("approver", entry_id, "approve")
    back = await world.act("approver", entry_id, "publish")
    assert (back["state"], back["version"]) == ("published", 2)
    assert back["resource_code"] == entry["resource_code"]
    edition = (await world.events("yiwang.catalog.edition.published.v1"))[-1]
    assert (edition["added"], edition["entries"]) == ([entry_id], 1)


async def test_resource_codes_are_never_used_twice(world):
    codes = []
    for number in range(3):
        entry = await world.published(title=f"目录{number}")
        codes.append(entry["resource_code"])
        await world.act("leader", entry["entry_id"], "takedown", REASON)
        await world.act("approver", entry["entry_id"], "takedown/approve")
    assert codes == [f"307044441521002/00000{number}" for number in (1, 2, 3)]
