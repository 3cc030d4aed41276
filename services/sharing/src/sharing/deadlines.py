"""Due dates from the rules and the city's calendar, and the clock events made of them."""

from datetime import datetime
from typing import Literal

from contracts.calendar import Calendar, civil_date
from contracts.events.base import DueDate, OrganisationRef
from contracts.events.clock import ClockEnded, ClockStarted
from contracts.rules import RuleSet
from sharing.instants import to_text

CaseKind = Literal["share_request", "catalog_entry", "filing"]


def due_date(rule: str, start: datetime, *, rules: RuleSet, calendar: Calendar) -> DueDate:
    """Return when the deadline ``rule`` (``share.reply``) runs out that starts at ``start``.

    The day of the start is not counted; the period ends with its last working day.
    """
    deadline = rules.deadline(rule)
    day = civil_date(start)
    due = calendar.due(day, deadline.length)
    return DueDate(
        rule=deadline.name,
        rule_version=rules.version,
        kind=deadline.kind,
        article=deadline.citation,
        start_event=deadline.start_event,
        start_basis=deadline.start_basis,
        starts_on=day.isoformat(),
        length=deadline.length,
        unit=deadline.unit,
        due_on=due.due_on.isoformat(),
        remind_on=due.remind_on.isoformat(),
        provisional=due.provisional,
        calendar_version=calendar.version,
    )


def clock_id(case_id: str, rule: str, round_: int) -> str:
    """Return the stable name of one run of one deadline of one case."""
    return f"{case_id}:{rule}:{round_}"


def started(
    due: DueDate,
    *,
    case_id: str,
    case_no: str,
    title: str,
    bound: OrganisationRef,
    at: datetime,
    rules: RuleSet,
    round_: int = 1,
) -> ClockStarted:
    """Return the event that a share request's deadline has begun to run."""
    return ClockStarted(
        clock_id=clock_id(case_id, due.rule, round_),
        case_kind="share_request",
        case_id=case_id,
        case_no=case_no,
        title=title,
        due=due,
        bound=bound,
        escalate_to=rules.deadline(due.rule).escalate_to,
        started_at=to_text(at),
    )


def ended(
    due: DueDate, *, case_id: str, at: datetime, end_event: str, round_: int = 1
) -> ClockEnded:
    """Return the event that the deadline has ended; its last day counts in full."""
    return ClockEnded(
        clock_id=clock_id(case_id, due.rule, round_),
        case_id=case_id,
        ended_at=to_text(at),
        end_event=end_event,
        on_time=civil_date(at).isoformat() <= due.due_on,
    )
