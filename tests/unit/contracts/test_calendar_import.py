"""A new year's schedule from a clerk's file: read strictly, checked, confirmed by two."""

from datetime import date

import orjson
import pytest

from contracts.calendar import packaged_calendar
from contracts.calendar_import import (
    ScheduleError,
    apply,
    changed_days,
    check,
    read_csv,
    read_json,
    tally,
)

CALENDAR = packaged_calendar()
# an invented arrangement for 2027: statutory days, and three days moved onto weekends
OFF = {
    "元旦": ["2027-01-01", "2027-01-02", "2027-01-03"],
    "春节": [f"2027-02-{day:02d}" for day in range(5, 13)],
    "清明节": ["2027-04-05"],
    "劳动节": [f"2027-05-{day:02d}" for day in range(1, 6)],
    "端午节": ["2027-06-09"],
    "中秋节": ["2027-09-15"],
    "国庆节": [f"2027-10-{day:02d}" for day in range(1, 8)],
}
WORK = {
    "春节": ["2027-01-30", "2027-02-20"],
    "劳动节": ["2027-05-08"],
    "国庆节": ["2027-09-26", "2027-10-09"],
}
ROWS = [
    *((day, "休", name) for name, days in OFF.items() for day in days),
    *((day, "班", name) for name, days in WORK.items() for day in days),
]


def _csv(rows=ROWS) -> str:
    return "date,kind,name\n" + "".join(f"{day},{kind},{name}\n" for day, kind, name in rows)


def _read(text: str, encoding: str = "utf-8"):
    return read_csv(text.encode(encoding), year=2027, source="测试通知", prepared_by="clerk-1")


def _refusal(call, *arguments) -> tuple[str, str]:
    with pytest.raises(ScheduleError) as raised:
        call(*arguments)
    return raised.value.path, raised.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_same_schedule_is_read_from_every_usual_encoding(encoding):
    schedule = _read(_csv(), encoding)
    assert schedule.off[date(2027, 2, 5)] == "spring_festival"
    assert schedule.work[date(2027, 10, 9)] == "national_day"
    assert len(schedule.off) == 26
    assert check(schedule, CALENDAR) == ()


def test_json_says_the_same_as_csv():
    days = [{"date": day, "kind": kind, "name": name} for day, kind, name in ROWS]
    document = {"year": 2027, "source": "测试通知", "issued_on": "2026-11-03", "days": days}
    schedule = read_json(orjson.dumps(document), prepared_by="clerk-1")
    assert schedule.issued_on == date(2026, 11, 3)
    from_csv = _read(_csv())
    assert (schedule.off, schedule.work) == (from_csv.off, from_csv.work)


@pytest.mark.parametrize(
    ("row", "path", "code"),
    [
        (("2027-13-01", "休", "元旦"), "days.1.date", "date"),
        (("2027-01-01", "半天", "元旦"), "days.1.kind", "kind"),
        (("2027-01-01", "休", "诞辰"), "days.1.name", "festival"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(row, path, code):
    assert _refusal(_read, _csv([row])) == (path, code)


def test_a_day_given_twice_is_refused():
    rows = [("2027-01-01", "休", "元旦"), ("2027/01/01", "班", "元旦")]
    assert _refusal(_read, _csv(rows)) == ("days.2.date", "repeated")


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        (b"", "days", "empty"),
        (b"date,kind\n2027-01-01,off\n", "header", "columns"),
        (b"date,kind,name\n\xff\xff\xff", "file", "encoding"),
    ],
)
def test_a_file_that_is_no_schedule_is_refused(data, path, code):
    with pytest.raises(ScheduleError) as raised:
        read_csv(data, year=2027, source="测试通知")
    assert (raised.value.path, raised.value.code) == (path, code)


@pytest.mark.parametrize(
    ("data", "path", "code"),
    [
        (b"{", "file", "json"),
        (b"[]", "days", "missing"),
        (b'{"year": 2027, "source": "x", "days": [1]}', "days", "form"),
        (b'{"year": 2027, "source": "", "days": []}', "days", "empty"),
    ],
)
def test_json_that_is_no_schedule_is_refused(data, path, code):
    assert _refusal(read_json, data) == (path, code)


def test_a_schedule_without_its_notice_is_refused():
    days = [{"date": "2027-01-01", "kind": "off", "name": "元旦"}]
    data = orjson.dumps({"year": 2027, "source": "", "days": days})
    assert _refusal(read_json, data)[0] == "source"


@pytest.mark.parametrize("year", [1999, 2101])
def test_a_year_that_nobody_means_is_refused(year):
    days = [{"date": f"{year}-01-01", "kind": "off", "name": "元旦"}]
    data = orjson.dumps({"year": year, "source": "测试通知", "days": days})
    assert _refusal(read_json, data)[0] == "year"


def test_a_statutory_holiday_left_out_is_an_error_and_names_the_day():
    schedule = _read(_csv([row for row in ROWS if row[0] != "2027-06-09"]))
    found = [each for each in check(schedule, CALENDAR) if each.severity == "error"]
    assert [(each.code, each.day) for each in found] == [("statutory_not_off", date(2027, 6, 9))]


def test_moved_days_that_do_not_balance_are_a_warning():
    schedule = _read(_csv([row for row in ROWS if row[0] != "2027-05-08"]))
    assert tally(check(schedule, CALENDAR)) == {"moved_days_differ": 1}
    assert {each.severity for each in check(schedule, CALENDAR)} == {"warning"}


def test_a_make_up_day_on_a_weekday_and_a_day_of_another_year_are_errors():
    schedule = _read(_csv([*ROWS, ("2027-03-01", "班", "元旦"), ("2029-01-01", "休", "元旦")]))
    codes = {each.code for each in check(schedule, CALENDAR) if each.severity == "error"}
    assert codes == {"works_anyway", "outside_year"}


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        ("2026-12-31", set()),
        ("2026-11-30", {"outside_year"}),
        ("2025-12-31", {"outside_year"}),
        ("2028-01-03", {"outside_year"}),
    ],
)
def test_a_notice_reaches_back_into_the_december_before_and_nowhere_else(day, codes):
    schedule = _read(_csv([*ROWS, (day, "休", "元旦")]))
    found = {each.code for each in check(schedule, CALENDAR) if each.severity == "error"}
    assert found == codes


