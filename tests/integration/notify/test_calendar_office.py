"""A new year's schedule: two persons, a preview of every due date, and reliance protected."""

from datetime import date
from typing import Any

import orjson
import pytest

from contracts.calendar import packaged_calendar
from contracts.events.documents import CalendarPublished
from contracts.topics import event_spec
from kernel.calendars import version_order
from kernel.document_signing import sign_waiting
from kernel.handlers import Poison
from kernel.kernel_handlers import kernel_handlers
from tests.integration.notify.support import AUTHORITY, CITY, COUNTY, LAND, Desk
from tests.support.http import NodeFiles

pytestmark = pytest.mark.postgres
CALENDARS = "/notify/v1/calendars"
TYPE = "yiwang.federation.calendar.published.v1"


def schedule(**changes: Any) -> dict[str, Any]:
    """An invented schedule of 2027: two make-up weekends for two moved days off."""
    statutory = {
        day: name for day, name in packaged_calendar().statutory.items() if day.year == 2027
    }
    moved = {date(2027, 2, 11): "spring_festival", date(2027, 2, 12): "spring_festival"}
    work = {date(2027, 1, 31): "spring_festival", date(2027, 2, 20): "spring_festival"}
    days = [
        {"date": day.isoformat(), "kind": kind, "name": name.removesuffix("_observed")}
        for kind, table in (("off", {**statutory, **moved}), ("work", work))
        for day, name in sorted(table.items())
    ]
    plain = {"year": 2027, "source": "国办发明电〔2026〕示例号", "days": days}
    return {"schedule": {**plain, **changes}}


async def sign(desk: Desk, files: NodeFiles) -> None:
    """What the worker does: sign the documents that wait for it with the node's key."""
    await sign_waiting(desk.runtime.database, files.keys[desk.runtime.node])


async def propose(desk: Desk, body: dict[str, Any] | None = None) -> dict[str, Any]:
    legal = desk.person("legal_officer", organisation=AUTHORITY, subject="zhou")
    answer = await legal.post(CALENDARS, body or schedule())
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def activate(desk: Desk, files: NodeFiles, body: dict[str, Any] | None = None) -> str:
    proposal = await propose(desk, body)
    approver = desk.person("authority_approver", organisation=AUTHORITY, subject="wu")
    path = f"{CALENDARS}/{proposal['version']}/confirm"
    answer = await approver.post(path, {"digest": proposal["digest"]})
    assert answer.status_code == 200, answer.text
    await sign(desk, files)
    await desk.run("calendar-activation")
    version: str = proposal["version"]
    return version


async def broadcasts(desk: Desk) -> list[CalendarPublished]:
    """What left for the bus; siblings of the node have local rows of the same events."""
    rows = [row for row in await desk.sent() if row.type == TYPE and row.transport == "kafka"]
    return [CalendarPublished.model_validate_json(row.payload) for row in rows]


async def test_an_import_changes_nothing_until_another_person_confirms(city: Desk) -> None:
    proposal = await propose(city)
    assert (proposal["version"], proposal["base"], proposal["state"]) == (
        "cn-2027.1",
        "cn-2026.1",
        "proposed",
    )
    await city.run("calendar-activation")
    assert city.runtime.calendar().version == "cn-2026.1"


async def test_the_importer_cannot_confirm(city: Desk) -> None:
    proposal = await propose(city)
    zhou = city.person("legal_officer", organisation=AUTHORITY, subject="zhou")
    path = f"{CALENDARS}/{proposal['version']}/confirm"
    answer = await zhou.post(path, {"digest": proposal["digest"]})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:yiwang:problem:separation-of-duties"


async def test_only_what_was_shown_can_be_confirmed(city: Desk) -> None:
    proposal = await propose(city)
    approver = city.person("authority_approver", organisation=AUTHORITY)
    path = f"{CALENDARS}/{proposal['version']}/confirm"
    answer = await approver.post(path, {"digest": "0" * 64})
    assert (answer.status_code, answer.json()["field"]) == (422, "digest")


