"""Starts and ends of the source's deadlines D3, D4 and of the policy bound of automatic grants."""

from dataclasses import replace
from datetime import date, datetime

from contracts.calendar import civil_date
from contracts.deadlines import due_date
from contracts.events.base import DueDate
from contracts.rules import Deadline, RuleSet
from kernel.ports import Outgoing
from sharing import deadlines
from sharing.context import NodeContext
from sharing.requests import events
from sharing.requests.domain import ShareRequest

REPLY = "share.reply"
DELIVER = "share.deliver"
GRANT = "share.unconditional.grant"


def start_of(request: ShareRequest, rules: RuleSet) -> datetime | None:
    """Return the instant that starts the first clock by the rules' ``receipt_event``.

    ``None`` while it is not known: only the requester knows when the receipt was back.
    """
    receipt = request.receipt
    instants = {
        "entered_platform": receipt.entered_at,
        "stored_by_source": receipt.stored_at,
        "receipt_back": receipt.returned_at,
    }
    return instants[rules.text("receipt_event")]


def first_rule(request: ShareRequest) -> str:
    """Return the deadline that the receipt of a request starts."""
    return GRANT if request.kind == "unconditional" else REPLY


def expected(request: ShareRequest, *, rules: RuleSet, context: NodeContext) -> DueDate | None:
    """Return when the requester may expect the answer, by the receipt; the source's clock counts."""
    start, rule = start_of(request, rules), first_rule(request)
    if start is None or not rules.deadline(rule).enabled:
        return None
    return due_date(rules, rule, start=start, calendar=context.calendar)


async def start_first(
    tx: Outgoing, request: ShareRequest, *, rules: RuleSet, context: NodeContext
) -> ShareRequest:
    """Start D3 (or the policy bound of an automatic grant), once its start is known."""
    start = start_of(request, rules)
    due = expected(request, rules=rules, context=context)
    if start is None or due is None or request.reply_due is not None:
        return request
    request = replace(request, reply_due=due)
    return await _start(tx, request, due, start, rules, round_=request.clock_round)


async def start_delivery(
    tx: Outgoing, request: ShareRequest, *, at: datetime, rules: RuleSet, context: NodeContext
) -> ShareRequest:
    """Start D4 on the day of the agreeing reply."""
    due = due_date(rules, DELIVER, start=at, calendar=context.calendar)
    request = replace(request, deliver_due=due)
    return await _start(tx, request, due, at, rules, round_=1)


async def _start(
    tx: Outgoing,
    request: ShareRequest,
    due: DueDate,
    at: datetime,
    rules: RuleSet,
    *,
    round_: int,
) -> ShareRequest:
    asked = request.asked
    event = deadlines.started(
        due,
        case_id=request.request_id,
        case_no=asked.request_no,
        title=asked.title,
        bound=asked.source,
        at=at,
        rules=rules,
        round_=round_,
    )
    return await events.to_own_desk(tx, request, event)


async def end_first(
    tx: Outgoing, request: ShareRequest, *, at: datetime, end_event: str, rules: RuleSet
) -> ShareRequest:
    """End the first clock when it runs."""
    if _paused(request, rules):
        return request
    return await _end_first(tx, request, at=at, end_event=end_event)


def _paused(request: ShareRequest, rules: RuleSet) -> bool:
    """Tell whether a supplement that waits for its answer has stopped the clock (policy)."""
    waiting = request.open_supplement
    stopped = waiting is not None and not waiting.waits
    return stopped and rules.flag("clock.supplement_stops")


async def _end_first(
    tx: Outgoing, request: ShareRequest, *, at: datetime, end_event: str
) -> ShareRequest:
    due = request.reply_due
    if due is None:
        return request
    event = deadlines.ended(
        due, case_id=request.request_id, at=at, end_event=end_event, round_=request.clock_round
    )
    return await events.to_own_desk(tx, request, event)


async def end_delivery(
    tx: Outgoing, request: ShareRequest, *, at: datetime, end_event: str
) -> ShareRequest:
    """End D4 when it runs: it has started and nothing has ended it yet."""
    due = request.deliver_due
    if due is None or request.proved_at is not None or request.ended_at is not None:
        return request
    event = deadlines.ended(due, case_id=request.request_id, at=at, end_event=end_event)
    return await events.to_own_desk(tx, request, event)


async def pause_first(
    tx: Outgoing, request: ShareRequest, *, at: datetime, rules: RuleSet
) -> ShareRequest:
    """Stop D3 for a supplement, only where the rules' policy says so; the text has no stop."""
    if not rules.flag("clock.supplement_stops") or request.reply_due is None:
        return request
    return await _end_first(tx, request, at=at, end_event="share.supplement.asked")


async def resume_first(
    tx: Outgoing, request: ShareRequest, *, at: datetime, rules: RuleSet, context: NodeContext
) -> ShareRequest:
    """Let a stopped D3 run on for the working days that were left, as a new round."""
    due = request.reply_due
    if not rules.flag("clock.supplement_stops") or due is None:
        return request
    rest = _rest(due, request, rules.deadline(due.rule), context)
    new = due_date(rules, due.rule, start=at, calendar=context.calendar, length=rest)
    round_ = request.clock_round + 1
    request = replace(request, reply_due=new, clock_round=round_)
    return await _start(tx, request, new, at, rules, round_=round_)


def _rest(due: DueDate, request: ShareRequest, deadline: Deadline, context: NodeContext) -> int:
    """Return the working days that were left when the supplement was asked for, at least one."""
    asked_at = request.supplements[-1].asked_at
    begun = date.fromisoformat(due.starts_on)
    used = context.calendar.working_days_between(begun, civil_date(asked_at))
    return max(1, min(due.length, deadline.length) - used)
