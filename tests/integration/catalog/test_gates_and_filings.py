"""Gates at submission, the filing of what is not shared, claims on facts."""

import pytest

from contracts.events.filing import FilingReceived, FilingRecorded, FilingReturned
from kernel.handlers import NotYet, Poison
from tests.integration.catalog.receiving import STAMP, receive
from tests.integration.catalog.world import EMERGENCY, HEALTH, INTERNAL, LAW, NODE

pytestmark = pytest.mark.postgres
NOT_SHARED = {"share_type": "none", "share_scope": "nobody", "share_basis": [LAW]}


async def refused_fields(world, **changed):
    draft = await world.draft(**changed)
    answer = await world.act("steward", draft["entry_id"], "submit", status=422)
    return {error["field"]: error for error in answer["errors"]}


async def test_not_sharing_on_an_internal_document_is_refused_with_article_and_remedy(world):
    found = await refused_fields(world, **{**NOT_SHARED, "share_basis": [INTERNAL]})
    assert list(found) == ["share_basis[0]"]
    problem = found["share_basis[0]"]
    assert problem["type"].endswith("basis-level-too-low")
    assert problem["article"] == "第十四条第二款"
    assert problem["kind"] == "law"
    assert "law" in problem["remedy"]


async def test_each_violated_field_has_its_own_message_in_the_callers_language(world):
    world.steward.language = "zh"
    found = await refused_fields(
        world, contains_secret=True, update_frequency="常常", region_code="441501", abstract=None
    )
    assert set(found) == {"contains_secret", "update_frequency", "abstract", "region_code"}
    assert found["contains_secret"]["detail"].startswith("涉及国家秘密")
    assert found["abstract"]["detail"] == "未填写共享内容（摘要）。"
    assert "monthly（每月）" in found["update_frequency"]["remedy"]


async def test_a_field_of_the_wrong_kind_is_refused_at_the_door_without_its_value(world):
    marked = "990000190001010016"
    answer = await world.steward.post(
        "/catalog/v1/entries", {"title": "甲", "security_level": marked, "unknown": marked}
    )
    assert answer.status_code == 422
    assert marked not in answer.text
    assert {error["field"].split(".")[-1] for error in answer.json()["errors"]} == {
        "security_level",
        "*",
    }


async def test_what_is_not_shared_is_filed_with_the_authority_and_published_at_once(world):
    entry = await world.published(**NOT_SHARED)
    assert entry["state"] == "published"
    filings = await world.events("yiwang.filing.submitted.v1")
    assert len(filings) == 1
    filing = filings[0]
    assert (filing["rule"], filing["article"]) == ("F1", "第十四条第二款")
    assert (filing["topic"], filing["receiver_node"]) == (f"filings.{NODE}.v1", NODE)
    assert (filing["filer"]["org_id"], filing["reply_to"]) == (EMERGENCY, "catalog")
    assert filing["subject_no"] == entry["resource_code"]
    assert filing["basis"][0]["title"] == LAW["title"]
    shown = (await world.steward.get("/catalog/v1/filings")).json()["items"]
    assert [(f["state"], f["parts"]) for f in shown] == [("queued", ["*"])]


async def test_an_item_that_becomes_not_shared_by_a_change_is_filed_by_name(world):
    entry = await world.published()
    assert await world.events("yiwang.filing.submitted.v1") == []
    changing = await world.act("steward", entry["entry_id"], "change")
    items = [*changing["content"]["items"]]
    items[1] = {**items[1], "share_type": "none"}
    path = f"/catalog/v1/entries/{entry['entry_id']}"
    edited = await world.steward.patch(
        path, {"items": items, "share_basis": [LAW]}, version=changing["record_version"]
    )
    assert edited.status_code == 200, edited.text
    await world.act("steward", entry["entry_id"], "submit")
    await world.act("reviewer", entry["entry_id"], "accept")
    await world.act("approver", entry["entry_id"], "approve")
    await world.act("approver", entry["entry_id"], "publish")
    filings = await world.events("yiwang.filing.submitted.v1")
    assert len(filings) == 1
    assert "企业名称" in filings[0]["summary"]


