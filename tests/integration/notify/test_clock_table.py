"""The clock table, its reminders and escalations, on a clock that the test sets."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.events.base import OrganisationRef
from kernel.handlers import NotYet
from notify.clocks import repository
from notify.clocks.domain import STATES, derive_state
from notify.clocks.repository import ClockFilter, Today
from notify.clocks.service import dates_of
from tests.integration.notify.support import AUTHORITY, COUNTY, LAND, OFFICE, Desk

pytestmark = pytest.mark.postgres
CLOCKS = "/notify/v1/clocks"
FRIDAY = (2026, 2, 13, 7, 0)


async def inbox_of(caller: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.get("/notify/v1/inbox", limit=200, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found[::-1]


async def test_a_reply_received_before_the_spring_festival_is_due_after_it(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    supervisor = desk.person("authority_supervisor")
    body = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()
    assert (body["starts_on"], body["due_on"], body["counts_on"]) == (
        "2026-02-13",
        "2026-02-27",
        "2026-02-27",
    )
    assert (body["provisional"], body["state"]) == (False, "on_track")


async def test_no_article_is_cited_for_a_start_that_the_text_does_not_name(desk: Desk) -> None:
    clock_id = await desk.start_clock("r-1")
    supervisor = desk.person("authority_supervisor")
    ground = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["ground"]
    assert ground["length_article"] == "第十九条第三款"
    assert (ground["start_basis"], ground["start_article"]) == ("interpretation", None)


async def test_past_the_horizon_a_date_is_provisional_and_is_never_overdue(desk: Desk) -> None:
    desk.at(2026, 12, 4, 2)
    clock_id = await desk.start_clock("r-1", "open.need.reply")
    desk.at(2027, 2, 1, 2)
    supervisor = desk.person("authority_supervisor")
    body = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()
    assert (body["due_on"], body["provisional"], body["state"]) == ("2027-01-04", True, "due_soon")
    await desk.run("reminders")
    assert {each["kind"] for each in await inbox_of(supervisor)} <= {"alarm"}


async def test_the_state_follows_the_date_without_any_job(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    supervisor = desk.person("authority_supervisor")
    seen = []
    for day in (25, 26, 27, 28):
        desk.at(2026, 2, day, 2)
        seen.append((await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["state"])
    assert seen == ["on_track", "due_soon", "due_soon", "overdue"]


async def test_the_day_ends_at_midnight_in_shanghai(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    desk.at(2026, 2, 27, 15, 59)
    supervisor = desk.person("authority_supervisor")
    assert (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["state"] == "due_soon"
    desk.at(2026, 2, 27, 16, 0)
    assert (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["state"] == "overdue"


async def test_an_end_in_time_and_a_late_end_are_told_apart(desk: Desk) -> None:
    desk.at(*FRIDAY)
    good, late = await desk.start_clock("r-1"), await desk.start_clock("r-2")
    desk.at(2026, 2, 27, 10)
    await desk.end_clock(good)
    desk.at(2026, 2, 28, 10)
    await desk.end_clock(late)
    supervisor = desk.person("authority_supervisor")
    listed = (await supervisor.get(CLOCKS)).json()["items"]
    assert {each["clock_id"]: each["state"] for each in listed} == {
        good: "ended_on_time",
        late: "ended_late",
    }


async def test_an_end_before_its_start_waits(desk: Desk) -> None:
    with pytest.raises(NotYet):
        await desk.end_clock("r-9:share.reply:1")


async def test_the_first_end_stays(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    await desk.end_clock(clock_id)
    desk.at(2026, 3, 20, 2)
    await desk.end_clock(clock_id)
    supervisor = desk.person("authority_supervisor")
    assert (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["state"] == "ended_on_time"


async def test_a_returned_submission_lets_its_clock_run_on_from_the_old_start(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("e-1", "catalog.update")
    supervisor = desk.person("authority_supervisor")
    before = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()
    await desk.end_clock(clock_id)
    desk.at(2026, 3, 2, 2)
    await desk.start_clock("e-1", "catalog.update", start=date(2026, 2, 13))
    after = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()
    assert (after["starts_on"], after["counts_on"]) == (before["starts_on"], before["counts_on"])
    assert after["ended_at"] is None


async def test_the_bound_office_is_reminded_then_its_authority_then_the_government_office(
    desk: Desk,
) -> None:
    await desk.announce_offices()
    desk.at(*FRIDAY)
    await desk.start_clock("r-1")
    for day in range(30):
        await desk.run("reminders")
        desk.clock.advance(days=1)
        if day % 3 == 0:
            await desk.run("reminders")
    handler = desk.person("source_handler", organisation=LAND.org_id)
    told = [(each["kind"], each["at"][:10]) for each in await inbox_of(handler)]
    assert told == [
        ("reminder", "2026-02-25"),
        ("reminder", "2026-02-27"),
        ("overdue", "2026-02-28"),
    ]
    supervisor = desk.person("authority_supervisor", organisation=AUTHORITY)
    assert [(each["kind"], each["at"][:10]) for each in await inbox_of(supervisor)] == [
        ("escalation", "2026-02-28")
    ]
    office = desk.person("agency_clerk", organisation=OFFICE)
    assert [(each["kind"], each["at"][:10]) for each in await inbox_of(office)] == [
        ("escalation", "2026-03-03")
    ]


async def test_an_overdue_clock_that_was_escalated_says_so(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    desk.at(2026, 2, 28, 2)
    supervisor = desk.person("authority_supervisor")
    before = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()["state"]
    await desk.run("reminders")
    after = (await supervisor.get(f"{CLOCKS}/{clock_id}")).json()
    assert (before, after["state"]) == ("overdue", "escalated")
    assert [mark["kind"] for mark in after["marks"] if mark["spoken"]] == ["escalation", "overdue"]


async def test_nothing_is_said_about_an_ended_clock(desk: Desk) -> None:
    desk.at(*FRIDAY)
    clock_id = await desk.start_clock("r-1")
    await desk.end_clock(clock_id)
    desk.at(2026, 6, 1, 2)
    await desk.run("reminders")
    handler = desk.person("source_handler", organisation=LAND.org_id)
    assert await inbox_of(handler) == []


async def test_after_a_downtime_the_overdue_notice_and_all_escalations_are_made_up_for(
    desk: Desk,
) -> None:
    await desk.announce_offices()
    desk.at(*FRIDAY)
    await desk.start_clock("r-1")
    desk.at(2026, 4, 1, 2)
    await desk.run("reminders")
    handler = desk.person("source_handler", organisation=LAND.org_id)
    office = desk.person("agency_clerk", organisation=OFFICE)
    assert [each["kind"] for each in await inbox_of(handler)] == ["overdue"]
    assert [each["kind"] for each in await inbox_of(office)] == ["escalation"]


async def test_without_an_announced_office_the_supervisors_hear_of_it(desk: Desk) -> None:
    desk.at(*FRIDAY)
    await desk.start_clock("r-1")
    desk.at(2026, 3, 10, 2)
    await desk.run("reminders")
    supervisor = desk.person("authority_supervisor", organisation="org-any")
    assert [each["kind"] for each in await inbox_of(supervisor)] == ["escalation", "escalation"]


async def test_a_job_that_dies_in_between_says_nothing_twice_and_leaves_nothing_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notify.reminders import repository as marks  # noqa: PLC0415
    from notify.reminders import service as reminders  # noqa: PLC0415

    desk.at(*FRIDAY)
    for number in range(5):
        await desk.start_clock(f"r-{number}")
    desk.at(2026, 2, 28, 2)
    monkeypatch.setattr(reminders, "PORTION", 2)
    calls = 0
    real = marks.look_again

    async def dying(connection: Any, days: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionResetError
        await real(connection, days)

    monkeypatch.setattr(marks, "look_again", dying)
    with pytest.raises(ConnectionResetError):
        await desk.run("reminders")
    await desk.run("reminders")
    handler = desk.person("source_handler", organisation=LAND.org_id)
    told = [each["case_id"] for each in await inbox_of(handler) if each["kind"] == "overdue"]
    assert sorted(told) == [f"r-{number}" for number in range(5)]


async def test_a_source_sees_the_clocks_that_bind_it_and_no_others(desk: Desk) -> None:
    own = await desk.start_clock("r-1")
    other = await desk.start_clock(
        "r-2", bound=OrganisationRef(org_id="org-x", name="海丰县财政局", node=COUNTY)
    )
    handler = desk.person("source_handler", organisation=LAND.org_id)
    listed = (await handler.get(CLOCKS)).json()["items"]
    assert [each["clock_id"] for each in listed] == [own]
    assert (await handler.get(f"{CLOCKS}/{other}")).status_code == 404
    assert (await handler.get(CLOCKS, bound_org="org-x")).json()["items"] == []


async def test_a_received_filing_has_a_clock_of_policy_that_recording_ends(desk: Desk) -> None:
    await desk.announce_offices()
    filing_id = await desk.file()
    reviewer = desk.person("authority_reviewer")
    (before,) = (await reviewer.get(CLOCKS, case_id=filing_id)).json()["items"]
    assert (before["rule"], before["bound"]["org_id"]) == ("filing.record", AUTHORITY)
    assert (before["ground"]["kind"], before["ground"]["length_article"]) == ("policy", None)
    await reviewer.post(f"/notify/v1/filings/{filing_id}/record")
    (after,) = (await reviewer.get(CLOCKS, case_id=filing_id)).json()["items"]
    assert after["state"] == "ended_on_time"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(today=st.dates(date(2026, 1, 1), date(2027, 3, 1)))
async def test_the_lists_and_the_derived_states_agree(desk: Desk, today: date) -> None:
    if not desk.versions:
        desk.at(2026, 1, 12, 2)
        for number in range(12):
            desk.clock.advance(days=31 * number // 2)
            rule = ("share.reply", "open.apply.reply", "open.need.reply")[number % 3]
            clock_id = await desk.start_clock(f"r-{number}", rule)
            if number % 4 == 0:
                await desk.end_clock(clock_id, at=desk.clock.now() + timedelta(days=3 * number))
            if number % 5 == 0:
                desk.clock.advance(days=9)
                await desk.run("reminders")
    soon = Today(day=today, soon_until=desk.runtime.calendar().next_working_day(today))
    async with desk.runtime.database.transaction(read_only=True) as tx:
        every = await repository.page(tx.connection, ClockFilter(), soon, after=None, limit=100)
        expected = {
            each.row.clock_id: derive_state(
                dates_of(each.row),
                today,
                soon_until=soon.soon_until,
                on_time=each.row.on_time,
                escalated=each.escalated,
            )
            for each in every
        }
        listed: dict[str, str] = {}
        for state in STATES:
            wanted = ClockFilter(states=(state,))
            rows = await repository.page(tx.connection, wanted, soon, after=None, limit=100)
            assert await repository.count(tx.connection, wanted, soon) == len(rows)
            for each in rows:
                assert each.row.clock_id not in listed
                listed[each.row.clock_id] = state
    assert listed == expected
