"""Who may say what about a case; causes that have not been seen; one node on both sides."""

from dataclasses import replace

import pytest

from contracts.events.sharing import RequestReplied, RequestWithdrawn
from kernel.handlers import NotYet, Poison
from sharing.requests import answers, arrivals
from sharing.requests.domain import RequestState
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, World, agency, apply, entry
from tests.unit.sharing.story import arrived, delivered, received, sent, submitted


def event_of(world, at, event_type, *, number=0):
    """The nth event of a type that a node has sent, as its receiver would get it."""
    found = [each for each in world[at].sent if each.type == event_type]
    return world.received(at, f"copy-{number}", found[number])


async def test_a_request_from_a_node_that_is_not_the_requesters_is_poison():
    world = World()
    world.publish(entry())
    await submitted(world, settle=False)
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    forged = replace(event, source_node=CITY)
    with pytest.raises(Poison):
        await apply(world[LUFENG], forged)
    with pytest.raises(Poison):
        await apply(world[CITY], event)


async def test_a_request_for_an_entry_not_yet_known_waits_for_it():
    world = World()
    world.publish(entry(), to=[HAIFENG])
    await submitted(world, settle=False)
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    with pytest.raises(NotYet):
        await apply(world[LUFENG], event)
    assert world[LUFENG].requests == {}
    world.publish(entry(), to=[LUFENG])
    await apply(world[LUFENG], event)
    assert len(world[LUFENG].requests) == 1


async def test_an_unconditional_request_of_an_agency_not_yet_known_waits_for_it():
    world = World()
    world.publish(entry(share_type="unconditional"))
    known = world[LUFENG].agencies.pop(f"{HAIFENG}-a")
    await submitted(world, settle=False)
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    with pytest.raises(NotYet):
        await apply(world[LUFENG], event)
    world[LUFENG].agencies[known.org_id] = known
    await apply(world[LUFENG], event)
    assert len(world[LUFENG].grants) == 1


async def test_a_request_that_arrives_twice_is_stored_once():
    world, request_id = await arrived()
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    before = received(world, request_id)
    emitted = len(world[LUFENG].sent)
    await apply(world[LUFENG], event)
    assert received(world, request_id) == before
    assert len(world[LUFENG].sent) == emitted


async def test_only_the_source_may_answer_and_only_the_requester_may_withdraw():
    world, request_id = await arrived()
    reply = RequestReplied(
        request_id=request_id,
        outcome="agreed",
        replied_by="x",
        replied_at="2026-02-14T00:00:00Z",
        entry_version=1,
    )
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    with pytest.raises(Poison):
        await answers.reply_came(
            world[HAIFENG], replace(event, source_node=CITY), reply, context=world[HAIFENG].context
        )
    withdrawn = RequestWithdrawn(
        request_id=request_id, withdrawn_by="x", withdrawn_at="2026-02-14T00:00:00Z"
    )
    with pytest.raises(Poison):
        await arrivals.withdrawal_arrived(
            world[LUFENG],
            replace(event, source_node=CITY),
            withdrawn,
            context=world[LUFENG].context,
        )
    assert sent(world, request_id).state is RequestState.RECEIVED_BY_SOURCE
    assert received(world, request_id).state is RequestState.RECEIVED


async def test_an_answer_before_its_request_waits():
    world, request_id = await arrived()
    await delivered(world, request_id)
    event = event_of(world, LUFENG, "yiwang.sharing.request.replied.v1")
    world[HAIFENG].requests.clear()
    with pytest.raises(NotYet):
        await apply(world[HAIFENG], event)


async def test_a_delivery_may_overtake_the_receipt():
    world = World()
    world.publish(entry(share_type="unconditional"))
    request_id = await submitted(world, settle=False)
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    await apply(world[LUFENG], event)
    await apply(world[HAIFENG], event_of(world, LUFENG, "yiwang.sharing.request.delivered.v1"))
    assert sent(world, request_id).state is RequestState.DELIVERED
    await world._receipt(LUFENG, HAIFENG, event, "sharing")
    after = sent(world, request_id)
    assert after.state is RequestState.DELIVERED
    assert after.receipt.stored_at is not None


async def test_one_node_holds_both_sides_of_a_request_between_its_own_agencies():
    world = World()
    world.announce(agency(HAIFENG, org_id="owner"))
    world.publish(entry(HAIFENG, org_id="owner", share_type="unconditional"))
    request_id = await submitted(world)
    node = world[HAIFENG]
    assert sent(world, request_id).asked.relation == "same_region"
    assert sent(world, request_id).state is RequestState.DELIVERED
    assert received(world, request_id, at=HAIFENG).state is RequestState.DELIVERED
    assert {side for _, side in node.grants} == {"held", "issued"}
    assert node.filings == {}
    assert {event.destination for event in node.sent} == {HAIFENG}


async def test_the_providing_department_answers_whomever_the_requester_has_named():
    world = World()
    world.publish(entry())
    await submitted(world, settle=False)
    event = event_of(world, HAIFENG, "yiwang.sharing.request.dispatched.v1")
    named = event.payload.model_copy(
        update={"source": event.payload.source.model_copy(update={"org_id": "another"})}
    )
    await apply(world[LUFENG], replace(event, payload=named))
    theirs = received(world, named.request_id)
    assert theirs.asked.source.org_id == f"{LUFENG}-a"