def test_the_december_that_a_notice_moved_is_off_in_the_new_table():
    rows = [*ROWS, ("2026-12-31", "休", "元旦")]
    calendar = _apply(_read(_csv(rows)).confirm("officer-1"))
    assert not calendar.is_working_day(date(2026, 12, 31))
    assert calendar.due(date(2026, 12, 30), 1).due_on == date(2027, 1, 4)


def test_a_year_that_does_not_follow_the_table_is_an_error():
    data = _csv().replace("2027-", "2028-").encode()
    schedule = read_csv(data, year=2028, source="测试通知")
    assert "year_not_next" in tally(check(schedule, CALENDAR))


def test_one_person_cannot_put_a_calendar_in_force():
    schedule = _read(_csv())
    assert _refusal(_apply, schedule) == ("confirmed_by", "persons_missing")
    assert _refusal(schedule.confirm, "clerk-1") == ("confirmed_by", "same_person")


def _apply(schedule, *, confirmations: int = 2):
    return apply(schedule, CALENDAR, version="cn-2027.1", confirmations=confirmations)


def test_a_confirmed_schedule_moves_the_horizon_and_keeps_both_names():
    calendar = _apply(_read(_csv()).confirm("officer-1"))
    assert calendar.horizon == date(2027, 12, 31)
    assert calendar.years[-1].prepared_by == "clerk-1"
    assert calendar.years[-1].confirmed_by == ("officer-1",)
    assert not calendar.due(date(2026, 12, 4), 20).provisional
    assert calendar.is_working_day(date(2027, 10, 9))
    assert min(calendar.statutory).year == 2028


def test_a_rule_set_may_ask_for_three_persons():
    schedule = _read(_csv()).confirm("officer-1")
    assert _refusal(lambda: _apply(schedule, confirmations=3)) == (
        "confirmed_by",
        "persons_missing",
    )
    assert _apply(schedule.confirm("officer-2"), confirmations=3).horizon.year == 2027


def test_the_preview_lists_every_day_that_the_new_table_answers_otherwise():
    calendar = _apply(_read(_csv()).confirm("officer-1"))
    changed = changed_days(CALENDAR, calendar)
    assert {day for day, workday in changed.items() if workday} == {
        date.fromisoformat(day) for days in WORK.values() for day in days
    }
    assert {day for day, workday in changed.items() if not workday} == {
        date(2027, 2, 11),
        date(2027, 2, 12),
        date(2027, 5, 5),
        date(2027, 10, 6),
        date(2027, 10, 7),
    }


def test_a_corrected_year_replaces_the_whole_record():
    first = _apply(_read(_csv()).confirm("officer-1"))
    corrected = _read(_csv([row for row in ROWS if row[0] != "2027-05-08"])).confirm("officer-2")
    second = apply(corrected, first, version="cn-2027.2", confirmations=2)
    assert changed_days(first, second) == {date(2027, 5, 8): False}
    assert [year.year for year in second.years].count(2027) == 1
    assert second.years[-1].confirmed_by == ("officer-2",)
