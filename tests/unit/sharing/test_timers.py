"""What the passage of time does: alarms on silence, confirmation by lapse of time."""

from datetime import UTC, datetime

from sharing.filings.domain import FilingState
from sharing.requests import timers
from sharing.requests.domain import RequestState
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, World, entry, with_gate
from tests.unit.sharing.story import arrived, clocks, delivered, received, sent, submitted


async def silent(rulebook=None):
    """A request whose source's node does not answer, submitted on the Friday before the festival."""
    world = World(rulebook)
    world.clock.instant = datetime(2026, 2, 13, 1, tzinfo=UTC)
    world.publish(entry())
    world.held_back.add(LUFENG)
    return world, await submitted(world)


async def alarm(world, request_id):
    node = world[HAIFENG]
    return await timers.alarm_unreachable(node, request_id, context=node.context)


async def test_silence_of_the_other_node_alarms_both_authorities_once():
    world, request_id = await silent()
    assert not await alarm(world, request_id)
    world.clock.advance(days=1)  # 14 February is a make-up working day: it counts in full
    assert not await alarm(world, request_id)
    world.clock.advance(days=1)
    assert await alarm(world, request_id)
    assert not await alarm(world, request_id)
    copies = world[HAIFENG].events("yiwang.sharing.request.status.v1")
    assert [copy.state for copy in copies] == ["source_unreachable"] * 2
    notices = world[HAIFENG].events("yiwang.notice.posted.v1")
    assert [notice.org_id for notice in notices] == [f"{HAIFENG}-a"]
    assert sent(world, request_id).state is RequestState.DISPATCHED


async def test_a_receipt_that_came_raises_no_alarm():
    world, request_id = await silent()
    world.held_back.clear()
    await world.settle()
    world.clock.advance(days=20)
    assert not await alarm(world, request_id)


async def test_the_alarm_is_a_policy_that_can_be_switched_off():
    world, request_id = await silent(with_gate("unreachable_alarm", enabled=False))
    world.clock.advance(days=20)
    assert not await alarm(world, request_id)


async def test_a_filing_without_receipt_is_noticed_once():
    world = World()
    world.publish(entry())
    world.held_back.add(CITY)
    await submitted(world)
    node = world[HAIFENG]
    stuck = next(each for each in node.filings.values() if each.state is FilingState.QUEUED)
    world.clock.advance(days=20)
    found = [
        await timers.alarm_filing(node, filing_id, context=node.context)
        for filing_id in (*node.filings, stuck.filing_id)
    ]
    assert found == [False, True, False]


async def test_a_delivery_counts_as_confirmed_after_its_days_but_proves_nothing():
    world, request_id = await arrived()
    await delivered(world, request_id)
    node = world[HAIFENG]
    world.clock.advance(days=3)
    assert not await timers.auto_confirm(node, request_id, context=node.context)
    world.clock.advance(days=30)
    assert await timers.auto_confirm(node, request_id, context=node.context)
    await world.settle()
    assert received(world, request_id).state is RequestState.ACTIVE
    assert sent(world, request_id).proved_at is None
    assert not [each for each in clocks(world) if each[0] == "ended:share.delivery.proved"]
    assert not await timers.auto_confirm(node, request_id, context=node.context)
