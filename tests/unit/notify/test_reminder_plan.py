"""When a deadline speaks and to whom: on time, once, and never about what has passed."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.calendar import packaged_calendar
from notify.clocks.domain import Dates
from notify.clocks.service import workday_after
from notify.reminders.domain import EscalationStep, Step, plan, take_turn

START = date(2026, 2, 13)  # a Friday before the Spring Festival; the 14th is a make-up workday
LADDER = (
    EscalationStep(to="authority_same_level", after_days=0),
    EscalationStep(to="government_office_same_level", after_days=3),
)


def steps(start: date = START, length: int = 5, **changes: object) -> tuple[Step, ...]:
    calendar = packaged_calendar()
    due = calendar.due(start, length)
    plain = {
        "due_on": due.due_on,
        "counts_on": due.due_on,
        "warn_on": due.remind_on,
        "provisional": due.provisional,
    }
    return plan(
        Dates(**{**plain, **changes}),
        start,
        reminder_days=(3, 5),
        soon_days=1,
        ladder=LADDER,
        workday_after=lambda day, count: workday_after(calendar, day, count),
    )


def told(step: Step) -> tuple[str, str, date]:
    return step.kind, step.to, step.on


def test_a_reply_received_before_the_spring_festival_2026_is_due_on_27_february() -> None:
    assert [told(step) for step in steps()] == [
        ("reminder", "bound_party", date(2026, 2, 25)),
        ("reminder", "bound_party", date(2026, 2, 27)),
        ("overdue", "bound_party", date(2026, 2, 28)),
        ("escalation", "authority_same_level", date(2026, 2, 28)),
        ("escalation", "government_office_same_level", date(2026, 3, 3)),
    ]


def test_a_long_deadline_is_remembered_on_the_eve_of_its_end_too() -> None:
    found = [told(step) for step in steps(date(2026, 3, 2), 20) if step.kind == "reminder"]
    assert found == [
        ("reminder", "bound_party", date(2026, 3, 5)),
        ("reminder", "bound_party", date(2026, 3, 9)),
        ("reminder", "bound_party", date(2026, 3, 27)),
    ]


def test_a_deadline_of_one_day_is_remembered_on_that_day() -> None:
    found = take_turn(steps(date(2026, 3, 2), 1), (), date(2026, 3, 3))
    assert [step.on for step in found.spoken] == [date(2026, 3, 3)]


def test_nothing_is_said_before_its_day() -> None:
    turn = take_turn(steps(), (), date(2026, 2, 24))
    assert turn.spoken == ()
    assert turn.next_on == date(2026, 2, 25)


def test_a_step_is_taken_once() -> None:
    first = take_turn(steps(), (), date(2026, 2, 25))
    again = take_turn(steps(), [step.mark for step in first.marks], date(2026, 2, 25))
    assert [step.kind for step in first.spoken] == ["reminder"]
    assert again.spoken == again.marks == ()


def test_after_a_downtime_nobody_is_reminded_of_what_has_passed() -> None:
    turn = take_turn(steps(), (), date(2026, 3, 9))
    assert [step.kind for step in turn.spoken] == ["overdue", "escalation", "escalation"]
    assert len(turn.marks) == 5
    assert turn.next_on is None


def test_of_two_missed_reminders_only_the_later_is_spoken() -> None:
    turn = take_turn(steps(), (), date(2026, 2, 27))
    assert [step.mark for step in turn.spoken] == ["reminder:5"]
    assert [step.mark for step in turn.marks] == ["reminder:3", "reminder:5"]


def test_a_provisional_date_is_never_declared_overdue() -> None:
    found = steps(date(2026, 12, 30), 5)
    assert {step.kind for step in found} == {"reminder"}


def test_reminders_of_a_provisional_date_use_the_pessimistic_one() -> None:
    start = date(2027, 1, 25)
    due = packaged_calendar().due(start, 5)
    assert due.remind_on < due.due_on
    assert max(step.on for step in steps(start, 5)) == due.remind_on


def test_an_extended_deadline_that_passes_again_is_declared_overdue_again() -> None:
    done = [step.mark for step in take_turn(steps(), (), date(2026, 2, 28)).marks]
    later = date(2026, 3, 6)
    extended = steps(due_on=later, counts_on=later, warn_on=later)
    eve = take_turn(extended, done, date(2026, 3, 5))
    assert [step.mark for step in eve.spoken] == ["reminder:due_soon"]
    done += [step.mark for step in eve.marks]
    again = take_turn(extended, done, date(2026, 3, 7))
    assert [step.kind for step in again.spoken] == ["overdue", "escalation"]


@given(
    start=st.dates(date(2025, 1, 1), date(2026, 11, 1)),
    length=st.integers(1, 20),
    stops=st.lists(st.integers(0, 60), min_size=1, max_size=8),
)
def test_however_often_the_job_runs_each_step_is_marked_exactly_once(
    start: date, length: int, stops: list[int]
) -> None:
    every = steps(start, length)
    done: list[str] = []
    for days in [*sorted(stops), 90]:
        today = start + timedelta(days=days)
        turn = take_turn(every, done, today)
        done += [step.mark for step in turn.marks]
        assert all(step.on <= today for step in turn.marks)
        assert turn.next_on is None or turn.next_on > today
    assert sorted(done) == sorted(step.mark for step in every)
