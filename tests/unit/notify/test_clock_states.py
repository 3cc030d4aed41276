"""What a deadline's dates mean today, on what ground, and under another calendar."""

from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calendar import Calendar, packaged_calendar
from contracts.calendar_import import Schedule
from contracts.rules import packaged_rules
from notify.calendars.domain import Content, proposed
from notify.clocks.domain import Dates, derive_state, ended_in_time, ground_of, redate

DUE = date(2026, 3, 10)


def dates(**changes: object) -> Dates:
    plain = {"due_on": DUE, "counts_on": DUE, "warn_on": DUE, "provisional": False}
    return Dates(**{**plain, **changes})


def state(today: date, *, on: Dates | None = None, **changes: object) -> str:
    soon = packaged_calendar().next_working_day(today)
    plain = {"soon_until": soon, "on_time": None, "escalated": False}
    return derive_state(on or dates(), today, **{**plain, **changes})


def test_two_working_days_before_the_end_a_clock_is_on_track() -> None:
    assert state(date(2026, 3, 6)) == "on_track"


def test_one_working_day_before_the_end_it_is_due_soon() -> None:
    assert state(date(2026, 3, 9)) == "due_soon"


def test_on_its_last_day_it_is_not_overdue() -> None:
    assert state(DUE) == "due_soon"


def test_the_day_after_it_is_overdue() -> None:
    assert state(DUE + timedelta(days=1)) == "overdue"


def test_an_overdue_clock_that_was_escalated_says_so() -> None:
    assert state(DUE + timedelta(days=1), escalated=True) == "escalated"


def test_an_escalation_of_an_earlier_date_does_not_make_a_running_clock_escalated() -> None:
    assert state(date(2026, 3, 6), escalated=True) == "on_track"


def test_a_provisional_date_never_makes_a_clock_overdue() -> None:
    assert state(DUE + timedelta(days=30), on=dates(provisional=True)) == "due_soon"


def test_an_ended_clock_is_judged_once_and_for_all() -> None:
    late = DUE + timedelta(days=90)
    assert state(late, on_time=True) == "ended_on_time"
    assert state(late, on_time=False) == "ended_late"


def test_the_last_day_counts_in_full() -> None:
    assert ended_in_time(DUE, dates())
    assert not ended_in_time(DUE + timedelta(days=1), dates())


def test_an_end_is_measured_by_the_told_date() -> None:
    told = dates(due_on=DUE - timedelta(days=2))
    assert ended_in_time(DUE, told)


@pytest.mark.parametrize("rule", packaged_rules().current.deadlines, ids=lambda rule: rule.name)
def test_an_article_is_cited_only_where_its_text_says_so(rule) -> None:
    found = ground_of(
        kind=rule.kind,
        article=rule.citation,
        start_event=rule.start_event,
        start_basis=rule.start_basis,
        length=rule.length,
    )
    assert (found.length_article is not None) == (rule.kind == "law")
    assert (found.start_article is not None) == (rule.kind == "law" and rule.start_basis == "text")
    start_zh = found.sentence_zh.split("起算事件")[1]
    start_en = found.sentence_en.split("starts with")[1]
    if rule.start_basis != "text":
        assert "条第" not in start_zh
        assert "条第" not in start_en


def test_the_start_of_the_reply_is_called_an_interpretation() -> None:
    rule = packaged_rules().current.deadline("share.reply")
    found = ground_of(
        kind=rule.kind,
        article=rule.citation,
        start_event=rule.start_event,
        start_basis=rule.start_basis,
        length=rule.length,
    )
    assert found.length_article == "第十九条第三款"
    assert found.start_article is None
    assert "解释" in found.sentence_zh


@cache
def calendar_with_2027() -> Calendar:
    """The packaged table and an invented schedule for 2027 with make-up Sundays."""
    current = packaged_calendar()
    off = {day: name for day, name in current.statutory.items() if day.year == 2027}
    work = {date(2027, 1, 31): "spring_festival", date(2027, 2, 20): "spring_festival"}
    off |= {date(2027, 2, 11): "spring_festival", date(2027, 2, 12): "spring_festival"}
    schedule = Schedule(
        year=2027, source="国办发明电〔2026〕示例号", prepared_by="legal-1", off=off, work=work
    )
    return proposed(
        Content(schedule=schedule),
        current,
        version="cn-2027.1",
        issuer="441500",
        confirmations=1,
    )


def told(starts_on: date, length: int) -> Dates:
    due = packaged_calendar().due(starts_on, length)
    return Dates(
        due_on=due.due_on, counts_on=due.due_on, warn_on=due.remind_on, provisional=due.provisional
    )


def test_an_official_date_confirms_an_equal_estimate() -> None:
    starts_on = date(2026, 12, 4)
    before = told(starts_on, 20)
    after = redate(before, starts_on, length=20, calendar=calendar_with_2027())
    assert before.provisional
    assert after.outcome == "confirmed"
    assert after.dates.counts_on == before.counts_on
    assert not after.dates.provisional


def test_an_earlier_official_date_leaves_the_told_one_counting() -> None:
    starts_on = date(2027, 1, 25)
    before = told(starts_on, 5)
    after = redate(before, starts_on, length=5, calendar=calendar_with_2027())
    assert after.outcome == "kept"
    assert after.dates.due_on == date(2027, 1, 31)
    assert after.dates.counts_on == before.counts_on == date(2027, 2, 1)


@given(
    starts=st.dates(date(2026, 11, 1), date(2027, 12, 20)),
    length=st.sampled_from([5, 10, 15, 20]),
)
def test_no_calendar_shortens_what_a_party_was_told(starts: date, length: int) -> None:
    before = told(starts, length)
    after = redate(before, starts, length=length, calendar=calendar_with_2027())
    assert after.dates.counts_on >= before.counts_on
    assert after.dates.counts_on >= after.dates.due_on
    assert redate(after.dates, starts, length=length, calendar=calendar_with_2027()).dates == (
        after.dates
    )
