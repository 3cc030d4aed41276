"""How grants end: revoked, expired, returned, taken down; never without notice."""

import pytest

from kernel.problems import NotFound, NotPermitted, OtherOrganisation
from sharing.errors import GrantOver
from sharing.grants import service
from sharing.grants.domain import GrantState
from sharing.grants.schemas import ReturnGrant, RevokeGrant
from sharing.requests.domain import RequestState
from tests.support.sharing_world import HAIFENG, LAW, LUFENG, World, entry, person
from tests.unit.sharing.story import (
    APPROVER,
    CLERK,
    arrived,
    clocks,
    delivered,
    fetched,
    received,
    sent,
    submitted,
)


async def granted():
    world, request_id = await arrived()
    request = await delivered(world, request_id)
    return world, request_id, request.grant_id


async def revoke(world, grant_id, by=APPROVER, **more):
    node = world[LUFENG]
    body = RevokeGrant.model_validate({"explanation": "超出约定用途", **more})
    grant = await service.revoke(node, grant_id, body, principal=by, context=node.context)
    await world.settle()
    return grant


async def test_a_revoked_grant_ends_on_both_sides_and_tells_why():
    world, request_id, grant_id = await granted()
    grant = await revoke(world, grant_id, basis=[LAW])
    assert (grant.state, grant.end_reason) == (GrantState.ENDED, "revoked")
    assert not grant.usable_at(world.clock.now())
    held = world[HAIFENG].grants[grant_id, "held"]
    assert (held.state, held.explanation) == (GrantState.ENDED, "超出约定用途")
    assert held.end_basis[0].level == "law"
    assert sent(world, request_id).state is RequestState.ENDED
    assert received(world, request_id).end_reason == "revoked"
    titles = [each.title_en for each in world[HAIFENG].events("yiwang.notice.posted.v1")]
    assert titles[-1] == "A grant of yours has ended"


async def test_a_revocation_before_the_first_call_ends_the_delivery_clock():
    world, _, grant_id = await granted()
    await revoke(world, grant_id)
    assert clocks(world)[-1] == ("ended:share.grant.ended", "share.deliver")


async def test_a_revocation_after_the_first_call_ends_no_clock_again():
    world, _, grant_id = await granted()
    await fetched(world, grant_id)
    before = clocks(world)
    await revoke(world, grant_id)
    assert clocks(world) == before


async def test_the_catalogue_learns_that_nothing_depends_on_the_entry_any_more():
    world, _, grant_id = await granted()
    await revoke(world, grant_id)
    (ended,) = world[LUFENG].events("yiwang.catalog.dependent.ended.v1")
    assert (ended.dependent_id, ended.reason) == (grant_id, "revoked")


async def test_the_announcement_of_a_grant_is_guarded_by_the_grant():
    world, _, grant_id = await granted()
    (announced,) = [
        each for each in world[LUFENG].sent if each.type == "yiwang.sharing.request.delivered.v1"
    ]
    assert announced.guard == f"grant:{grant_id}"


async def test_a_grant_that_ended_before_its_announcement_left_ends_the_request():
    world = World()
    world.publish(entry(share_type="unconditional"))
    request_id = await submitted(world, settle=False)
    world.held_back.add(LUFENG)
    waiting = world[HAIFENG].outgoing.pop(0)
    await world._arrive(HAIFENG, *waiting)
    grant_id = received(world, request_id).grant_id
    await revoke(world, grant_id)
    # what the relay does with an event whose guard has ended: nobody gets it
    outgoing = world[LUFENG].outgoing
    outgoing[:] = [each for each in outgoing if each[1].guard is None]
    world.held_back.clear()
    await world.settle()
    assert sent(world, request_id).state is RequestState.ENDED
    assert (grant_id, "held") not in world[HAIFENG].grants


async def test_a_grant_ends_once():
    world, _, grant_id = await granted()
    await revoke(world, grant_id)
    with pytest.raises(GrantOver):
        await revoke(world, grant_id)
    assert len(world[LUFENG].events("yiwang.sharing.grant.ended.v1")) == 1


async def test_only_the_source_revokes():
    world, _, grant_id = await granted()
    with pytest.raises(OtherOrganisation):
        await revoke(world, grant_id, by=person(LUFENG, "source_approver", org_id="stranger"))
    with pytest.raises(NotPermitted):
        await revoke(world, grant_id, by=person(LUFENG, "authority_approver"))
    with pytest.raises(NotFound):
        await revoke(world, "019a7b00-0000-7000-8000-0000000000ff")


async def test_a_grant_ends_when_its_period_is_over_and_not_before():
    world, request_id, grant_id = await granted()
    node = world[LUFENG]
    world.clock.advance(days=179)
    assert not await service.expire(node, grant_id, context=node.context)
    world.clock.advance(days=1)
    assert not node.grants[grant_id, "issued"].usable_at(world.clock.now())
    assert await service.expire(node, grant_id, context=node.context)
    assert not await service.expire(node, grant_id, context=node.context)
    await world.settle()
    assert world[HAIFENG].grants[grant_id, "held"].end_reason == "expired"
    assert sent(world, request_id).end_reason == "expired"


async def test_a_takedown_ends_every_grant_of_the_entry():
    world, request_id, grant_id = await granted()
    node = world[LUFENG]
    ended = await service.end_for_takedown(node, entry().entry_id, context=node.context)
    await world.settle()
    assert ended == 1
    assert world[HAIFENG].grants[grant_id, "held"].end_reason == "takedown"
    assert sent(world, request_id).state is RequestState.ENDED
    assert await service.end_for_takedown(node, entry().entry_id, context=node.context) == 0


async def test_a_holder_gives_a_grant_back():
    world, request_id, grant_id = await granted()
    node = world[HAIFENG]
    body = ReturnGrant(explanation="业务已结束")
    await service.give_back(node, grant_id, body, principal=CLERK, context=node.context)
    await world.settle()
    assert world[LUFENG].grants[grant_id, "issued"].end_reason == "returned"
    assert world[HAIFENG].grants[grant_id, "held"].state is GrantState.ENDED
    assert received(world, request_id).state is RequestState.ENDED
