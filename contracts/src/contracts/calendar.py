"""Working days (工作日) from the city's signed table, and due dates computed on it.

Day 0 is the day of receipt; counting starts on the next working day and ends with the last one.
Past the table's horizon a due date is *provisional* (暂定): an estimate from statutory holidays, with
a pessimistic date for reminders. All dates are civil dates in Asia/Shanghai.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from functools import cache, cached_property
from typing import NamedTuple

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept UTC+8 without daylight saving since 1992, so no zone database is needed."""

OBSERVED = "_observed"
_DAY = timedelta(days=1)
_SATURDAY = 5
_MAKE_UP_REACH = 10
_MAKE_UP_FESTIVALS = frozenset({"spring_festival", "labour_day", "national_day"})


class CalendarRangeError(ValueError):
    """A day before the calendar's first one, or a length that is no positive number."""


class ProvisionalDueDateError(ValueError):
    """A certificate was asked for a due date that is only an estimate."""


class Due(NamedTuple):
    """A due date; ``remind_on`` equals ``due_on`` unless it is provisional, then never later."""

    due_on: date
    remind_on: date
    provisional: bool


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """One day as screens show it; ``known`` is false past the horizon."""

    day: date
    workday: bool
    name: str
    known: bool


@dataclass(frozen=True, kw_only=True)
class YearSource:
    """Where a year of the table comes from, and who put it in force."""

    year: int
    source: str
    prepared_by: str = ""
    confirmed_by: tuple[str, ...] = ()
    issued_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """A day that an order changed (a typhoon's closure), with the order's document number."""

    day: date
    workday: bool
    reason: str
    document: str


