"""Reads a new year's schedule from a file: never guessed, never half a year, never one person.

JSON or CSV, as a clerk types it off the State Council's notice. What is read is checked against the
five-day week, the statutory holidays and the calendar it shall follow; a second person confirms.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.calendar import OBSERVED, Calendar
from contracts.calendar_document import CalendarDocument, YearDocument, build, model_of
from contracts.vocabulary import recognise

_SATURDAY = 5
_ENCODINGS = ("utf-8-sig", "gb18030")
_KINDS = {"off": "off", "休": "off", "放假": "off", "work": "work", "班": "work", "上班": "work"}


class ScheduleError(ValueError):
    """The file is no schedule; ``path`` names the place, ``code`` what is wrong."""

    def __init__(self, path: str, code: str) -> None:
        super().__init__(f"{path}: {code}")
        self.path = path
        self.code = code


class Finding(BaseModel):
    """Something that a person must look at; an ``error`` keeps the schedule out."""

    model_config = ConfigDict(frozen=True)

    severity: Literal["error", "warning"]
    code: str
    day: date | None = None


class Schedule(BaseModel):
    """A year's schedule with the two persons that stand for it.

    ``off`` and ``work`` map days to the festival; ``confirmed_by`` stays empty until another
    person than ``prepared_by`` has confirmed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    year: int = Field(ge=2000, le=2100)
    source: str = Field(min_length=1, max_length=200)
    issued_on: date | None = None
    prepared_by: str = ""
    confirmed_by: tuple[str, ...] = ()
    off: Mapping[date, str]
    work: Mapping[date, str]

    def confirm(self, person: str) -> "Schedule":
        """Return the schedule confirmed by one more person; raises ``ScheduleError``."""
        if not person or person == self.prepared_by or person in self.confirmed_by:
            raise ScheduleError("confirmed_by", "same_person")
        return self.model_copy(update={"confirmed_by": (*self.confirmed_by, person)})


