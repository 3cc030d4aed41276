"""Working days: the vectors of the calendar chapter, day 0, the horizon, and brute force."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calendar import (
    Calendar,
    CalendarRangeError,
    Due,
    ProvisionalDueDateError,
    civil_date,
    packaged_calendar,
    recompute,
)
from contracts.calendar_document import days_of_year

CALENDAR = packaged_calendar()
STARTS = st.dates(date(2004, 1, 1), date(2026, 10, 31))
LENGTHS = st.integers(1, 40)


@pytest.mark.parametrize(
    ("start", "length", "due_on"),
    [
        (date(2026, 2, 13), 5, date(2026, 2, 27)),
        (date(2026, 9, 24), 5, date(2026, 10, 9)),
        (date(2026, 12, 1), 20, date(2026, 12, 29)),
        # received on a day off, or on a make-up Saturday: the same rule
        (date(2026, 2, 16), 5, date(2026, 2, 28)),
        (date(2026, 2, 14), 5, date(2026, 2, 28)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),
    ],
)
def test_a_period_ends_on_its_last_working_day_and_not_on_a_weekday_count(start, length, due_on):
    assert CALENDAR.due(start, length) == Due(due_on, due_on, provisional=False)


def test_spring_festival_2026_has_two_make_up_days_and_nine_days_off():
    off = [date(2026, 2, 15) + timedelta(days=n) for n in range(9)]
    assert [CALENDAR.is_working_day(day) for day in off] == [False] * 9
    assert CALENDAR.is_working_day(date(2026, 2, 14))
    assert CALENDAR.is_working_day(date(2026, 2, 28))
    assert CALENDAR.day(date(2026, 2, 14)).name == "spring_festival"


def test_2026_10_10_is_a_working_saturday():
    assert date(2026, 10, 10).weekday() == 5
    assert CALENDAR.is_working_day(date(2026, 10, 10))


def test_2026_has_248_working_days():
    assert sum(CALENDAR.days[day] for day in days_of_year(2026)) == 248
    assert CALENDAR.working_days_between(date(2025, 12, 31), date(2026, 12, 31)) == 248


def test_the_day_of_receipt_is_day_0_even_when_it_is_a_working_day():
    assert CALENDAR.due(date(2026, 3, 2), 1).due_on == date(2026, 3, 3)


def test_past_the_horizon_the_due_date_is_provisional_and_from_statutory_holidays():
    assert CALENDAR.horizon == date(2026, 12, 31)
    due = CALENDAR.due(date(2026, 12, 4), 20)
    assert due.due_on == date(2027, 1, 4)
    assert due.provisional
    assert not CALENDAR.due(date(2026, 12, 4), 19).provisional


def test_near_spring_festival_the_reminder_counts_weekends_as_working_days():
    due = CALENDAR.due(date(2027, 1, 29), 5)
    assert due == Due(date(2027, 2, 11), date(2027, 2, 3), provisional=True)


@pytest.mark.parametrize(
    ("start", "due_on", "remind_on"),
    [
        # the holidays end on 02-10: Saturday 02-20 is ten days after, Sunday 02-21 eleven
        (date(2027, 2, 19), date(2027, 2, 23), date(2027, 2, 22)),
        # the holidays begin on Wednesday 01-22: Sunday 01-12 is ten days before, 01-11 eleven
        (date(2031, 1, 10), date(2031, 1, 14), date(2031, 1, 13)),
    ],
)
def test_weekends_count_up_to_ten_days_from_a_festival_and_no_farther(start, due_on, remind_on):
    assert CALENDAR.due(start, 2) == Due(due_on, remind_on, provisional=True)


def test_far_from_the_great_festivals_the_reminder_is_the_estimate_itself():
    due = CALENDAR.due(date(2027, 6, 1), 5)
    assert due.provisional
    assert due.remind_on == due.due_on


def test_a_certificate_is_refused_for_an_estimate():
    assert CALENDAR.certain_due(date(2026, 12, 1), 20) == date(2026, 12, 29)
    with pytest.raises(ProvisionalDueDateError):
        CALENDAR.certain_due(date(2026, 12, 4), 20)


def test_a_start_before_the_table_and_an_empty_period_are_refused():
    with pytest.raises(CalendarRangeError):
        CALENDAR.due(date(2003, 12, 31), 5)
    with pytest.raises(CalendarRangeError):
        CALENDAR.due(date(2026, 1, 1), 0)
    with pytest.raises(CalendarRangeError):
        CALENDAR.is_working_day(date(2003, 1, 1))


@given(start=STARTS, length=LENGTHS)
def test_a_due_date_is_a_working_day_that_closes_exactly_the_period(start, length):
    due = CALENDAR.due(start, length)
    assert CALENDAR.is_working_day(due.due_on)
    assert CALENDAR.working_days_between(start, due.due_on) == length
    assert due.remind_on <= due.due_on
    # counted one by one
    counted, day = 0, start
    while counted < length:
        day += timedelta(days=1)
        counted += CALENDAR.is_working_day(day)
    assert day == due.due_on


@given(start=st.dates(date(2026, 11, 1), date(2035, 6, 30)), length=LENGTHS)
def test_past_the_horizon_the_reminder_is_never_after_the_estimate(start, length):
    due = CALENDAR.due(start, length)
    assert due.remind_on <= due.due_on
    assert CALENDAR.working_days_between(start, due.due_on) == length
    assert due.provisional == (due.due_on > CALENDAR.horizon)


@given(start=STARTS, length=LENGTHS, later=st.integers(0, 30))
def test_a_later_start_or_a_longer_period_never_ends_earlier(start, length, later):
    due = CALENDAR.due(start, length).due_on
    assert CALENDAR.due(start + timedelta(days=later), length).due_on >= due
    assert CALENDAR.due(start, length + 1).due_on > due


@given(first=STARTS, second=STARTS)
def test_counting_backwards_is_counting_forwards_with_the_other_sign(first, second):
    forwards = CALENDAR.working_days_between(first, second)
    assert CALENDAR.working_days_between(second, first) == -forwards


def test_counting_across_the_horizon_joins_table_and_estimate():
    # 2026-12-28 to 31 from the table, 2027-01-04 and 05 estimated
    assert CALENDAR.working_days_between(date(2026, 12, 25), date(2027, 1, 5)) == 6
    assert CALENDAR.working_days_between(date(2027, 1, 1), date(2027, 1, 5)) == 2


def test_the_next_working_day_skips_a_festival():
    assert CALENDAR.next_working_day(date(2026, 2, 14)) == date(2026, 2, 24)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 2, 13, 15, 59, 59, tzinfo=UTC), date(2026, 2, 13)),
        (datetime(2026, 2, 13, 16, 0, 0, tzinfo=UTC), date(2026, 2, 14)),
        (datetime(2026, 12, 31, 16, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_the_civil_date_is_that_of_shanghai(instant, day):
    assert civil_date(instant) == day


def test_an_instant_without_time_zone_has_no_civil_date():
    with pytest.raises(ValueError, match="time zone"):
        civil_date(datetime(2026, 2, 13, 12, 0, 0))  # noqa: DTZ001


def test_the_missing_schedule_of_next_year_is_alarmed_from_november_on():
    assert CALENDAR.missing_year(date(2026, 10, 31), alarm_from="11-01") is None
    assert CALENDAR.missing_year(date(2026, 11, 1), alarm_from="11-01") == 2027
    assert CALENDAR.missing_year(date(2025, 12, 1), alarm_from="11-01") is None


def _with_2027(*, off=(), work=()) -> Calendar:
    days = dict(CALENDAR.days)
    days.update({day: day.weekday() < 5 for day in days_of_year(2027)})
    days.update({day: False for day in CALENDAR.statutory if day.year == 2027})
    days.update(dict.fromkeys(off, False))
    days.update(dict.fromkeys(work, True))
    return Calendar(
        version="cn-2027.1", days=days, horizon=date(2027, 12, 31), statutory=CALENDAR.statutory
    )


def test_a_later_official_date_extends_what_the_party_was_told():
    start = date(2026, 12, 4)
    told = CALENDAR.due(start, 20)
    new = _with_2027(off=[date(2027, 1, 4)])
    result = recompute(told, start, length=20, calendar=new)
    assert (result.outcome, result.counts) == ("extended", date(2027, 1, 5))


def test_an_earlier_official_date_does_not_shorten_what_the_party_relied_on():
    start = date(2026, 12, 4)
    told = CALENDAR.due(start, 20)
    new = _with_2027(work=[date(2027, 1, 2)])
    result = recompute(told, start, length=20, calendar=new)
    assert result.official.due_on == date(2027, 1, 2)
    assert (result.outcome, result.counts) == ("kept", date(2027, 1, 4))


def test_an_estimate_that_comes_true_is_confirmed():
    start = date(2026, 12, 4)
    told = CALENDAR.due(start, 20)
    assert recompute(told, start, length=20, calendar=_with_2027()).outcome == "confirmed"
    assert recompute(told, start, length=20, calendar=CALENDAR).outcome == "unchanged"
