"""Composes a due date from rules and calendar: the one place where the two meet."""

from datetime import date, datetime

from contracts.calendar import Calendar, Due, civil_date
from contracts.events.base import DueDate
from contracts.rules import Deadline, RuleSet


def due_date(
    rules: RuleSet,
    rule: str,
    *,
    start: datetime | date,
    calendar: Calendar,
    length: int | None = None,
) -> DueDate:
    """Return when ``rule`` (``share.reply``) runs out that starts at an instant or civil date.

    Day 0 is the civil date of the start in Asia/Shanghai. ``length`` replaces the rule's own where
    policy has stopped a clock. Raises ``UnknownRuleError`` or ``CalendarRangeError``.
    """
    deadline = rules.deadline(rule)
    starts_on = civil_date(start) if isinstance(start, datetime) else start
    days = deadline.length if length is None else length
    return compose(
        deadline,
        rule_version=rules.version,
        starts_on=starts_on,
        length=days,
        due=calendar.due(starts_on, days),
        calendar_version=calendar.version,
    )


def compose(
    deadline: Deadline,
    *,
    rule_version: str,
    starts_on: date,
    length: int,
    due: Due,
    calendar_version: str,
) -> DueDate:
    """Return the record of a due date as events and tables keep it."""
    return DueDate(
        rule=deadline.name,
        rule_version=rule_version,
        kind=deadline.kind,
        article=deadline.citation,
        start_event=deadline.start_event,
        start_basis=deadline.start_basis,
        starts_on=starts_on.isoformat(),
        length=length,
        unit=deadline.unit,
        due_on=due.due_on.isoformat(),
        remind_on=due.remind_on.isoformat(),
        provisional=due.provisional,
        calendar_version=calendar_version,
    )


def start_citation(deadline: Deadline) -> str:
    """Return the article that may be cited for the start; empty unless it stands in the text."""
    return deadline.citation if deadline.start_basis == "text" else ""


def ended_in_time(due: DueDate, ended_at: datetime) -> bool:
    """Tell whether an end event fell on or before the due date, by its civil date."""
    return civil_date(ended_at).isoformat() <= due.due_on
