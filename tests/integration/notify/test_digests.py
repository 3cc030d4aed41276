"""Digests: a county's figures reach the city when they change, and the city sees their age."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from contracts.events.clock import ClockDigest
from kernel.handlers import Poison
from tests.integration.notify.support import CITY, COUNTY, Desk

pytestmark = pytest.mark.postgres
TYPE = "yiwang.clock.digest.v1"


async def digests(desk: Desk) -> list[Any]:
    return [orjson.loads(row.payload) for row in await desk.sent() if row.type == TYPE]


async def test_a_county_tells_the_city_its_figures(desk: Desk) -> None:
    desk.at(2026, 2, 13, 7)
    for number in range(3):
        await desk.start_clock(f"r-{number}")
    await desk.end_clock("r-0:share.reply:1")
    desk.at(2026, 2, 28, 2)
    await desk.run("digest")
    (row,) = [row for row in await desk.sent() if row.type == TYPE]
    assert (row.topic, row.key) == (f"filings.{CITY}.v1", COUNTY)
    payload = orjson.loads(row.payload)
    assert payload["lines"] == [
        {
            "rule": "share.reply",
            "open": 2,
            "due_soon": 0,
            "overdue": 2,
            "ended_on_time": 1,
            "ended_late": 0,
        }
    ]
    assert payload["overdue_cases"] == [f"R{COUNTY}-r-1", f"R{COUNTY}-r-2"]


async def test_figures_that_did_not_change_are_not_sent_again_within_the_hour(
    desk: Desk,
) -> None:
    await desk.start_clock("r-1")
    for _ in range(3):
        await desk.run("digest")
        desk.clock.advance(minutes=15)
    assert len(await digests(desk)) == 1
    desk.clock.advance(minutes=20)
    await desk.run("digest")
    assert len(await digests(desk)) == 2


async def test_a_change_is_sent_at_the_next_turn(desk: Desk) -> None:
    await desk.run("digest")
    desk.clock.advance(minutes=20)
    await desk.start_clock("r-1")
    await desk.run("digest")
    assert [[line["open"] for line in each["lines"]] for each in await digests(desk)] == [[], [1]]


async def test_a_deadline_that_passes_at_midnight_is_told_without_any_event(desk: Desk) -> None:
    desk.at(2026, 2, 13, 7)
    await desk.start_clock("r-1")
    desk.at(2026, 2, 27, 15, 50)
    await desk.run("digest")
    desk.at(2026, 2, 27, 16, 1)
    await desk.run("digest")
    assert [each["lines"][0]["overdue"] for each in await digests(desk)] == [0, 1]


async def test_the_city_sends_none(city: Desk) -> None:
    await city.run("digest")
    assert await digests(city) == []


def digest(node: str, as_of: str, *, open_: int = 3) -> ClockDigest:
    line = {
        "rule": "share.reply",
        "open": open_,
        "due_soon": 0,
        "overdue": 0,
        "ended_on_time": 0,
        "ended_late": 0,
    }
    return ClockDigest(node=node, as_of=as_of, lines=(line,))


async def test_the_city_lists_every_county_with_the_age_of_its_figures(city: Desk) -> None:
    as_of = city.clock.now().isoformat()
    await city.deliver(digest(COUNTY, as_of), TYPE, source_node=COUNTY, key=COUNTY)
    city.clock.advance(minutes=90)
    supervisor = city.person("authority_supervisor")
    listed = (await supervisor.get("/notify/v1/digests")).json()["items"]
    told = {each["node"]: (each["own"], each["age_seconds"], each["stale"]) for each in listed}
    assert told == {
        CITY: (True, 0, False),
        COUNTY: (False, 5400, False),
        "441581": (False, None, True),
    }
    city.clock.advance(hours=1)
    later = (await supervisor.get("/notify/v1/digests")).json()["items"]
    assert {each["node"]: each["stale"] for each in later}[COUNTY]


async def test_an_older_digest_does_not_replace_a_newer_one(city: Desk) -> None:
    now = city.clock.now()
    for hours, open_ in ((1, 8), (0, 3)):
        as_of = (now + timedelta(hours=hours)).isoformat()
        await city.deliver(digest(COUNTY, as_of, open_=open_), TYPE, source_node=COUNTY, key=COUNTY)
    city.clock.advance(hours=1)
    supervisor = city.person("authority_supervisor")
    listed = (await supervisor.get("/notify/v1/digests")).json()["items"]
    held = {each["node"]: each["lines"] for each in listed}
    assert held[COUNTY][0]["open"] == 8


async def test_a_county_takes_no_digest_from_its_neighbour(desk: Desk) -> None:
    with pytest.raises(Poison):
        await desk.deliver(
            digest("441581", desk.clock.now().isoformat()), TYPE, source_node="441581"
        )


async def test_an_agency_does_not_see_the_figures(city: Desk) -> None:
    clerk = city.person("agency_clerk", organisation="org-city")
    assert (await clerk.get("/notify/v1/digests")).status_code == 403
