"""Clock events of a share request, made of the rules' due dates."""

from datetime import datetime

from contracts.deadlines import ended_in_time
from contracts.events.base import DueDate, OrganisationRef
from contracts.events.clock import ClockEnded, ClockStarted
from contracts.rules import RuleSet
from sharing.instants import to_text


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
        on_time=ended_in_time(due, at),
    )
