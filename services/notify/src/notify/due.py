"""A due date from a rule and the calendar in force."""

from datetime import datetime

from contracts import deadlines
from contracts.calendar import Calendar
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
    return deadlines.due_date(rules, rule, start=started_at, calendar=calendar)
