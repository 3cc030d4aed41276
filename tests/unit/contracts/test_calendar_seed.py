"""The seed libraries check each other, and nothing but seeding needs them."""

import subprocess
import sys
from datetime import date

import holidays
import pytest

from contracts.calendar import OBSERVED, Calendar, packaged_calendar
from contracts.calendar_document import days_of_year, model_of
from contracts.calendar_seed import differences, festival_code, seed, seed_document
from contracts.vocabulary import is_code

CALENDAR = packaged_calendar()


def test_both_libraries_classify_every_day_of_2007_to_2026_alike():
    assert differences(range(2007, 2027)) == ()


def test_the_committed_table_is_what_the_libraries_give():
    assert model_of(CALENDAR) == seed_document(range(2004, 2027), version=CALENDAR.version)


def test_a_year_without_a_published_schedule_cannot_be_seeded():
    with pytest.raises(NotImplementedError):
        seed([2026, 2027])


def test_every_festival_of_the_table_has_a_label():
    names = {name.removesuffix(OBSERVED) for name in CALENDAR.names.values()}
    names |= {name.removesuffix(OBSERVED) for name in CALENDAR.statutory.values()}
    assert names
    assert all(is_code("holiday", name) for name in names)


def test_a_node_computes_with_the_calendar_libraries_uninstalled():
    program = (
        "import sys\n"
        "sys.modules['chinese_calendar'] = None\n"
        "sys.modules['holidays'] = None\n"
        "from datetime import date\n"
        "from contracts.calendar import packaged_calendar\n"
        "print(packaged_calendar().due(date(2026, 2, 13), 5).due_on)\n"
        "from contracts.calendar_seed import SeedMissingError, seed\n"
        "try:\n"
        "    seed([2026])\n"
        "except SeedMissingError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == [
        "2026-02-27",
        "seeding a calendar needs the library chinese_calendar",
    ]


def _as_if_unpublished(year: int) -> Calendar:
    """The calendar as it stood before the schedule of ``year`` came out."""
    horizon = date(year - 1, 12, 31)
    return Calendar(
        version="before",
        days={day: workday for day, workday in CALENDAR.days.items() if day <= horizon},
        horizon=horizon,
        statutory=_statutory_without_schedule((year, year + 1)),
    )


def _statutory_without_schedule(years: tuple[int, ...]) -> dict[date, str]:
    table = holidays.CN(years=years, language="en_US")
    once = date(2015, 9, 3)  # a day off by that year's order, not by the statutory rule
    return {
        day: festival_code(str(name).split("; ")[0])
        for day, name in table.items()
        if not name.startswith("Day off") and day != once
    }


def test_the_estimate_is_as_good_as_measured_and_the_reminder_catches_what_it_misses():
    exact, total, reminder_late = 0, 0, 0
    errors: dict[date, int] = {}
    for year in range(2015, 2026):
        before = _as_if_unpublished(year)
        for day in days_of_year(year):
            if not CALENDAR.days[day]:
                continue
            estimate, official = before.due(day, 5), CALENDAR.due(day, 5)
            total += 1
            errors[day] = (estimate.due_on - official.due_on).days
            exact += errors[day] == 0
            reminder_late += estimate.remind_on > official.due_on
    assert round(100 * exact / total, 1) == 90.5
    assert errors[date(2020, 1, 19)] == min(errors.values()) == -10
    assert errors[date(2025, 9, 24)] == max(errors.values()) == 7
    # what is left are make-up days of the short festivals, by two days
    assert reminder_late == 6
