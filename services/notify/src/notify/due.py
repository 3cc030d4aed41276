"""A due date from a rule and the calendar in force."""

from datetime import datetime

from contracts.calendar import Calendar, civil_date
from contracts.events.base import DueDate
from contracts.rules import RuleSet, UnknownRuleError


def due_date(
    rules: RuleSet, rule: str, started_at: datetime, *, calendar: Calendar
) -> DueDate | None:
    """Return the due date of a rule that starts at an instant; None when it is switched off."""
    try:
        deadline = rules.deadline(rule)
    except UnknownRuleError:
        return None
    if not deadline.enabled:
        return None
    starts_on = civil_date(started_at)
    due = calendar.due(starts_on, deadline.length)
    return DueDate(
        rule=deadline.name,
        rule_version=rules.version,
        kind=deadline.kind,
        article=deadline.citation,
        start_event=deadline.start_event,
        start_basis=deadline.start_basis,
        starts_on=starts_on.isoformat(),
        length=deadline.length,
        unit=deadline.unit,
        due_on=due.due_on.isoformat(),
        remind_on=due.remind_on.isoformat(),
        provisional=due.provisional,
        calendar_version=calendar.version,
    )