async def test_a_confirmed_and_signed_calendar_comes_into_force(
    city: Desk, node_files: NodeFiles
) -> None:
    version = await activate(city, node_files)
    assert city.runtime.calendar().version == version
    assert city.runtime.calendar().horizon == date(2027, 12, 31)
    reader = city.person("auditor", organisation=AUTHORITY)
    (item,) = (await reader.get(CALENDARS)).json()["items"]
    assert (item["state"], item["confirmed_by"]) == ("active", ["wu"])


async def test_before_it_is_signed_a_confirmed_calendar_is_not_in_force(city: Desk) -> None:
    proposal = await propose(city)
    approver = city.person("authority_approver", organisation=AUTHORITY)
    path = f"{CALENDARS}/{proposal['version']}/confirm"
    await approver.post(path, {"digest": proposal["digest"]})
    await city.run("calendar-activation")
    assert city.runtime.calendar().version == "cn-2026.1"


async def test_the_preview_shows_every_due_date_that_would_change_and_changes_none(
    city: Desk, node_files: NodeFiles
) -> None:
    city.at(2026, 12, 4, 2)
    await city.start_clock("confirmed", "open.need.reply")
    city.at(2026, 12, 8, 2)
    await city.start_clock("untouched")
    proposal = await propose(city)
    reader = city.person("authority_supervisor", organisation=AUTHORITY)
    shown = (await reader.get(proposal["preview"])).json()["items"]
    assert [(each["clock_id"].split(":")[0], each["outcome"]) for each in shown] == [
        ("confirmed", "confirmed")
    ]
    clock = (await reader.get("/notify/v1/clocks/confirmed:open.need.reply:1")).json()
    assert (clock["provisional"], clock["calendar_version"]) == (True, "cn-2026.1")


async def test_activation_confirms_extends_and_keeps_and_tells_the_bound(
    city: Desk, node_files: NodeFiles
) -> None:
    city.at(2026, 12, 4, 2)
    await city.start_clock("confirmed", "open.need.reply")
    city.at(2027, 1, 25, 2)
    await city.start_clock("kept")
    city.at(2027, 2, 5, 2)
    await city.start_clock("extended")
    reader = city.person("authority_supervisor", organisation=AUTHORITY)
    listed = (await reader.get("/notify/v1/clocks")).json()["items"]
    before = {each["case_id"]: each for each in listed}
    await activate(city, node_files)
    listed = (await reader.get("/notify/v1/clocks")).json()["items"]
    after = {each["case_id"]: each for each in listed}
    assert not any(each["provisional"] for each in after.values())
    assert after["kept"]["due_on"] < before["kept"]["counts_on"] == after["kept"]["counts_on"]
    assert after["extended"]["counts_on"] > before["extended"]["counts_on"]
    assert after["confirmed"]["counts_on"] == before["confirmed"]["counts_on"]
    handler = city.person("source_handler", organisation=LAND.org_id)
    told = (await handler.get("/notify/v1/inbox", kind="calendar")).json()["items"]
    assert {each["case_id"] for each in told} == {"kept", "extended", "confirmed"}
    detail = (await reader.get("/notify/v1/clocks/kept:share.reply:1")).json()
    assert [(each["outcome"], each["calendar_after"]) for each in detail["redatings"]] == [
        ("kept", "cn-2027.1")
    ]


async def test_a_clock_that_ran_past_a_provisional_date_is_judged_on_activation(
    city: Desk, node_files: NodeFiles
) -> None:
    city.at(2026, 12, 30, 2)
    await city.start_clock("late")
    city.at(2027, 1, 20, 2)
    reader = city.person("authority_supervisor", organisation=AUTHORITY)
    path = "/notify/v1/clocks/late:share.reply:1"
    assert (await reader.get(path)).json()["state"] == "due_soon"
    await city.run("reminders")
    await activate(city, node_files)
    assert (await reader.get(path)).json()["state"] == "overdue"
    await city.run("reminders")
    assert (await reader.get(path)).json()["state"] == "escalated"