async def test_the_desks_answers_move_the_filing_and_never_the_entry(world):
    entry = await world.published(**NOT_SHARED)
    filing_id = (await world.events("yiwang.filing.submitted.v1"))[0]["filing_id"]
    number = f"BA{NODE}-F1-2026-000001"

    async def state():
        found = (await world.steward.get(f"/catalog/v1/filings/{filing_id}")).json()
        return found["state"], found["filing_no"], found["reason"]

    received = FilingReceived(
        filing_id=filing_id, filing_no=number, receiver_node=NODE, received_at=STAMP,
        state="received",
    )  # fmt: skip
    await receive(world, "yiwang.filing.received.v1", received)
    assert await state() == ("received", number, "")
    returned = FilingReturned(
        filing_id=filing_id, filing_no=number, returned_by="x", returned_at=STAMP,
        reason="请补充条款原文",
    )  # fmt: skip
    await receive(world, "yiwang.filing.returned.v1", returned)
    assert await state() == ("returned", number, "请补充条款原文")
    shown = (await world.steward.get(f"/catalog/v1/entries/{entry['entry_id']}")).json()
    assert shown["state"] == "published"

    foreign = await world.health_clerk.post(
        f"/catalog/v1/filings/{filing_id}/complete", {"summary": "补充"}
    )
    assert foreign.status_code == 403
    completed = await world.clerk.post(
        f"/catalog/v1/filings/{filing_id}/complete",
        {"summary": "已补充条款原文", "basis": [{**LAW, "text": "原文"}]},
    )
    assert completed.status_code == 200, completed.text
    assert (await world.events("yiwang.filing.completed.v1"))[0]["basis"][0]["text"] == "原文"
    again = await world.clerk.post(
        f"/catalog/v1/filings/{filing_id}/complete", {"summary": "又一次"}
    )
    assert again.status_code == 409
    recorded = FilingRecorded(
        filing_id=filing_id, filing_no=number, recorded_by="x", recorded_at=STAMP
    )
    await receive(world, "yiwang.filing.recorded.v1", recorded)
    assert (await state())[0] == "recorded"
    await receive(world, "yiwang.filing.received.v1", received)
    assert (await state())[0] == "recorded"


async def test_an_answer_before_its_filing_waits_and_one_of_another_desk_is_poison(world):
    recorded = FilingRecorded(
        filing_id=str(world.node.runtime.ids.uuid7()),
        filing_no="x",
        recorded_by="x",
        recorded_at=STAMP,
    )
    with pytest.raises(NotYet):
        await receive(world, "yiwang.filing.recorded.v1", recorded)
    await world.published(**NOT_SHARED)
    filing_id = (await world.events("yiwang.filing.submitted.v1"))[0]["filing_id"]
    stolen = recorded.model_copy(update={"filing_id": filing_id})
    with pytest.raises(Poison):
        await receive(world, "yiwang.filing.recorded.v1", stolen, source="441581")


async def test_one_agency_does_not_see_anothers_filings(world):
    await world.published(**NOT_SHARED)
    assert (await world.health_clerk.get("/catalog/v1/filings")).json()["items"] == []
    assert len((await world.auditor.get("/catalog/v1/filings")).json()["items"]) == 1


async def test_a_second_claim_on_a_fact_publishes_marked_and_the_authority_decides(world):
    item = {
        "name_cn": "企业名称", "name_en": "company", "data_type": "C", "length": 120,
        "data_element": "DE0120", "subject_kind": "organisation",
    }  # fmt: skip
    first = await world.published(items=[item])
    assert not first["source_pending"]
    own = {"providing_org": HEALTH, "collecting_org": HEALTH, "verifying_org": HEALTH}
    second = await world.published(title="医疗机构", items=[item], **own)
    assert second["source_pending"]
    states = await world.events("yiwang.catalog.entry.published.v1")
    assert [state["source_pending"] for state in states] == [False, True]

    conflicts = (await world.auditor.get("/catalog/v1/claims", state="conflict")).json()["items"]
    assert {claim["org_id"] for claim in conflicts} == {EMERGENCY, HEALTH}
    fact = conflicts[0]["fact"]
    unknown = await world.approver.post(
        "/catalog/v1/claims/decide", {"fact": fact, "org_id": "nobody", "document": "1号"}
    )
    assert unknown.status_code == 404
    decided = await world.approver.post(
        "/catalog/v1/claims/decide",
        {"fact": fact, "org_id": HEALTH, "document": "海编办〔2026〕1号"},
    )
    assert decided.status_code == 200, decided.text
    shown = (await world.auditor.get(f"/catalog/v1/entries/{second['entry_id']}")).json()
    assert not shown["source_pending"]
    last = (await world.events("yiwang.catalog.entry.published.v1"))[-1]
    assert (last["entry_id"], last["source_pending"]) == (second["entry_id"], False)


async def test_an_item_taken_from_another_entry_claims_nothing(world):
    collected = {
        "name_cn": "企业名称", "name_en": "company", "data_type": "C", "length": 120,
        "data_element": "DE0120",
    }  # fmt: skip
    first = await world.published(items=[collected])
    taken = {**collected, "taken_from": first["resource_code"]}
    own = {"providing_org": HEALTH, "collecting_org": HEALTH, "verifying_org": HEALTH}
    second = await world.published(title="医疗机构", items=[taken], **own)
    assert not second["source_pending"]


async def test_the_confidentiality_review_is_kept_with_the_version(world):
    draft = await world.draft()
    entry_id = draft["entry_id"]
    review = {"passed": True, "results": {"证书编号": "ok", "企业名称": "ok"}}
    recorded = await world.act("confidentiality", entry_id, "confidentiality-review", review)
    assert recorded["confidentiality"]["passed"]
    await world.act("steward", entry_id, "submit")
    await world.act("reviewer", entry_id, "accept")
    await world.act("approver", entry_id, "approve")
    await world.act("approver", entry_id, "publish")
    rows = await world.node.query(
        "SELECT confidentiality FROM entry_versions WHERE entry_id = CAST(:id AS uuid)", id=entry_id
    )
    assert rows[0]["confidentiality"]["reviewer"] == "confidentiality"
    changing = await world.act("steward", entry_id, "change")
    assert changing["confidentiality"] is None
