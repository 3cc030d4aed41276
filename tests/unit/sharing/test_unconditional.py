"""SM-2a: unconditional data is granted at once, or the request says what it lacks."""

import pytest

from sharing.errors import NothingAsked
from sharing.requests import service
from sharing.requests.domain import RequestState
from sharing.requests.schemas import AnswerSupplement
from tests.support.sharing_world import (
    HAIFENG,
    ITEMS,
    LUFENG,
    World,
    agency,
    entry,
    with_gate,
    with_rules,
)
from tests.unit.sharing.story import CLERK, clocks, received, sent, submitted

OPEN = {"share_type": "unconditional"}


async def answer(world: World, request_id: str, **more):
    node = world[HAIFENG]
    body = AnswerSupplement.model_validate({"explanation": "已更正", **more})
    request = await service.supplement(
        node, request_id, body, principal=CLERK, context=node.context
    )
    await world.settle()
    return request


async def test_an_unconditional_request_is_granted_and_delivered_at_once():
    world = World()
    world.publish(entry(**OPEN))
    request_id = await submitted(world)

    mine, theirs = sent(world, request_id), received(world, request_id)
    assert (mine.state, theirs.state) == (RequestState.DELIVERED, RequestState.DELIVERED)
    held = world[HAIFENG].grants[mine.grant_id, "held"]
    issued = world[LUFENG].grants[theirs.grant_id, "issued"]
    assert held.items == issued.items == ("code", "name")
    assert held.delivery_url.startswith(f"http://{LUFENG}.test/sharing/v1/delivery/")
    assert (held.valid_until - held.valid_from).days == 180
    assert mine.reply is None


async def test_the_source_is_told_and_has_nothing_to_do():
    world = World()
    world.publish(entry(**OPEN))
    await submitted(world)
    notices = world[LUFENG].events("yiwang.notice.posted.v1")
    assert [notice.org_id for notice in notices] == [f"{LUFENG}-a"]
    assert ("started", "share.reply") not in clocks(world)


async def test_the_policy_bound_of_an_automatic_grant_starts_and_ends_with_it():
    world = World()
    world.publish(entry(**OPEN))
    await submitted(world)
    assert clocks(world) == [
        ("started", "share.unconditional.grant"),
        ("ended:share.request.delivered", "share.unconditional.grant"),
    ]


async def test_the_catalogue_learns_that_a_grant_depends_on_the_entry():
    world = World()
    world.publish(entry(**OPEN))
    request_id = await submitted(world)
    (dependent,) = world[LUFENG].events("yiwang.catalog.dependent.added.v1")
    assert dependent.dependent_id == received(world, request_id).grant_id
    assert (dependent.entry_version, dependent.holder.org_id) == (1, f"{HAIFENG}-a")


async def test_an_item_that_is_gone_at_receipt_keeps_the_request_from_being_granted():
    world = World()
    world.publish(entry(**OPEN))
    world.publish(entry(**OPEN, version=2, record_version=2, items=ITEMS[:1]), to=[LUFENG])
    request_id = await submitted(world)

    mine, theirs = sent(world, request_id), received(world, request_id)
    assert (mine.state, theirs.state) == (RequestState.NEEDS_FIX, RequestState.NEEDS_FIX)
    assert [f.code for f in mine.supplements[0].findings] == ["item_unknown"]
    assert [f.field for f in mine.supplements[0].findings] == ["items.1"]
    assert world[LUFENG].grants == {}
    assert theirs.binding_version == 2


async def test_a_mended_request_is_granted():
    world = World()
    world.publish(entry(**OPEN))
    world.publish(entry(**OPEN, version=2, record_version=2, items=ITEMS[:1]), to=[LUFENG])
    request_id = await submitted(world)
    world.publish(entry(**OPEN, version=2, record_version=2, items=ITEMS[:1]), to=[HAIFENG])
    await answer(world, request_id, items=["code"])

    mine = sent(world, request_id)
    assert mine.state is RequestState.DELIVERED
    assert world[HAIFENG].grants[mine.grant_id, "held"].items == ("code",)
    assert mine.supplements[0].answered_by == CLERK.subject


async def test_a_supplement_that_mends_nothing_is_asked_for_again():
    world = World()
    world.publish(entry(**OPEN))
    world.publish(entry(**OPEN, version=2, record_version=2, items=ITEMS[:1]), to=[LUFENG])
    request_id = await submitted(world)
    await answer(world, request_id)
    mine = sent(world, request_id)
    assert mine.state is RequestState.NEEDS_FIX
    assert [supplement.round for supplement in mine.supplements] == [1, 2]


async def test_a_supplement_that_nobody_asked_for_is_refused():
    world = World()
    world.publish(entry(**OPEN))
    request_id = await submitted(world)
    with pytest.raises(NothingAsked):
        await answer(world, request_id)


async def test_an_entry_that_became_conditional_before_the_receipt_binds_as_conditional():
    world = World()
    world.publish(entry(**OPEN))
    world.publish(entry(share_type="conditional", version=2, record_version=2), to=[LUFENG])
    request_id = await submitted(world)
    theirs = received(world, request_id)
    assert (theirs.kind, theirs.state) == ("conditional", RequestState.RECEIVED)
    assert clocks(world) == [("started", "share.reply")]


async def test_an_agency_that_has_ended_meanwhile_gets_nothing():
    world = World()
    world.publish(entry(**OPEN))
    world[LUFENG].agencies[f"{HAIFENG}-a"] = agency(HAIFENG, state="ended")
    request_id = await submitted(world)
    findings = received(world, request_id).supplements[0].findings
    assert [finding.code for finding in findings] == ["requester_not_registered"]


async def test_good_standing_is_a_policy_that_can_be_switched_on():
    book = with_rules(gates={"good_standing": True})
    for enabled, state in ((False, RequestState.DELIVERED), (True, RequestState.NEEDS_FIX)):
        world = World(book if enabled else with_gate("good_standing", enabled=False))
        world.publish(entry(**OPEN))
        first = await submitted(world)
        await revoked(world, first)
        second = await submitted(world, purpose="另一用途")
        assert sent(world, second).state is state
    findings = received(world, second).supplements[0].findings
    assert [(finding.code, finding.text) for finding in findings] == [("good_standing", "policy")]


async def test_good_standing_comes_back_after_its_days():
    world = World(with_rules(gates={"good_standing": True}))
    world.publish(entry(**OPEN))
    await revoked(world, await submitted(world))
    world.clock.advance(days=31)
    second = await submitted(world, purpose="另一用途")
    assert sent(world, second).state is RequestState.DELIVERED


async def revoked(world: World, request_id: str) -> None:
    from sharing.grants import service as grants  # noqa: PLC0415
    from sharing.grants.schemas import RevokeGrant  # noqa: PLC0415
    from tests.unit.sharing.story import APPROVER  # noqa: PLC0415

    node = world[LUFENG]
    await grants.revoke(
        node,
        received(world, request_id).grant_id or "",
        RevokeGrant(explanation="超出约定用途"),
        principal=APPROVER,
        context=node.context,
    )
    await world.settle()
