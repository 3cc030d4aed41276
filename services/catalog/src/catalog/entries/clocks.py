"""Deadlines of an entry: D1 for the agency's update, D2 for the authority's review (Article 12).

The catalogue announces when a deadline starts and when it ends; the node's clock table keeps it.
D1 ends with the submission and runs on from its old start when the submission comes back. D2
(and its policy twin for a first compilation, which no article states) ends when an edition that
lists the version is published, or when the submission is returned or recalled.
"""

from dataclasses import replace
from datetime import date, datetime

from catalog.desk import Desk
from catalog.entries.domain import RunningClock
from catalog.entries.records import REVIEW, UPDATE, Entry
from contracts.deadlines import due_date, ended_in_time
from contracts.events.base import OrganisationRef, Payload
from contracts.events.clock import ClockEnded, ClockStarted
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent

UPDATE_RULE = "catalog.update"
REVIEW_RULE = "catalog.review"
FIRST_REVIEW_RULE = "catalog.review.first"


def start_review(
    entry: Entry, authority: OrganisationRef, desk: Desk
) -> tuple[Entry, OutgoingEvent]:
    """Start the review's deadline of this round; Article 12 states one for updates only."""
    rule = REVIEW_RULE if entry.version else FIRST_REVIEW_RULE
    return _start(entry, REVIEW, rule, start=desk.now, bound=authority, desk=desk)


def start_update(
    entry: Entry, effective: date, agency: OrganisationRef, desk: Desk
) -> tuple[Entry, OutgoingEvent]:
    """Start the agency's deadline at the effective date of the change of law or function."""
    return _start(entry, UPDATE, UPDATE_RULE, start=effective, bound=agency, desk=desk)


def end(entry: Entry, name: str, *, event: str, desk: Desk) -> tuple[Entry, list[OutgoingEvent]]:
    """End a running deadline; nothing happens when none runs."""
    clock = entry.clock(name)
    if clock is None or not clock.running:
        return entry, []
    payload = ClockEnded(
        clock_id=clock.clock_id,
        case_id=entry.entry_id,
        ended_at=desk.stamp,
        end_event=event,
        on_time=ended_in_time(clock.due, desk.now),
    )
    stopped = entry.with_clock(name, replace(clock, running=False))
    stopped, outgoing = _event(stopped, "yiwang.clock.ended.v1", payload, desk)
    return stopped, [outgoing]


def run_on(entry: Entry, agency: OrganisationRef, desk: Desk) -> tuple[Entry, list[OutgoingEvent]]:
    """Let D1 run on from its old start when what it ended with has come back."""
    clock = entry.clock(UPDATE)
    if clock is None or clock.running:
        return entry, []
    running = replace(clock, running=True)
    again, outgoing = _announce(entry, UPDATE, running, bound=agency, desk=desk)
    return again, [outgoing]


def _start(
    entry: Entry,
    name: str,
    rule: str,
    *,
    start: datetime | date,
    bound: OrganisationRef,
    desk: Desk,
) -> tuple[Entry, OutgoingEvent]:
    rules = desk.rules_of(entry.rule_version)
    due = due_date(rules, rule, start=start, calendar=desk.calendar)
    # one round of D1 for each trigger, one of D2 for each submission
    number = entry.round if name == REVIEW else entry.version
    clock = RunningClock(clock_id=f"{entry.entry_id}:{rule}:{number}", due=due, bound=bound.org_id)
    return _announce(entry, name, clock, bound=bound, desk=desk)


def _announce(
    entry: Entry, name: str, clock: RunningClock, *, bound: OrganisationRef, desk: Desk
) -> tuple[Entry, OutgoingEvent]:
    rules = desk.rules_of(clock.due.rule_version)
    payload = ClockStarted(
        clock_id=clock.clock_id,
        case_kind="catalog_entry",
        case_id=entry.entry_id,
        case_no=entry.resource_code or "",
        title=entry.title,
        due=clock.due,
        bound=bound,
        escalate_to=rules.deadline(clock.due.rule).escalate_to,
        started_at=desk.stamp,
    )
    return _event(entry.with_clock(name, clock), "yiwang.clock.started.v1", payload, desk)


def _event(
    entry: Entry, event_type: str, payload: Payload, desk: Desk
) -> tuple[Entry, OutgoingEvent]:
    counted = replace(entry, emitted=entry.emitted + 1)
    outgoing = OutgoingEvent(
        type=event_type,
        topic=topic_name("filings", desk.node),
        key=entry.entry_id,
        case_version=counted.emitted,
        subject=entry.entry_id,
        payload=payload,
        destination=desk.node,
    )
    return counted, outgoing
