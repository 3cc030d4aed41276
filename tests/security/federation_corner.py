"""What a node hears from others: a county's entry, and answers that were not its to give."""

from typing import Any

from contracts.events.base import OrganisationRef, Payload
from contracts.events.catalog import AgencyState, EntryState, Item
from contracts.events.filing import FilingRecorded, FilingSubmitted
from tests.security.cast import Walk
from tests.security.whole_node import NODE, until

LUFENG = "441581"
LAND = OrganisationRef(org_id="441581-zr", name="陆丰市自然资源局", node=LUFENG)
ENTRY = "019a7b00-0000-7000-8000-00000000aa01"
AT = "2026-01-12T01:30:00Z"


def neighbour(made: Walk) -> None:
    """Lufeng publishes an entry that is asked for; it also sends what it must not."""
    hear(made, _agency(), "yiwang.catalog.agency.announced.v1", "agencies", LAND.org_id)
    hear(made, _entry(), "yiwang.catalog.entry.published.v1", "catalog", ENTRY)
    filed = _ask(made)
    _dead_letters(made, filed)


def hear(made: Walk, payload: Payload, kind: str, family: str, key: str) -> None:
    """Hand a broadcast of Lufeng's catalog to every service that reads it."""
    source = made.source(LUFENG, "catalog")
    topic = f"{family}.{LUFENG}.v1"
    record = source.send(payload, key=key, type=kind, topic=topic, destination="*")
    for service in ("catalog", "sharing", *(("notify",) if family == "agencies" else ())):
        answer = made.node.deliver(service, record)
        assert answer.status_code == 200, answer.text


def _agency() -> AgencyState:
    return AgencyState(
        org_id=LAND.org_id,
        node=LUFENG,
        region_code=LUFENG,
        name=LAND.name,
        kind="administrative_organ",
        level="county",
        record_version=1,
    )


def _entry() -> EntryState:
    return EntryState(
        entry_id=ENTRY,
        resource_code="307044441581001/000001",
        node=LUFENG,
        region_code=LUFENG,
        state="published",
        version=1,
        record_version=1,
        title="镇街行政区划信息",
        abstract="镇街代码与名称",
        data_form="table",
        collecting_org=LAND,
        verifying_org=LAND,
        providing_org=LAND,
        share_type="conditional",
        share_condition="用于防汛",
        share_scope="all_agencies",
        share_channel=("api", "file"),
        open_attr="open",
        update_frequency="yearly",
        items=(Item(name_cn="代码", name_en="code", data_type="C", length=12),),
        published_at=AT,
        changed_at=AT,
    )


def _ask(made: Walk) -> dict[str, Any]:
    """A request to a county is filed with the own authority and, outside, with the province's."""
    asker, reviewer = made.who("asker"), made.who("reviewer")
    body = made.submission(ENTRY, items=["code"], purpose="登记防汛责任区")

    def accepted() -> Any:
        return asker.post("/sharing/v1/requests", body)

    filings = {each["rule"]: each for each in until(accepted)["filings"]}
    _complete(asker, reviewer, filings["F2a"]["filing_id"])
    outside = f"/notify/v1/filings/{filings['F2b']['filing_id']}"
    until(lambda: reviewer.get(outside)["state"] == "awaiting_external_receipt")
    reviewer.post(f"{outside}/external-number", {"external_no": "粤数备〔2026〕示例号"})
    found: dict[str, Any] = filings["F2a"]
    return found


def _complete(asker: Any, reviewer: Any, filing_id: str) -> None:
    """The filing is returned, and completed by its filer."""
    mine, desk = (f"/{service}/v1/filings/{filing_id}" for service in ("sharing", "notify"))
    until(lambda: reviewer.get(desk)["state"] == "received")
    reviewer.post(f"{desk}/return", {"reason": "请补充用途"})
    until(lambda: asker.get(mine)["state"] == "returned")
    asker.post(f"{mine}/complete", {"summary": "补充用途说明"})
    until(lambda: reviewer.get(desk)["state"] == "received")


def _dead_letters(made: Walk, filed: dict[str, Any]) -> None:
    """Two authentic events for each service that it can never apply."""
    for number in range(2):
        stranger = FilingSubmitted(
            filing_id=f"019a7b00-0000-7000-8000-0000000000f{number}",
            rule="F2a",
            article="第二十条第二款",
            filer=LAND,
            receiver_node="441521",
            receiver_level="same",
            subject_kind="share_request",
            subject_id="r-1",
            subject_no="R-1",
            subject_title="他县事项",
            summary="",
            submitted_by="u-1",
            submitted_at=AT,
            rule_version="shanwei-2025-draft",
            reply_to="sharing",
        )
        _send(made, "notify", stranger, "yiwang.filing.submitted.v1", "filings")
    for service, family, filing_id in (
        ("sharing", "sharing", filed["filing_id"]),
        ("catalog", "catalog-mail", made.known["filing_id"]),
    ):
        answer = FilingRecorded(
            filing_id=filing_id,
            filing_no="BA441581-F2A-2026-000001",
            recorded_by="u-1",
            recorded_at=AT,
        )
        _send(made, service, answer, "yiwang.filing.recorded.v1", family)


def _send(made: Walk, service: str, payload: Any, kind: str, family: str) -> None:
    source = made.source(LUFENG, "notify")
    record = source.send(
        payload,
        key=payload.filing_id,
        type=kind,
        topic=f"{family}.{NODE}.v1",
        destination=NODE,
    )
    assert made.node.deliver(service, record).status_code == 200
