"""The filing desk over HTTP: numbers, receipts, recording, returning, and what others see."""

from typing import Any

import orjson
import pytest

from contracts.encoding import from_base64url
from contracts.events.base import OrganisationRef
from contracts.events.sharing import RequestStatus
from contracts.identifiers import parse_filing_number
from kernel.document_signing import sign_waiting
from kernel.handlers import NotYet, Poison
from kernel.signing import Keyring
from tests.integration.notify.support import CITY, CIVIL_AFFAIRS, COUNTY, LAND, Desk, submitted
from tests.support.http import NodeFiles

pytestmark = pytest.mark.postgres
FILINGS = "/notify/v1/filings"
PROVINCE = {"rule": "F2b", "receiver_level": "upper", "receiver_node": CITY, "external": True}
CITY_AGENCY = OrganisationRef(org_id="org-city", name="汕尾市民政局", node=CITY)


def payloads(rows: list[Any], event_type: str) -> list[Any]:
    return [orjson.loads(row.payload) for row in rows if row.type == event_type]


async def test_an_arriving_filing_is_numbered_and_receipted_to_its_filer(desk: Desk) -> None:
    filing_id = await desk.file()
    (row,) = await desk.sent()
    assert (row.type, row.topic, row.key) == (
        "yiwang.filing.received.v1",
        f"sharing.{COUNTY}.v1",
        filing_id,
    )
    receipt = orjson.loads(row.payload)
    number = parse_filing_number(receipt["filing_no"])
    assert (number.node, number.rule, number.year) == (COUNTY, "F2A", 2026)
    assert receipt["received_at"] == desk.clock.now().isoformat()


async def test_a_filing_of_the_catalog_is_answered_to_the_catalog(desk: Desk) -> None:
    await desk.file(rule="F1", subject_kind="catalog_entry", reply_to="catalog")
    assert [row.topic for row in await desk.sent()] == [f"catalog-mail.{COUNTY}.v1"]


async def test_no_number_is_given_twice(desk: Desk) -> None:
    for _ in range(5):
        await desk.file()
    numbers = [
        each["filing_no"] for each in payloads(await desk.sent(), "yiwang.filing.received.v1")
    ]
    assert len(set(numbers)) == 5


async def test_a_filing_that_is_here_already_stays_as_it_is(desk: Desk) -> None:
    filing_id = await desk.file()
    await desk.file(filing_id, summary="另一内容")
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    body = (await reviewer.get(f"{FILINGS}/{filing_id}")).json()
    assert body["summary"] == "核对救助对象住址"
    assert len(await desk.sent()) == 1


async def test_a_reviewer_records_a_filing_and_its_filer_is_told(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer", organisation="org-da", subject="li")
    answer = await reviewer.post(f"{FILINGS}/{filing_id}/record")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["state"], body["recorded_by"], body["open_acts"]) == ("recorded", "li", [])
    assert [step["act"] for step in body["steps"]] == ["receive", "record"]
    (told,) = payloads(await desk.sent(), "yiwang.filing.recorded.v1")
    assert (told["filing_id"], told["filing_no"]) == (filing_id, body["filing_no"])