async def test_a_proposal_and_its_activation_are_broadcast_with_the_citys_signature(
    city: Desk, node_files: NodeFiles
) -> None:
    version = await activate(city, node_files)
    proposed, active = await broadcasts(city)
    assert (proposed.state, active.state) == ("proposed", "active")
    assert {proposed.version, active.version} == {version}
    assert proposed.signature == ""
    content = orjson.dumps(
        {
            "document": orjson.loads(active.document),
            "key_id": active.key_id,
            "signature": active.signature,
        }
    )
    async with city.runtime.database.transaction() as tx:
        assert await city.runtime.calendars.take(tx, content) == version


async def test_a_county_previews_a_proposal_and_recomputes_when_it_is_active(
    city: Desk, desk: Desk, node_files: NodeFiles
) -> None:
    desk.at(2027, 2, 5, 2)
    clock_id = await desk.start_clock("extended")
    await activate(city, node_files)
    proposed, active = await broadcasts(city)
    await desk.deliver(proposed, TYPE, source_node=CITY, key=proposed.version)
    reader = desk.person("authority_supervisor", organisation=AUTHORITY)
    shown = (await reader.get(f"{CALENDARS}/{proposed.version}/preview")).json()["items"]
    assert [each["clock_id"] for each in shown] == [clock_id]
    await desk.deliver(active, TYPE, source_node=CITY, key=active.version)
    after = (await reader.get(f"/notify/v1/clocks/{clock_id}")).json()
    assert (after["counts_on"], after["provisional"]) == (shown[0]["counts_after"], False)
    await desk.deliver(active, TYPE, source_node=CITY, key=active.version)
    again = (await reader.get(f"/notify/v1/clocks/{clock_id}")).json()
    assert again == after


async def test_a_county_cannot_import_a_schedule(desk: Desk) -> None:
    legal = desk.person("legal_officer", organisation=AUTHORITY)
    answer = await legal.post(CALENDARS, schedule())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:yiwang:problem:not-the-city")


async def test_no_county_takes_a_calendar_from_its_neighbour(desk: Desk) -> None:
    published = event_spec(TYPE).model(
        version="cn-2027.1",
        base="cn-2026.1",
        state="proposed",
        document="{}",
        digest="",
        source_document="",
        changed_at=desk.clock.now().isoformat(),
    )
    with pytest.raises(Poison):
        await desk.deliver(published, TYPE, source_node="441581", key="cn-2027.1")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"year": 2029}, "year"),
        ({"days": []}, "days"),
        ({"days": [{"date": "2027-01-01", "kind": "off", "name": "生日"}]}, "schedule"),
        ({"days": [{"date": "2027-01-01", "kind": "off", "name": "元旦"}]}, "schedule"),
    ],
)
async def test_an_unusable_schedule_is_refused_and_nothing_is_kept(
    city: Desk, change: dict[str, Any], expected: str
) -> None:
    legal = city.person("legal_officer", organisation=AUTHORITY)
    answer = await legal.post(CALENDARS, schedule(**change))
    assert answer.status_code == 422, answer.text
    assert expected in answer.text
    assert (await legal.get(CALENDARS)).json()["items"] == []


async def test_a_schedule_is_read_from_a_file_in_gb18030(city: Desk) -> None:
    days = schedule()["schedule"]["days"]
    lines = ["date,kind,name", *(f"{day['date']},{day['kind']},{day['name']}" for day in days)]
    content = "\n".join(lines).replace("spring_festival", "春节").encode("gb18030")
    legal = city.person("legal_officer", organisation=AUTHORITY)
    answer = await legal.post(
        f"{CALENDARS}/file",
        files={"file": ("2027.csv", content, "text/csv")},
        data={"year": "2027", "source": "国办发明电〔2026〕示例号"},
    )
    assert answer.status_code == 201, answer.text
    detail = (await legal.get(f"{CALENDARS}/{answer.json()['version']}")).json()
    assert detail["changed_days"]["2027-01-31"] is True
    assert detail["horizon"] == "2027-12-31"


