"""SM-1 over HTTP and PostgreSQL: draft, submit, review, publish, change, take down."""

import pytest

from tests.integration.catalog.world import AUTHORITY, EMERGENCY, LAW, NODE, content

pytestmark = pytest.mark.postgres


async def test_an_entry_goes_from_draft_to_publication_and_the_federation_hears_of_it(world):
    draft = await world.draft()
    assert draft["state"] == "draft"
    assert draft["complete"]
    assert draft["violations"] == []

    submitted = await world.act("steward", draft["entry_id"], "submit")
    assert submitted["state"] == "submitted"
    assert submitted["review_due"]["rule"] == "catalog.review.first"
    accepted = await world.act("reviewer", draft["entry_id"], "accept")
    assert accepted["state"] == "in_review"
    approved = await world.act("approver", draft["entry_id"], "approve", {"opinion": "同意"})
    assert approved["state"] == "approved"
    published = await world.act("approver", draft["entry_id"], "publish")
    assert published["state"] == "published"
    assert published["version"] == 1
    assert published["resource_code"] == "307044441521002/000001"

    states = await world.events("yiwang.catalog.entry.published.v1")
    assert [(s["state"], s["version"], s["edition"]) for s in states] == [("published", 1, 1)]
    assert states[0]["topic"] == f"catalog.{NODE}.v1"
    assert states[0]["providing_org"]["name"] == "海丰县应急管理局"
    assert "contact_phone" not in states[0]
    assert "steward" not in states[0]

    started = await world.events("yiwang.clock.started.v1")
    ended = await world.events("yiwang.clock.ended.v1")
    assert [clock["bound"]["org_id"] for clock in started] == [AUTHORITY]
    assert [(c["end_event"], c["on_time"]) for c in ended] == [("catalog.edition.published", True)]
    editions = await world.events("yiwang.catalog.edition.published.v1")
    assert editions[0]["added"] == [draft["entry_id"]]
    assert editions[0]["entries"] == 1


async def test_a_draft_may_lack_anything_but_cannot_be_submitted(world):
    answer = await world.steward.post("/catalog/v1/entries", {"title": "待补全"})
    assert answer.status_code == 201
    draft = answer.json()
    assert not draft["complete"]
    refused = await world.act("steward", draft["entry_id"], "submit", status=422)
    fields = {error["field"]: error for error in refused["errors"]}
    assert fields["update_frequency"]["article"] == "第十一条第四款"
    assert fields["share_type"]["type"].endswith("share-type-missing")
    assert all(error["remedy"] for error in refused["errors"])
    shown = (await world.steward.get(f"/catalog/v1/entries/{draft['entry_id']}")).json()
    assert shown["state"] == "draft"


async def test_a_returned_submission_ends_its_review_and_can_be_submitted_again(world):
    entry_id = (await world.draft())["entry_id"]
    await world.act("steward", entry_id, "submit")
    await world.act("reviewer", entry_id, "accept")
    missing = await world.act("reviewer", entry_id, "return", {"opinion": ""}, status=422)
    assert missing["errors"][0]["field"].endswith("opinion")
    returned = await world.act("reviewer", entry_id, "return", {"opinion": "摘要不清"})
    assert (returned["state"], returned["opinion"]) == ("returned", "摘要不清")
    again = await world.act("steward", entry_id, "submit")
    assert again["round"] == 2
    started = await world.events("yiwang.clock.started.v1")
    ended = await world.events("yiwang.clock.ended.v1")
    assert len({clock["clock_id"] for clock in started}) == 2
    assert [clock["end_event"] for clock in ended] == ["catalog.submission.returned"]


async def test_a_submission_is_recalled_before_acceptance_and_not_after(world):
    entry_id = (await world.draft())["entry_id"]
    await world.act("steward", entry_id, "submit")
    assert (await world.act("steward", entry_id, "recall"))["state"] == "draft"
    await world.act("steward", entry_id, "submit")
    await world.act("reviewer", entry_id, "accept")
    refused = await world.act("steward", entry_id, "recall", status=409)
    assert refused["state"] == "in_review"
    assert "return" in refused["open_acts"]


