"""Seeds the calendar table from two libraries that check each other.

The only place that imports them, and lazily: a node runs from its signed table without either.
``chinesecalendar`` knows published schedules only and fails loudly past them; ``holidays`` knows the
statutory rule for any year and is used for estimates past the horizon.
"""

import importlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from contracts.calendar import OBSERVED, Calendar
from contracts.calendar_document import CalendarDocument, YearDocument, build, days_of_year

_SATURDAY = 5
_ESTIMATED_YEARS = 10
_FIRST_CHECKED = 2007
"""Both libraries agree on every day from here on; in 2006 they differ on one."""
_FESTIVALS = {
    "New Year's Day": "new_years_day",
    "Chinese New Year": "spring_festival",
    "Tomb-Sweeping Day": "tomb_sweeping_day",
    "Labor Day": "labour_day",
    "Dragon Boat Festival": "dragon_boat_festival",
    "Mid-Autumn Festival": "mid_autumn_festival",
    "National Day": "national_day",
}


class SeedMissingError(RuntimeError):
    """A seed library is not installed; the packaged table needs none."""


class SeedDisagreementError(RuntimeError):
    """The two libraries classify a day differently; nobody guesses which is right."""


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise SeedMissingError(f"seeding a calendar needs the library {name}") from None


def festival_code(name: str) -> str:
    """Return the code of a holiday's English name; raises ``SeedDisagreementError``."""
    for english, code in _FESTIVALS.items():
        if name.startswith(english):
            return code + (OBSERVED if "observed" in name else "")
    raise SeedDisagreementError(f"holiday {name!r} is not known here")


def differences(years: Iterable[int]) -> tuple[date, ...]:
    """Return the days that the two libraries classify differently; empty is expected."""
    chinese, holidays = _library("chinese_calendar"), _library("holidays")
    found = []
    for year in years:
        table = holidays.CN(years=year)
        found += [
            day
            for day in days_of_year(year)
            if chinese.is_workday(day) != table.is_working_day(day)
        ]
    return tuple(found)


def statutory(years: Iterable[int]) -> dict[date, str]:
    """Return the holidays of years without a schedule, by the statutory rule alone."""
    table = _library("holidays").CN(years=tuple(years), language="en_US")
    return {day: festival_code(str(name).split("; ")[0]) for day, name in sorted(table.items())}


def _year(chinese: Any, year: int) -> YearDocument:
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for day in days_of_year(year):
        holiday = chinese.constants.holidays.get(day) or chinese.constants.workdays.get(day)
        if holiday is None:
            continue
        name = next(each.name for each in chinese.Holiday if each.value == holiday)
        (off if day in chinese.constants.holidays else work)[day] = name
    return YearDocument(
        year=year,
        source=f"chinesecalendar {_version('chinesecalendar')}",
        off=off,
        work={day: name for day, name in work.items() if day.weekday() >= _SATURDAY},
    )


def _version(distribution: str) -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- only seeding needs it

    return version(distribution)


def seed_document(years: Iterable[int], *, version: str) -> CalendarDocument:
    """Build the document of published years, with estimates for the years after.

    Raises ``SeedMissingError``, ``SeedDisagreementError`` or, for a year without a published
    schedule, the library's ``NotImplementedError``.
    """
    wanted = sorted(years)
    if different := differences(year for year in wanted if year >= _FIRST_CHECKED):
        raise SeedDisagreementError(f"the libraries differ on {different[0]}")
    chinese = _library("chinese_calendar")
    after = wanted[-1] + 1
    return CalendarDocument(
        version=version,
        years=tuple(_year(chinese, year) for year in wanted),
        statutory=statutory(range(after, after + _ESTIMATED_YEARS)),
    )


def seed(years: Iterable[int], *, version: str = "seed") -> Calendar:
    """Return a calendar seeded from the libraries; see ``seed_document``."""
    return build(seed_document(years, version=version))
