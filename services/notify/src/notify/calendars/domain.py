"""A new version of the calendar from one whole year's schedule, or from an ordered exemption.

Days are never added one by one, so that no node computes with half a year.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pydantic import ValidationError

from contracts.calendar import OBSERVED
from contracts.calendar_document import CalendarDocument, ExemptionDocument, YearDocument

_VERSION = re.compile(r"^(?P<name>.+)-(?P<year>\d{4})\.(?P<serial>\d+)$")
_SATURDAY = 5


class ScheduleError(ValueError):
    """The schedule cannot be used; ``field`` is its path in the command."""

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.field = field
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A published schedule: days off and make-up working days with the festival of each."""

    year: int
    source: str
    issued_on: date | None
    off: Mapping[date, str]
    work: Mapping[date, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed: a year's schedule, exemptions, or both."""

    schedule: Schedule | None = None
    exemptions: Sequence[ExemptionDocument] = field(default_factory=tuple)


def propose(
    current: CalendarDocument, proposal: Proposal, *, taken: Sequence[str], by: str, issuer: str
) -> CalendarDocument:
    """Return the whole calendar with the proposal in it; raises ``ScheduleError``.

    ``taken`` are versions that were proposed before. The year follows the last one, or corrects
    it.
    """
    if proposal.schedule is None and not proposal.exemptions:
        raise ScheduleError(
            "schedule", "须导入年度安排或者例外日", "a year or an exemption is needed"
        )
    years, exemptions = list(current.years), list(current.exemptions)
    if proposal.schedule is not None:
        year = _year(current, proposal.schedule, by=by)
        years = [each for each in years if each.year != year.year] + [year]
    given = {each.day for each in proposal.exemptions}
    exemptions = [each for each in exemptions if each.day not in given]
    exemptions += proposal.exemptions
    last = years[-1].year
    _exemptions_are_inside(proposal.exemptions, last)
    return CalendarDocument(
        version=_next_version(current.version, last, taken),
        issuer=issuer,
        years=tuple(years),
        statutory={day: name for day, name in current.statutory.items() if day.year > last},
        exemptions=tuple(sorted(exemptions, key=lambda each: each.day)),
    )


def _year(current: CalendarDocument, schedule: Schedule, *, by: str) -> YearDocument:
    last = current.years[-1].year
    if schedule.year not in (last, last + 1):
        raise ScheduleError(
            "schedule.year",
            f"只能导入 {last + 1} 年或者更正 {last} 年",
            f"only {last + 1} can be imported, or {last} corrected",
        )
    missing = _missing_statutory(current, schedule)
    if missing:
        raise ScheduleError(
            "schedule.off",
            f"法定节假日 {missing[0]} 未列为休息日",
            f"the statutory holiday {missing[0]} is not listed as a day off",
        )
    try:
        return YearDocument(
            year=schedule.year, source=schedule.source, issued_on=schedule.issued_on,
            prepared_by=by, off=schedule.off, work=schedule.work,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ScheduleError("schedule", f"年度安排不一致：{message}", message) from None


def _missing_statutory(current: CalendarDocument, schedule: Schedule) -> list[date]:
    """Statutory holidays of the year that the schedule leaves as working days."""
    return [
        day
        for day, name in sorted(current.statutory.items())
        if day.year == schedule.year
        and not name.endswith(OBSERVED)
        and (day in schedule.work or (day.weekday() < _SATURDAY and day not in schedule.off))
    ]


def _exemptions_are_inside(exemptions: Sequence[ExemptionDocument], last: int) -> None:
    for place, each in enumerate(exemptions):
        if each.day.year > last:
            raise ScheduleError(
                f"exemptions.{place}.day",
                f"例外日须在日历期限内（至 {last} 年底）",
                f"an exemption lies within the calendar (to the end of {last})",
            )


def _next_version(current: str, last: int, taken: Sequence[str]) -> str:
    match = _VERSION.match(current)
    name = match["name"] if match else current
    serials = [
        int(found["serial"])
        for found in map(_VERSION.match, (current, *taken))
        if found and found["name"] == name and int(found["year"]) == last
    ]
    return f"{name}-{last}.{max(serials, default=0) + 1}"
