"""Withdrawals, also those that cross the source's answer on the way."""

import pytest

from sharing.errors import RequestStateConflict
from sharing.grants.domain import GrantState
from sharing.requests import replying, service
from sharing.requests.domain import RequestState
from sharing.requests.schemas import Decision, ReplyRequest, WithdrawRequest
from tests.support.sharing_world import HAIFENG, LUFENG, World, entry, with_gate
from tests.unit.sharing.story import (
    AGREED,
    CLERK,
    HANDLER,
    arrived,
    clocks,
    delivered,
    received,
    reviewed,
    sent,
    submitted,
)


async def withdraw(world, request_id, *, settle=True):
    node = world[HAIFENG]
    body = WithdrawRequest(reason="不再需要")
    request = await service.withdraw(node, request_id, body, principal=CLERK, context=node.context)
    if settle:
        await world.settle()
    return request


async def test_an_unanswered_request_is_taken_back_and_its_clock_ends():
    world, request_id = await arrived()
    await withdraw(world, request_id)
    assert sent(world, request_id).state is RequestState.WITHDRAWN
    assert received(world, request_id).state is RequestState.WITHDRAWN
    assert clocks(world)[-1] == ("ended:share.request.withdrawn", "share.reply")
    copies = world[HAIFENG].events("yiwang.sharing.request.status.v1")
    assert copies[-1].state == "withdrawn"


async def test_a_request_that_never_went_out_is_withdrawn_without_a_word():
    world = World(with_gate("requester_leader_approval", enabled=True))
    world.publish(entry())
    request_id = await submitted(world)
    await withdraw(world, request_id)
    assert world[HAIFENG].sent == []
    assert sent(world, request_id).state is RequestState.WITHDRAWN


async def test_an_answered_request_is_not_withdrawn():
    world, request_id = await arrived()
    await delivered(world, request_id)
    with pytest.raises(RequestStateConflict):
        await withdraw(world, request_id)


async def test_a_withdrawal_that_crosses_the_agreement_ends_both_sides_withdrawn():
    world, request_id = await arrived()
    await reviewed(world, request_id)
    node = world[LUFENG]
    await withdraw(world, request_id, settle=False)
    body = ReplyRequest.model_validate(AGREED)
    await replying.reply(node, request_id, body, principal=HANDLER, context=node.context)
    await world.settle()
    mine, theirs = sent(world, request_id), received(world, request_id)
    assert (mine.state, theirs.state) == (RequestState.WITHDRAWN, RequestState.WITHDRAWN)
    assert mine.reply.outcome == "agreed"
    assert clocks(world)[-1] == ("ended:share.request.withdrawn", "share.deliver")


async def test_a_withdrawal_that_crosses_the_delivery_ends_the_grant():
    world = World()
    world.publish(entry(share_type="unconditional"))
    request_id = await submitted(world, settle=False)
    await withdraw(world, request_id)
    theirs = received(world, request_id)
    assert (theirs.state, theirs.end_reason) == (RequestState.ENDED, "returned")
    assert world[LUFENG].grants[theirs.grant_id, "issued"].state is GrantState.ENDED
    held = world[HAIFENG].grants[theirs.grant_id, "held"]
    assert (held.state, held.end_reason) == (GrantState.ENDED, "returned")
    assert sent(world, request_id).state is RequestState.WITHDRAWN


async def test_a_withdrawal_that_crosses_the_refusal_leaves_each_side_at_its_end():
    world, request_id = await arrived()
    node = world[LUFENG]
    await withdraw(world, request_id, settle=False)
    law = {"level": "law", "title": "数据安全法", "article": "第三十八条"}
    refusal = {"part": "all", "reason": "依法不得提供", "basis": [law]}
    body = ReplyRequest.model_validate({"outcome": "refused", "refused": [refusal]})
    await replying.reply(node, request_id, body, principal=HANDLER, context=node.context)
    await world.settle()
    assert sent(world, request_id).state is RequestState.WITHDRAWN
    assert received(world, request_id).state is RequestState.REFUSED
    ended = [event for event in clocks(world) if event[0].startswith("ended")]
    assert ended == [("ended:share.request.replied", "share.reply")]


async def test_a_stale_confirmation_after_the_end_changes_nothing():
    world, request_id = await arrived()
    await delivered(world, request_id)
    world.held_back.add(HAIFENG)
    node = world[HAIFENG]
    await service.confirm(node, request_id, Decision(), principal=CLERK, context=node.context)
    from sharing.grants import service as grants  # noqa: PLC0415
    from sharing.grants.schemas import RevokeGrant  # noqa: PLC0415
    from tests.unit.sharing.story import APPROVER  # noqa: PLC0415

    source = world[LUFENG]
    await grants.revoke(
        source,
        received(world, request_id).grant_id,
        RevokeGrant(explanation="停止"),
        principal=APPROVER,
        context=source.context,
    )
    world.held_back.clear()
    await world.settle()
    assert received(world, request_id).state is RequestState.ENDED
    assert sent(world, request_id).state is RequestState.ENDED
