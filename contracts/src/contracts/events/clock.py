"""Events of running deadlines, sent to the node's own desk, and digests sent to the city."""

from typing import Literal

from contracts.events.base import DueDate, OrganisationRef, Payload


class ClockStarted(Payload):
    """A deadline has begun to run; ``clock_id`` is stable per case, rule and round."""

    clock_id: str
    case_kind: Literal["share_request", "catalog_entry", "filing"]
    case_id: str
    case_no: str
    title: str
    due: DueDate
    bound: OrganisationRef
    escalate_to: str
    started_at: str


class ClockEnded(Payload):
    """The deadline's end event has happened."""

    clock_id: str
    case_id: str
    ended_at: str
    end_event: str
    on_time: bool


class DigestLine(Payload):
    """One rule's figures in a digest."""

    rule: str
    open: int
    due_soon: int
    overdue: int
    ended_on_time: int
    ended_late: int


class ClockDigest(Payload):
    """A county's signed figures of its running deadlines, for the city (Article 6 (六))."""

    node: str
    as_of: str
    lines: tuple[DigestLine, ...]
    overdue_cases: tuple[str, ...] = ()


class Notice(Payload):
    """A message for an inbox: to a role of an organisation or to one person."""

    notice_id: str
    org_id: str
    role: str | None = None
    subject: str | None = None
    title_zh: str
    title_en: str
    case_kind: str
    case_id: str
    case_no: str = ""
    link: str = ""
    at: str