async def test_one_proposal_is_open_at_a_time_and_a_withdrawn_one_makes_room(city: Desk) -> None:
    proposal = await propose(city)
    legal = city.person("legal_officer", organisation=AUTHORITY)
    assert (await legal.post(CALENDARS, schedule())).status_code == 409
    path = f"{CALENDARS}/{proposal['version']}/reject"
    answer = await legal.post(path, {"reason": "文号有误"})
    assert answer.json()["state"] == "withdrawn"
    assert (await propose(city))["version"] == "cn-2027.2"


async def test_an_ordered_closure_extends_what_runs(city: Desk, node_files: NodeFiles) -> None:
    city.at(2026, 9, 14, 2)
    clock_id = await city.start_clock("typhoon")
    closure = {
        "day": "2026-09-16",
        "workday": False,
        "reason": "台风停工",
        "document": "汕府办〔2026〕示例号",
    }
    version = await activate(city, node_files, {"exemptions": [closure]})
    assert version == "cn-2026.2"
    reader = city.person("authority_supervisor", organisation=AUTHORITY)
    after = (await reader.get(f"/notify/v1/clocks/{clock_id}")).json()
    assert after["counts_on"] == "2026-09-21"


async def test_from_november_on_a_missing_year_raises_an_alarm_once_a_week(desk: Desk) -> None:
    supervisor = desk.person("authority_supervisor", organisation=AUTHORITY)

    async def alarms() -> list[str]:
        items = (await supervisor.get("/notify/v1/inbox", kind="alarm")).json()["items"]
        return [each["at"][:10] for each in items][::-1]

    desk.at(2026, 10, 31, 2)
    await desk.run("calendar-watch")
    assert await alarms() == []
    for day in (1, 2, 9):
        desk.at(2026, 11, day, 2)
        await desk.run("calendar-watch")
        await desk.run("calendar-watch")
    assert await alarms() == ["2026-11-01", "2026-11-02", "2026-11-09"]
    body = (await supervisor.get(CALENDARS)).json()
    assert body["missing_year"] == 2027


async def test_an_imported_year_ends_the_alarm(city: Desk, node_files: NodeFiles) -> None:
    city.at(2026, 11, 20, 2)
    await activate(city, node_files)
    await city.run("calendar-watch")
    supervisor = city.person("authority_supervisor", organisation=AUTHORITY)
    assert (await supervisor.get("/notify/v1/inbox", kind="alarm")).json()["items"] == []
    assert (await supervisor.get(CALENDARS)).json()["missing_year"] is None


async def test_every_service_of_every_node_takes_the_calendar_from_the_bus(
    city: Desk, desk: Desk, node_files: NodeFiles
) -> None:
    await activate(city, node_files)
    _, active = await broadcasts(city)
    handlers = kernel_handlers(desk.runtime)
    for source_node, payload in (
        ("441581", active),
        (CITY, active.model_copy(update={"signature": "A" * 86})),
        (CITY, active.model_copy(update={"document": "{"})),
    ):
        with pytest.raises(Poison):
            await desk.deliver(payload, TYPE, source_node=source_node, handlers=handlers)
    await desk.deliver(active, TYPE, source_node=CITY, handlers=handlers)
    assert desk.runtime.calendar().version == "cn-2026.1"
    await desk.runtime.calendars.refresh(desk.runtime.database)
    assert desk.runtime.calendar().version == "cn-2027.1"


def test_versions_are_ordered_by_their_numbers() -> None:
    versions = ["cn-2026.10", "cn-2027.1", "cn-2026.9"]
    assert sorted(versions, key=version_order) == ["cn-2026.9", "cn-2026.10", "cn-2027.1"]


def test_the_counties_of_these_tests_are_not_the_city() -> None:
    assert COUNTY != CITY
