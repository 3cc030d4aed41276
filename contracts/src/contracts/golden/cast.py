"""Who and what occurs in the examples."""

from dataclasses import dataclass
from datetime import date

from contracts.calendar import packaged_calendar
from contracts.deadlines import due_date
from contracts.events.base import Basis, DueDate, OrganisationRef, Payload
from contracts.rules import packaged_rules

ENTRY_ID = "019a7b00-0000-7000-8000-000000000101"
REQUEST_ID = "019a7b00-0000-7000-8000-000000000201"
GRANT_ID = "019a7b00-0000-7000-8000-000000000301"
FILING_ID = "019a7b00-0000-7000-8000-000000000401"
EVENT_ID = "019a7b00-0000-7000-8000-000000000501"
RESOURCE_CODE = "307044441521001/000001"
REQUEST_NO = "R441581-20260213-7K3M9Q2A3"
FILING_NO = "BA441500-F2B-2026-000123"
RECEIVED_ON = date(2026, 2, 13)
MORNING = "2026-02-13T01:30:00Z"
NOON = "2026-02-13T04:00:00Z"
AFTERNOON = "2026-02-13T07:15:00Z"
REPLY = "2026-02-25T02:00:00Z"
DIGEST = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"

SOURCE = OrganisationRef(
    org_id="441521-zrzy", name="海丰县自然资源局", node="441521", uscc="11441521MB2C010241"
)
REQUESTER = OrganisationRef(
    org_id="441581-mzj", name="陆丰市民政局", node="441581", uscc="11441581MB2C020359"
)
FUNCTION_BASIS = Basis(
    level="administrative_regulation",
    title="政务数据共享条例",
    number="国务院令第809号",
    issuer="国务院",
    article="第十二条",
    text="依法履行职责所需",
    document=DIGEST,
)
REFUSAL_BASIS = Basis(
    level="law",
    title="中华人民共和国个人信息保护法",
    number="主席令第九十一号",
    issuer="全国人民代表大会常务委员会",
    article="第十三条",
    text="",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One example: the payload and where on the bus it stands."""

    type: str
    payload: Payload
    topic: str
    key: str
    source: str
    case_version: int = 1


def due(rule: str, starts_on: date = RECEIVED_ON) -> DueDate:
    """Return a due date of the packaged rules on the packaged calendar."""
    return due_date(packaged_rules().current, rule, start=starts_on, calendar=packaged_calendar())