async def test_nobody_approves_what_he_submitted(world):
    both = world.node.caller(
        "steward", "authority_approver", "authority_reviewer",
        organisation=EMERGENCY, subject="both",
    )  # fmt: skip
    draft = (await both.post("/catalog/v1/entries", content())).json()
    path = f"/catalog/v1/entries/{draft['entry_id']}"
    assert (await both.post(f"{path}/submit")).status_code == 200
    for act in ("accept", "approve", "publish"):
        refused = await both.post(f"{path}/{act}")
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("separation-of-duties")
    assert (await world.reviewer.post(f"{path}/accept")).status_code == 200


async def test_a_change_keeps_the_version_in_force_until_it_is_published(world):
    entry = await world.published()
    path = f"/catalog/v1/entries/{entry['entry_id']}"
    changing = await world.act("steward", entry["entry_id"], "change")
    assert (changing["state"], changing["version"]) == ("changing", 1)
    edited = await world.steward.patch(
        path,
        {"abstract": "新的摘要", "update_frequency": "weekly"},
        version=changing["record_version"],
    )
    assert edited.status_code == 200, edited.text
    diff = (await world.steward.get(f"{path}/diff")).json()
    assert {(c["field"], c["change"]) for c in diff["changes"]} == {
        ("abstract", "changed"),
        ("update_frequency", "changed"),
    }
    in_force = (await world.health_clerk.get(f"/catalog/v1/published/{entry['entry_id']}")).json()
    assert in_force["update_frequency"] == "monthly"

    submitted = await world.act("steward", entry["entry_id"], "submit")
    assert submitted["state"] == "change_review"
    assert submitted["review_due"]["rule"] == "catalog.review"
    await world.act("reviewer", entry["entry_id"], "accept")
    await world.act("approver", entry["entry_id"], "approve")
    published = await world.act("approver", entry["entry_id"], "publish")
    assert published["version"] == 2
    assert published["resource_code"] == entry["resource_code"]
    after = (await world.health_clerk.get(f"/catalog/v1/published/{entry['entry_id']}")).json()
    assert (after["version"], after["update_frequency"]) == (2, "weekly")
    versions = (await world.steward.get(f"{path}/versions")).json()
    assert [(v["version"], v["changes"], v["superseded_at"] is None) for v in versions] == [
        (1, 0, False),
        (2, 2, True),
    ]
    first = (await world.steward.get(f"{path}/versions/1")).json()
    assert first["update_frequency"] == "monthly"


async def test_a_change_of_law_starts_the_agencys_clock_at_its_effective_date(world):
    entry = await world.published()
    trigger = {"kind": "legal_basis", "document": "粤府令第1号", "effective_on": "2026-01-05"}
    changing = await world.act("steward", entry["entry_id"], "change", {"trigger": trigger})
    due = changing["update_due"]
    assert (due["rule"], due["starts_on"], due["start_basis"]) == (
        "catalog.update",
        "2026-01-05",
        "interpretation",
    )
    assert due["due_on"] == "2026-01-26"
    await world.act("steward", entry["entry_id"], "submit")
    await world.act("reviewer", entry["entry_id"], "accept")
    returned = await world.act("reviewer", entry["entry_id"], "return", {"opinion": "补充依据"})
    assert returned["update_due"]["due_on"] == "2026-01-26"

    clocks = [c for c in await world.events("yiwang.clock.started.v1")
              if c["due"]["rule"] == "catalog.update"]  # fmt: skip
    assert len(clocks) == 2
    assert len({clock["clock_id"] for clock in clocks}) == 1
    ended = [c for c in await world.events("yiwang.clock.ended.v1")
             if c["clock_id"] == clocks[0]["clock_id"]]  # fmt: skip
    assert [clock["end_event"] for clock in ended] == ["catalog.entry.submitted"]


async def test_a_change_without_document_or_date_is_refused(world):
    entry = await world.published()
    refused = await world.act(
        "steward", entry["entry_id"], "change", {"trigger": {"kind": "legal_basis"}}, status=422
    )
    assert refused["errors"][0]["type"].endswith("trigger-missing")
    shown = (await world.steward.get(f"/catalog/v1/entries/{entry['entry_id']}")).json()
    assert shown["state"] == "published"