async def test_a_filing_is_recorded_once(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    await reviewer.post(f"{FILINGS}/{filing_id}/record")
    again = await reviewer.post(f"{FILINGS}/{filing_id}/record")
    assert again.status_code == 409
    assert again.json()["type"] == "urn:yiwang:problem:filing-move-not-open"
    assert len(payloads(await desk.sent(), "yiwang.filing.recorded.v1")) == 1


async def test_a_repeated_command_gets_the_first_answer(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    first = await reviewer.post(f"{FILINGS}/{filing_id}/record", key="k-1")
    second = await reviewer.post(f"{FILINGS}/{filing_id}/record", key="k-1")
    assert (second.status_code, second.json()) == (200, first.json())


async def test_a_return_needs_a_reason(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    for body in ({"reason": "   "}, {"reason": ""}, {}):
        answer = await reviewer.post(f"{FILINGS}/{filing_id}/return", body)
        assert answer.status_code == 422
    assert len(await desk.sent()) == 1


async def test_a_returned_filing_comes_back_completed_under_its_number(desk: Desk) -> None:
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    await reviewer.post(f"{FILINGS}/{filing_id}/return", {"reason": "缺少法律依据"})
    desk.clock.advance(days=1)
    await desk.complete(filing_id)
    body = (await reviewer.get(f"{FILINGS}/{filing_id}")).json()
    assert (body["state"], body["round"], body["summary"]) == ("received", 2, "补充法律依据")
    sent = await desk.sent()
    receipts = payloads(sent, "yiwang.filing.received.v1")
    assert receipts[0]["filing_no"] == receipts[1]["filing_no"] == body["filing_no"]
    (returned,) = payloads(sent, "yiwang.filing.returned.v1")
    assert returned["reason"] == "缺少法律依据"
    assert (await reviewer.post(f"{FILINGS}/{filing_id}/record")).status_code == 200


async def test_a_completion_before_its_filing_waits(desk: Desk) -> None:
    with pytest.raises(NotYet):
        await desk.complete("f-unknown")


async def test_a_completion_by_another_node_is_refused_for_good(desk: Desk) -> None:
    filing_id = await desk.file()
    with pytest.raises(Poison):
        await desk.complete(filing_id, source_node="441581")


async def test_a_filing_for_another_desk_is_refused_for_good(desk: Desk) -> None:
    with pytest.raises(Poison):
        await desk.file(receiver_node="441581")
    assert await desk.sent() == []


async def test_a_rule_that_no_number_can_carry_is_refused_for_good(desk: Desk) -> None:
    with pytest.raises(Poison):
        await desk.file(rule="F2a-990000")
    assert await desk.sent() == []


async def test_a_neighbour_county_cannot_file_here(desk: Desk) -> None:
    neighbour = OrganisationRef(org_id="org-lf", name="陆丰市民政局", node="441581")
    with pytest.raises(Poison):
        await desk.file(filer=neighbour)
    assert await desk.sent() == []


async def test_a_county_files_with_the_city(city: Desk) -> None:
    await city.file(rule="F2b", receiver_level="upper", receiver_node=CITY)
    assert [row.topic for row in await city.sent()] == [f"sharing.{COUNTY}.v1"]


async def test_a_filing_for_the_province_keeps_waiting_until_its_number_is_entered(
    city: Desk,
) -> None:
    filing_id = await city.file(filer=CITY_AGENCY, **PROVINCE)
    clerk = city.person("authority_reviewer", organisation="org-da")
    assert (await clerk.post(f"{FILINGS}/{filing_id}/record")).status_code == 409
    empty = await clerk.post(f"{FILINGS}/{filing_id}/external-number", {"external_no": " "})
    assert empty.status_code == 422
    answer = await clerk.post(
        f"{FILINGS}/{filing_id}/external-number", {"external_no": "粤数备〔2026〕7号"}
    )
    assert (answer.json()["state"], answer.json()["external_no"]) == (
        "recorded",
        "粤数备〔2026〕7号",
    )
    (told,) = payloads(await city.sent(), "yiwang.filing.recorded.v1")
    assert told["external_no"] == "粤数备〔2026〕7号"


async def test_an_external_filing_of_another_node_does_not_come_to_this_desk(city: Desk) -> None:
    with pytest.raises(Poison):
        await city.file(**PROVINCE)


async def test_the_document_for_the_province_prints_with_its_digest(city: Desk) -> None:
    filing_id = await city.file(filer=CITY_AGENCY, summary="<b>核对</b>", **PROVINCE)
    clerk = city.person("authority_reviewer", organisation="org-da")
    page = await clerk.get(f"{FILINGS}/{filing_id}/document")
    text = await clerk.get(f"{FILINGS}/{filing_id}/document", format="text")
    assert page.headers["content-type"].startswith("text/html")
    assert "省" in text.text
    assert "&lt;b&gt;核对&lt;/b&gt;" in page.text
    assert page.headers["etag"] == text.headers["etag"]
    assert text.headers["etag"].strip('"') in page.text


async def test_the_document_for_the_province_is_signed_by_the_node(
    city: Desk, node_files: NodeFiles
) -> None:
    filing_id = await city.file(filer=CITY_AGENCY, **PROVINCE)
    key = node_files.keys[CITY]
    assert await sign_waiting(city.runtime.database, key) == 1
    clerk = city.person("authority_reviewer")
    text = await clerk.get(f"{FILINGS}/{filing_id}/document", format="text")
    page = await clerk.get(f"{FILINGS}/{filing_id}/document")
    signature = text.headers["document-signature"]
    assert signature in page.text
    keyring = Keyring(city.runtime.registry)
    assert keyring.verify_bytes(
        text.headers["document-key"], from_base64url(signature), text.content
    )
    changed = text.content.replace("核对".encode(), "变更".encode())
    assert not keyring.verify_bytes(key.id, from_base64url(signature), changed)


async def test_an_agency_sees_what_it_filed_and_nothing_else(desk: Desk) -> None:
    own = await desk.file()
    other = await desk.file(filer=LAND)
    clerk = desk.person("agency_clerk", organisation=CIVIL_AFFAIRS.org_id)
    listed = (await clerk.get(FILINGS)).json()["items"]
    assert [each["filing_id"] for each in listed] == [own]
    assert (await clerk.get(FILINGS, filer_org=LAND.org_id)).json()["items"] == []
    assert (await clerk.get(f"{FILINGS}/{other}")).status_code == 404
    assert (await clerk.get(f"{FILINGS}/{other}/document")).status_code == 404
    assert (await clerk.post(f"{FILINGS}/{own}/record")).status_code == 403


async def test_nobody_records_what_he_submitted(desk: Desk) -> None:
    filing_id = await desk.file(submitted_by="wang")
    wang = desk.person("authority_reviewer", organisation="org-da", subject="wang")
    answer = await wang.post(f"{FILINGS}/{filing_id}/record")
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:yiwang:problem:separation-of-duties"


async def test_the_list_pages_through_every_filing_once(desk: Desk) -> None:
    filed = []
    for _ in range(7):
        desk.clock.advance(minutes=1)
        filed.append(await desk.file())
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        body = (await reviewer.get(FILINGS, **query)).json()
        seen += [each["filing_id"] for each in body["items"]]
        if body["next"] is None:
            break
        query["cursor"] = body["next"]
    assert seen == filed[::-1]


async def test_the_subjects_state_is_shown_also_when_it_came_before_the_filing(
    desk: Desk,
) -> None:
    status = RequestStatus(
        request_id="r-1", request_no="R-1", state="replied", filing_id="f-9", at="2026-01-12"
    )
    await desk.deliver(status, "yiwang.sharing.request.status.v1", key="r-1")
    stranger = status.model_copy(update={"state": "forged"})
    await desk.deliver(
        stranger, "yiwang.sharing.request.status.v1", source_node="441581", key="r-1"
    )
    await desk.file("f-9")
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    body = (await reviewer.get(f"{FILINGS}/f-9")).json()
    assert body["subject_status"]["state"] == "replied"
    assert body["state"] == "received"


async def test_an_older_copy_of_the_state_does_not_replace_a_newer_one(desk: Desk) -> None:
    await desk.file("f-9")
    for state in ("received_by_source", "replied", "delivered"):
        status = RequestStatus(
            request_id="r-1", request_no="R-1", state=state, filing_id="f-9", at="2026-01-12"
        )
        await desk.deliver(status, "yiwang.sharing.request.status.v1", key="r-1")
    desk.versions["r-1"] = 0
    old = RequestStatus(
        request_id="r-1", request_no="R-1", state="dispatched", filing_id="f-9", at="2026-01-11"
    )
    await desk.deliver(old, "yiwang.sharing.request.status.v1", key="r-1")
    reviewer = desk.person("authority_reviewer", organisation="org-da")
    assert (await reviewer.get(f"{FILINGS}/f-9")).json()["subject_status"]["state"] == "delivered"


async def test_numbers_go_on_beyond_what_a_restored_desk_has_given(desk: Desk) -> None:
    from notify.filings import numbering, repository  # noqa: PLC0415

    await desk.file()
    async with desk.runtime.database.transaction() as tx:
        await repository.raise_serial(tx.connection, 41)
    await numbering.reseed(desk.runtime)
    await desk.file()
    numbers = [
        parse_filing_number(each["filing_no"]).serial
        for each in payloads(await desk.sent(), "yiwang.filing.received.v1")
    ]
    assert numbers == [1, 42]


def test_the_story_of_a_filing_is_a_valid_payload() -> None:
    assert submitted("f-1").reply_to == "sharing"
