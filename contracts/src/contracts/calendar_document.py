"""The calendar as a document: canonical JSON that the city signs and every node reads.

A year is a whole record: days off and make-up working days against the five-day week. Days are
never added one by one, so no node computes with half a year.
"""

from calendar import isleap
from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.calendar import Calendar, Exemption, YearSource
from contracts.resources import data_path

_SATURDAY = 5


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class YearDocument(_Record):
    """One year: ``off`` and ``work`` map days to the festival that moves them."""

    year: int
    source: str = Field(min_length=1)
    issued_on: date | None = None
    prepared_by: str = ""
    confirmed_by: tuple[str, ...] = ()
    off: Mapping[date, str]
    work: Mapping[date, str]

    @model_validator(mode="after")
    def _days_belong_to_the_year(self) -> Self:
        for day in (*self.off, *self.work):
            # a notice may move the last days of December before its year (2018-12-29 for 2019)
            if day.year != self.year and (day.year, day.month) != (self.year - 1, 12):
                raise ValueError(f"{day} is no day of the schedule for {self.year}")
        if both := sorted(self.off.keys() & self.work.keys()):
            raise ValueError(f"{both[0]} is both a day off and a working day")
        if weekdays := sorted(day for day in self.work if day.weekday() < _SATURDAY):
            raise ValueError(f"{weekdays[0]} is a working day anyway")
        return self


class ExemptionDocument(_Record):
    day: date
    workday: bool
    reason: str = Field(min_length=1)
    document: str = Field(min_length=1)


class CalendarDocument(_Record):
    """The whole table; years follow each other without a gap."""

    kind: Literal["yiwang.calendar"] = "yiwang.calendar"
    format: Literal[1] = 1
    version: str = Field(min_length=1)
    issuer: str = ""
    years: tuple[YearDocument, ...] = Field(min_length=1)
    statutory: Mapping[date, str] = Field(default_factory=dict)
    exemptions: tuple[ExemptionDocument, ...] = ()

    @model_validator(mode="after")
    def _years_are_gapless(self) -> Self:
        found = [year.year for year in self.years]
        if found != list(range(found[0], found[0] + len(found))):
            raise ValueError("the years of a calendar follow each other without a gap")
        return self


def days_of_year(year: int) -> tuple[date, ...]:
    """Return all days of a year."""
    return tuple(date(year, 1, 1) + timedelta(days=n) for n in range(365 + isleap(year)))


def _table(document: CalendarDocument) -> tuple[dict[date, bool], dict[date, str]]:
    days: dict[date, bool] = {}
    names: dict[date, str] = {}
    for year in document.years:
        days.update({day: day.weekday() < _SATURDAY for day in days_of_year(year.year)})
    for year in document.years:
        days.update(dict.fromkeys(year.off, False))
        days.update(dict.fromkeys(year.work, True))
        names.update({**year.off, **year.work})
    days.update({each.day: each.workday for each in document.exemptions})
    first = date(document.years[0].year, 1, 1)
    return {day: workday for day, workday in days.items() if day >= first}, names


def build(document: CalendarDocument) -> Calendar:
    """Return the calendar that a validated document describes."""
    days, names = _table(document)
    horizon = date(document.years[-1].year, 12, 31)
    return Calendar(
        version=document.version,
        days=days,
        horizon=horizon,
        names=names,
        statutory={day: name for day, name in document.statutory.items() if day > horizon},
        years=tuple(
            YearSource(
                year=year.year,
                source=year.source,
                prepared_by=year.prepared_by,
                confirmed_by=year.confirmed_by,
                issued_on=year.issued_on,
            )
            for year in document.years
        ),
        exemptions=tuple(Exemption(**each.model_dump()) for each in document.exemptions),
        issuer=document.issuer,
    )


def from_document(document: Mapping[str, object] | CalendarDocument) -> Calendar:
    """Return the calendar of a document; raises pydantic's ``ValidationError``."""
    if isinstance(document, CalendarDocument):
        return build(document)
    return build(CalendarDocument.model_validate(document))


def _year_document(calendar: Calendar, source: YearSource) -> YearDocument:
    days = days_of_year(source.year)
    lifted = {each.day for each in calendar.exemptions}
    off = {
        day: calendar.names.get(day, "")
        for day in days
        if day not in lifted
        and not calendar.days[day]
        and (day.weekday() < _SATURDAY or day in calendar.names)
    }
    work = {
        day: calendar.names.get(day, "")
        for day in days
        if day not in lifted and calendar.days[day] and day.weekday() >= _SATURDAY
    }
    return YearDocument(
        year=source.year,
        source=source.source,
        issued_on=source.issued_on,
        prepared_by=source.prepared_by,
        confirmed_by=source.confirmed_by,
        off=off,
        work=work,
    )


def model_of(calendar: Calendar) -> CalendarDocument:
    """Return the calendar as a document model."""
    return CalendarDocument(
        version=calendar.version,
        issuer=calendar.issuer,
        years=tuple(_year_document(calendar, source) for source in calendar.years),
        statutory=calendar.statutory,
        exemptions=tuple(
            ExemptionDocument(
                day=each.day, workday=each.workday, reason=each.reason, document=each.document
            )
            for each in calendar.exemptions
        ),
    )


def to_document(calendar: Calendar) -> dict[str, Any]:
    """Return the calendar as plain JSON values."""
    return model_of(calendar).model_dump(mode="json")


def canonical_bytes(document: Mapping[str, object]) -> bytes:
    """Return the bytes that are signed: UTF-8, sorted keys, no spaces."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest(calendar: Calendar) -> str:
    """Return SHA-256 of the canonical document, hexadecimal."""
    return sha256(canonical_bytes(to_document(calendar))).hexdigest()


def packaged_path() -> Path:
    """Return the packaged seed table with the farthest horizon."""
    return max(data_path("calendar").glob("cn-*.json"))


def read(path: Path) -> Calendar:
    """Read a calendar document from a file; raises pydantic's ``ValidationError``."""
    return build(CalendarDocument.model_validate_json(path.read_bytes()))