@dataclass(frozen=True)
class Calendar:
    """A version of the table.

    ``days`` tells for every day up to ``horizon`` whether it is a working day, ``names`` the
    festival of a day off or a make-up day. ``statutory`` lists holidays past the horizon that
    follow from the statutory rule alone; their names may end in ``_observed``.
    """

    version: str
    days: Mapping[date, bool]
    horizon: date
    names: Mapping[date, str] = field(default_factory=dict)
    statutory: Mapping[date, str] = field(default_factory=dict)
    years: tuple[YearSource, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    issuer: str = ""

    @cached_property
    def _working(self) -> tuple[int, ...]:
        return tuple(sorted(day.toordinal() for day, workday in self.days.items() if workday))

    @cached_property
    def first(self) -> date:
        """The first day that the table knows."""
        return min(self.days)

    @cached_property
    def _maybe_made_up(self) -> frozenset[date]:
        festivals = (
            day
            for day, name in self.statutory.items()
            if name.removesuffix(OBSERVED) in _MAKE_UP_FESTIVALS
        )
        reach = range(-_MAKE_UP_REACH, _MAKE_UP_REACH + 1)
        return frozenset(day + timedelta(days=offset) for day in festivals for offset in reach)

    def _require(self, day: date) -> None:
        if day < self.first:
            raise CalendarRangeError(f"calendar {self.version} begins on {self.first}")

    def knows(self, day: date) -> bool:
        """Tell whether the table, not an estimate, answers for the day."""
        return day in self.days

    def is_working_day(self, day: date) -> bool:
        """Tell whether the day is a working day; past the horizon this is an estimate."""
        self._require(day)
        if day in self.days:
            return self.days[day]
        return day.weekday() < _SATURDAY and day not in self.statutory

    def _pessimistic_working_day(self, day: date) -> bool:
        if self.is_working_day(day):
            return True
        return (
            day.weekday() >= _SATURDAY
            and day in self._maybe_made_up
            and (day not in self.statutory)
        )

    def day(self, day: date) -> CalendarDay:
        """Return one day as screens show it."""
        name = self.names.get(day) or self.statutory.get(day, "")
        known = self.knows(day)
        return CalendarDay(day=day, workday=self.is_working_day(day), name=name, known=known)

    def due(self, start: date, length: int) -> Due:
        """Return when ``length`` working days after day 0 ``start`` are over.

        Raises ``CalendarRangeError`` for a start before the table or a length below 1.
        """
        if length < 1:
            raise CalendarRangeError("a period has at least one working day")
        self._require(start)
        index = bisect_right(self._working, start.toordinal()) + length - 1
        if index < len(self._working):
            due_on = date.fromordinal(self._working[index])
            return Due(due_on, due_on, provisional=False)
        left = index - len(self._working) + 1
        begin = max(start, self.horizon)
        due_on = self._step(begin, left, pessimistic=False)
        return Due(due_on, self._step(begin, left, pessimistic=True), provisional=True)

    def _step(self, start: date, length: int, *, pessimistic: bool) -> date:
        counts = self._pessimistic_working_day if pessimistic else self.is_working_day
        day = start
        while length:
            day += _DAY
            length -= counts(day)
        return day

    def certain_due(self, start: date, length: int) -> date:
        """Return a due date fit for a certificate; raises ``ProvisionalDueDateError``."""
        due = self.due(start, length)
        if due.provisional:
            raise ProvisionalDueDateError(
                f"calendar {self.version} ends on {self.horizon}: the date is only an estimate"
            )
        return due.due_on

    def working_days_between(self, start: date, end: date) -> int:
        """Return the working days after ``start`` up to and with ``end``; negative backwards."""
        if end < start:
            return -self.working_days_between(end, start)
        self._require(start)
        known_end = min(end, self.horizon)
        known = bisect_right(self._working, known_end.toordinal()) - bisect_right(
            self._working, min(start, self.horizon).toordinal()
        )
        past = _span(max(start, self.horizon), end)
        return known + sum(self.is_working_day(day) for day in past)

    def next_working_day(self, day: date) -> date:
        """Return the first working day after ``day``."""
        return self.due(day, 1).due_on

    def missing_year(self, today: date, *, alarm_from: str) -> int | None:
        """Return next year when its schedule is missing after ``alarm_from`` (``"11-01"``)."""
        if f"{today:%m-%d}" < alarm_from or self.horizon >= date(today.year + 1, 12, 31):
            return None
        return today.year + 1


def _span(start: date, end: date) -> Iterator[date]:
    """Yield the days after ``start`` up to and with ``end``."""
    day = start
    while day < end:
        day += _DAY
        yield day


def civil_date(instant: datetime) -> date:
    """Return the civil date in Asia/Shanghai of an instant; raises for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(SHANGHAI).date()


class Recomputed(NamedTuple):
    """A due date after a new calendar came into force.

    ``official`` is what the new table says; ``counts`` is what decides about overdue: when the
    official date is earlier than what the party was told, the told date stays.
    """

    official: Due
    counts: date
    outcome: str


def recompute(told: Due, start: date, *, length: int, calendar: Calendar) -> Recomputed:
    """Recompute an open due date on a new calendar, protecting what the party relied on.

    ``outcome`` is ``unchanged``, ``confirmed`` (same day, no longer provisional), ``extended`` or
    ``kept``.
    """
    official = calendar.due(start, length)
    if official.due_on > told.due_on:
        return Recomputed(official, official.due_on, "extended")
    if official.due_on < told.due_on:
        return Recomputed(official, told.due_on, "kept")
    confirmed = told.provisional and not official.provisional
    return Recomputed(official, told.due_on, "confirmed" if confirmed else "unchanged")


def calendar_to_document(calendar: Calendar) -> dict[str, object]:
    """Return the calendar as the document that the city signs; see ``calendar_document``."""
    from contracts import calendar_document  # noqa: PLC0415 -- it builds on this module

    return calendar_document.to_document(calendar)


def from_document(document: Mapping[str, object]) -> Calendar:
    """Return the calendar that a document describes; see ``calendar_document``."""
    from contracts import calendar_document  # noqa: PLC0415 -- it builds on this module

    return calendar_document.from_document(document)


@cache
def packaged_calendar() -> Calendar:
    """Return the calendar that this distribution carries, so that no library is needed."""
    from contracts import calendar_document  # noqa: PLC0415 -- it builds on this module

    return calendar_document.read(calendar_document.packaged_path())