async def test_a_discarded_change_gives_way_to_what_is_in_force(world):
    entry = await world.published()
    path = f"/catalog/v1/entries/{entry['entry_id']}"
    changing = await world.act("steward", entry["entry_id"], "change")
    await world.steward.patch(path, {"title": "改名"}, version=changing["record_version"])
    discarded = await world.act("steward", entry["entry_id"], "discard")
    assert discarded["state"] == "published"
    assert discarded["content"]["title"] == entry["content"]["title"]


async def test_a_stale_edit_gets_the_current_entry(world):
    draft = await world.draft()
    path = f"/catalog/v1/entries/{draft['entry_id']}"
    first = await world.steward.patch(path, {"title": "甲"}, version=draft["record_version"])
    assert first.status_code == 200
    stale = await world.clerk.patch(path, {"title": "乙"}, version=draft["record_version"])
    assert stale.status_code == 409
    problem = stale.json()
    assert problem["version"] == draft["record_version"] + 1
    assert problem["current"]["content"]["title"] == "甲"
    without = await world.clerk.patch(path, {"title": "乙"})
    assert without.status_code == 428
    act = await world.steward.post(f"{path}/submit", headers={"If-Match": '"1"'})
    assert act.status_code == 409


async def test_one_agency_neither_sees_nor_touches_anothers_draft(world):
    draft = await world.draft()
    path = f"/catalog/v1/entries/{draft['entry_id']}"
    assert (await world.health_clerk.get(path)).status_code == 404
    refused = await world.health_clerk.patch(path, {"title": "乙"}, version=1)
    assert refused.status_code == 403
    mine = (await world.health_clerk.get("/catalog/v1/entries")).json()
    assert mine["items"] == []
    foreign = await world.health_clerk.post("/catalog/v1/entries", content())
    assert foreign.status_code == 403


async def test_an_approval_of_another_nodes_authority_is_refused(world):
    draft = await world.draft()
    await world.act("steward", draft["entry_id"], "submit")
    city = world.node.caller("authority_approver", organisation="441500-zs", node="441500")
    refused = await city.post(f"/catalog/v1/entries/{draft['entry_id']}/accept")
    assert refused.status_code == 401
    shown = (await world.steward.get(f"/catalog/v1/entries/{draft['entry_id']}")).json()
    assert shown["state"] == "submitted"


async def test_suspension_and_resumption_are_broadcast_and_change_no_version(world):
    entry = await world.published()
    await world.act("steward", entry["entry_id"], "change")
    suspended = await world.act("supervisor", entry["entry_id"], "suspend", {"reason": "疑似泄露"})
    assert suspended["state"] == "suspended"
    same = world.node.caller(
        "authority_supervisor", "authority_approver", organisation=AUTHORITY, subject="supervisor"
    )
    refused = await same.post(f"/catalog/v1/entries/{entry['entry_id']}/resume")
    assert refused.status_code == 403
    resumed = await world.act("approver", entry["entry_id"], "resume")
    assert resumed["state"] == "changing"
    states = await world.events("yiwang.catalog.entry.published.v1")
    assert [s["state"] for s in states] == ["published", "suspended", "published"]
    numbers = [s["record_version"] for s in states]
    assert numbers == sorted(numbers)
    assert {s["version"] for s in states} == {1}


async def test_equal_titles_are_a_warning_and_no_refusal(world):
    await world.draft()
    second = await world.draft()
    assert [w["type"].rsplit(":", 1)[1] for w in second["warnings"]] == ["title-shared"]
    assert (await world.act("steward", second["entry_id"], "submit"))["state"] == "submitted"


async def test_a_condition_whose_basis_could_not_refuse_is_a_warning(world):
    weak = {"level": "normative", "title": "海丰县数据共享办法"}
    draft = await world.draft(
        share_type="conditional",
        share_scope="named_agencies",
        share_scope_orgs=[AUTHORITY],
        share_condition="仅用于应急处置",
        share_basis=[weak],
    )
    assert draft["violations"] == []
    assert [w["type"].rsplit(":", 1)[1] for w in draft["warnings"]] == ["basis-cannot-refuse"]
    strong = await world.draft(
        title="另一条",
        share_type="conditional",
        share_scope="same_level",
        share_condition="仅用于应急处置",
        share_basis=[LAW],
    )
    assert strong["warnings"] == []
