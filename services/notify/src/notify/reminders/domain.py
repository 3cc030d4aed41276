"""When a running deadline speaks, and to whom.

The bound organisation is reminded on given working days and told when the deadline has passed;
then its own-level authority and after that its own-level government office hear of it
(Article 6 (六), domain correction 11).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from notify.clocks.domain import Dates

Kind = Literal["reminder", "overdue", "escalation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """One rung: whose desk (a party of the authority matrix), how many working days overdue."""

    to: str
    after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that is due to be said about a clock on a day.

    ``mark`` is unique per clock, so that a step is taken once, whoever repeats the job. What
    follows from a date carries the date: a deadline that was extended may pass again.
    """

    mark: str
    kind: Kind
    on: date
    to: str


def plan(
    dates: Dates,
    starts_on: date,
    *,
    reminder_days: Sequence[int],
    soon_days: int,
    ladder: Sequence[EscalationStep],
    workday_after: Callable[[date, int], date],
) -> tuple[Step, ...]:
    """Return every step of a clock in order of its day.

    ``workday_after(day, n)`` is the n-th working day after ``day``. Reminders never fall after the
    date that warns (pessimistic past the horizon); where the rule set's days lie too early for a
    long deadline, one more falls ``soon_days`` working days before its end. A provisional date has
    no overdue step and no escalation: they appear when the schedule is activated.
    """
    days = {
        f"reminder:{day}": min(workday_after(starts_on, day), dates.warn_on)
        for day in reminder_days
    }
    eve = _eve(dates.warn_on, soon_days, workday_after)
    if all(on < eve for on in days.values()):
        days["reminder:due_soon"] = max(eve, starts_on)
    steps = [Step(mark=mark, kind="reminder", on=on, to="bound_party") for mark, on in days.items()]
    late = () if dates.provisional else _when_late(dates, ladder, workday_after)
    return tuple(sorted([*steps, *late], key=lambda step: step.on))


def _when_late(
    dates: Dates, ladder: Sequence[EscalationStep], workday_after: Callable[[date, int], date]
) -> tuple[Step, ...]:
    """Return the overdue notice and each rung of the ladder, from the day after the end."""
    end, first = dates.counts_on, _day_after(dates.counts_on)
    overdue = Step(mark=f"overdue:{end}", kind="overdue", on=first, to="bound_party")
    rungs = (
        Step(
            mark=f"escalation:{rung.to}:{end}",
            kind="escalation",
            on=max(first, workday_after(end, rung.after_days)),
            to=rung.to,
        )
        for rung in ladder
    )
    return (overdue, *rungs)


def _day_after(day: date) -> date:
    return day + timedelta(days=1)


def _eve(end: date, soon_days: int, workday_after: Callable[[date, int], date]) -> date:
    """Return the first day from which ``end`` is ``soon_days`` working days away."""
    eve = end
    while workday_after(eve - timedelta(days=1), soon_days) >= end:
        eve -= timedelta(days=1)
    return eve


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do with a clock now: marks to set, steps to speak, and when to look again."""

    marks: tuple[Step, ...]
    spoken: tuple[Step, ...]
    next_on: date | None


def take_turn(steps: Sequence[Step], done: Collection[str], today: date) -> Turn:
    """Return the turn of a clock on ``today``, given the marks already ``done``.

    After a downtime a reminder whose successor is due as well is marked without being spoken:
    nobody is reminded of what has already passed. Escalations are always spoken.
    """
    fresh = [step for step in steps if step.mark not in done]
    due = [step for step in fresh if step.on <= today]
    later = [step for step in fresh if step.on > today]
    reminders = [step for step in due if step.kind == "reminder"]
    passed = any(step.kind == "overdue" for step in steps if step.on <= today)
    spoken_reminders = [] if passed else reminders[-1:]
    spoken = [step for step in due if step.kind != "reminder" or step in spoken_reminders]
    return Turn(
        marks=tuple(due),
        spoken=tuple(spoken),
        next_on=min((step.on for step in later), default=None),
    )