def _text(data: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ScheduleError("file", "encoding")


def _day(path: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        raise ScheduleError(path, "date") from None


def _festival(path: str, text: str) -> str:
    code = recognise("holiday", text) or recognise("holiday", text + "节")
    if code is None:
        raise ScheduleError(path, "festival")
    return code


def _collect(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[date, str]]:
    days: dict[str, dict[date, str]] = {"off": {}, "work": {}}
    for number, row in enumerate(rows, start=1):
        kind = _KINDS.get(str(row.get("kind") or "").strip())
        if kind is None:
            raise ScheduleError(f"days.{number}.kind", "kind")
        day = _day(f"days.{number}.date", str(row.get("date") or ""))
        if day in days["off"] or day in days["work"]:
            raise ScheduleError(f"days.{number}.date", "repeated")
        days[kind][day] = _festival(f"days.{number}.name", str(row.get("name") or ""))
    return days


def _build(fields: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Schedule:
    if not rows:
        raise ScheduleError("days", "empty")
    try:
        return Schedule.model_validate({**fields, **_collect(rows)})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ScheduleError(path or "file", str(first["type"])) from None


def read_csv(data: bytes, *, year: int, source: str, prepared_by: str = "") -> Schedule:
    """Read ``date,kind,name`` rows (UTF-8 with or without BOM, or GB18030).

    ``kind`` is ``off``/``休`` or ``work``/``班``, ``name`` a festival in Chinese or by code.
    Raises ``ScheduleError`` naming the row.
    """
    rows = list(csv.DictReader(io.StringIO(_text(data))))
    if rows and not {"date", "kind", "name"} <= set(rows[0]):
        raise ScheduleError("header", "columns")
    return _build({"year": year, "source": source, "prepared_by": prepared_by}, rows)


def read_json(data: bytes, *, prepared_by: str = "") -> Schedule:
    """Read ``{"year", "source", "issued_on", "days": [{"date", "kind", "name"}]}``.

    Raises ``ScheduleError`` naming the place.
    """
    try:
        document = orjson.loads(_text(data))
    except orjson.JSONDecodeError:
        raise ScheduleError("file", "json") from None
    if not isinstance(document, dict) or not isinstance(document.get("days"), list):
        raise ScheduleError("days", "missing")
    rows = document.pop("days")
    if not all(isinstance(row, dict) for row in rows):
        raise ScheduleError("days", "form")
    return _build({**document, "prepared_by": prepared_by}, rows)


def check(schedule: Schedule, calendar: Calendar) -> tuple[Finding, ...]:
    """Return what is wrong with a schedule that shall follow or correct a calendar."""
    last = calendar.horizon.year
    found = []
    if schedule.year not in (last, last + 1):
        found.append(Finding(severity="error", code="year_not_next"))
    for day in (*schedule.off, *schedule.work):
        tail_of_previous = (day.year, day.month) == (schedule.year - 1, 12)
        if day.year != schedule.year and not tail_of_previous:
            found.append(Finding(severity="error", code="outside_year", day=day))
    found += [
        Finding(severity="error", code="works_anyway", day=day)
        for day in schedule.work
        if day.weekday() < _SATURDAY
    ]
    return (*found, *_against_statutory(schedule, calendar), *_balance(schedule, calendar))


def _statutory(schedule: Schedule, calendar: Calendar) -> dict[date, str]:
    return {day: name for day, name in calendar.statutory.items() if day.year == schedule.year}


def _against_statutory(schedule: Schedule, calendar: Calendar) -> list[Finding]:
    return [
        Finding(
            severity="warning" if name.endswith(OBSERVED) else "error",
            code="statutory_not_off",
            day=day,
        )
        for day, name in _statutory(schedule, calendar).items()
        if day in schedule.work or (day.weekday() < _SATURDAY and day not in schedule.off)
    ]


def _balance(schedule: Schedule, calendar: Calendar) -> list[Finding]:
    """A schedule only moves days: what is off beyond the statutory rule is worked on a weekend."""
    statutory = _statutory(schedule, calendar)
    if not statutory:
        return [Finding(severity="warning", code="statutory_unknown")]
    moved = sum(day.weekday() < _SATURDAY and day not in statutory for day in schedule.off)
    if moved != len(schedule.work):
        return [Finding(severity="warning", code="moved_days_differ")]
    return []


def apply(schedule: Schedule, calendar: Calendar, *, version: str, confirmations: int) -> Calendar:
    """Return the calendar with the year in it.

    ``confirmations`` is the rule set's ``calendar.confirmations``, counting the person who
    prepared it. Raises ``ScheduleError`` while errors stand or persons are missing.
    """
    if errors := [each for each in check(schedule, calendar) if each.severity == "error"]:
        raise ScheduleError(str(errors[0].day or "year"), errors[0].code)
    persons = {schedule.prepared_by, *schedule.confirmed_by} - {""}
    if len(persons) < confirmations:
        raise ScheduleError("confirmed_by", "persons_missing")
    document = model_of(calendar)
    year = YearDocument.model_validate(schedule.model_dump())
    years = [each for each in document.years if each.year != schedule.year]
    # a corrected year replaces the whole record, and moved December days go with their notice
    years = [_without(each, year) for each in years]
    return build(
        CalendarDocument(
            version=version,
            issuer=document.issuer,
            years=(*years, year),
            statutory={
                day: name for day, name in document.statutory.items() if day.year > schedule.year
            },
            exemptions=document.exemptions,
        )
    )


def _without(year: YearDocument, other: YearDocument) -> YearDocument:
    moved = other.off.keys() | other.work.keys()
    return year.model_copy(
        update={
            "off": {day: name for day, name in year.off.items() if day not in moved},
            "work": {day: name for day, name in year.work.items() if day not in moved},
        }
    )


def changed_days(old: Calendar, new: Calendar) -> Mapping[date, bool]:
    """Return the days that the new table answers otherwise than the old one did or estimated."""
    return {
        day: workday
        for day, workday in sorted(new.days.items())
        if day >= old.first and old.is_working_day(day) != workday
    }


def tally(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Count findings by code, for a report."""
    return dict(Counter(each.code for each in findings))
