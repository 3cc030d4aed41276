"""A filing as its filer follows it: receipts, numbers, returns, completions."""

import pytest

from contracts.events.filing import FilingReceived, FilingRecorded, FilingReturned
from kernel.handlers import Poison
from kernel.problems import OtherOrganisation
from sharing.errors import FilingNotReturned
from sharing.filings import service
from sharing.filings.domain import FilingState, follows
from sharing.filings.schemas import CompleteFiling
from sharing.requests.domain import RequestState
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, World, entry, person
from tests.unit.sharing.story import CLERK, arrived, sent, submitted

S = FilingState
AT = "2026-02-24T02:00:00Z"


def filing(world, rule="F2b", at=HAIFENG):
    return next(each for each in world[at].filings.values() if each.rule == rule)


async def received(world, desk=CITY, rule="F2b", state="received", at=HAIFENG):
    found = filing(world, rule, at)
    payload = FilingReceived(
        filing_id=found.filing_id,
        filing_no=f"BA{desk}-F2B-2026-000001",
        receiver_node=desk,
        received_at=AT,
        state=state,
    )
    await world.from_desk(desk, at, "yiwang.filing.received.v1", payload)


async def recorded(world, desk=CITY, rule="F2b", external_no=None, at=HAIFENG):
    payload = FilingRecorded(
        filing_id=filing(world, rule, at).filing_id,
        filing_no=f"BA{desk}-F2B-2026-000001",
        recorded_by="reviewer",
        recorded_at=AT,
        external_no=external_no,
    )
    await world.from_desk(desk, at, "yiwang.filing.recorded.v1", payload)


async def returned(world, desk=CITY, rule="F2b"):
    payload = FilingReturned(
        filing_id=filing(world, rule).filing_id,
        filing_no=f"BA{desk}-F2B-2026-000001",
        returned_by="reviewer",
        returned_at=AT,
        reason="请补充使用范围",
    )
    await world.from_desk(desk, HAIFENG, "yiwang.filing.returned.v1", payload)


async def complete(world, by=CLERK):
    node = world[HAIFENG]
    body = CompleteFiling(summary="使用范围为受灾镇")
    found = await service.complete(
        node, filing(world).filing_id, body, principal=by, context=node.context
    )
    await world.settle()
    return found


async def test_a_filing_with_an_unreachable_desk_waits_and_holds_nothing_up():
    world = World()
    world.publish(entry())
    world.held_back.add(CITY)
    request_id = await submitted(world)
    assert filing(world).state is S.QUEUED
    assert filing(world, "F2a").state is S.RECEIVED
    assert sent(world, request_id).state is RequestState.RECEIVED_BY_SOURCE
    world.held_back.clear()
    await world.settle()
    assert filing(world).state is S.RECEIVED


async def test_a_filing_goes_from_receipt_over_number_to_record():
    world, _ = await arrived()
    assert (filing(world).state, filing(world).filing_no) == (S.RECEIVED, "")
    assert filing(world).receipt_at == world.clock.now()
    await received(world)
    assert filing(world).filing_no == "BA441500-F2B-2026-000001"
    await recorded(world)
    assert (filing(world).state, filing(world).recorded_by) == (S.RECORDED, "reviewer")


async def test_a_filing_outside_the_platform_waits_for_the_external_number():
    world = World()
    world.publish(entry())
    await submitted(world, at=CITY)
    assert filing(world, at=CITY).state is S.QUEUED
    await received(world, state="awaiting_external_receipt", at=CITY)
    assert filing(world, at=CITY).state is S.AWAITING_EXTERNAL_RECEIPT
    await recorded(world, external_no="粤政数备〔2026〕7号", at=CITY)
    found = filing(world, at=CITY)
    assert (found.state, found.external_no) == (S.RECORDED, "粤政数备〔2026〕7号")


async def test_a_returned_filing_leaves_the_request_alone_and_tells_its_filer():
    world, request_id = await arrived()
    await received(world)
    before = sent(world, request_id).state
    await returned(world)
    assert (filing(world).state, filing(world).return_reason) == (S.RETURNED, "请补充使用范围")
    assert sent(world, request_id).state is before
    notices = world[HAIFENG].events("yiwang.notice.posted.v1")
    assert notices[-1].org_id == f"{HAIFENG}-a"


async def test_a_completed_filing_is_with_the_desk_again():
    world, _ = await arrived()
    await received(world)
    await returned(world)
    done = await complete(world)
    assert done.round == 2
    (completed,) = world[HAIFENG].events("yiwang.filing.completed.v1")
    assert completed.summary == "使用范围为受灾镇"
    assert filing(world).state is S.RECEIVED
    await recorded(world)
    assert filing(world).state is S.RECORDED


async def test_only_a_returned_filing_is_completed_and_only_by_its_filer():
    world, _ = await arrived()
    with pytest.raises(FilingNotReturned):
        await complete(world)
    await received(world)
    await returned(world)
    with pytest.raises(OtherOrganisation):
        await complete(world, by=person(HAIFENG, "agency_clerk", org_id="stranger"))


async def test_a_desk_that_was_not_filed_with_cannot_record():
    world, _ = await arrived()
    with pytest.raises(Poison):
        await recorded(world, desk=LUFENG)
    assert filing(world).state is S.RECEIVED


async def test_a_record_is_final():
    world, _ = await arrived()
    await recorded(world)
    await returned(world)
    assert filing(world).state is S.RECORDED
    assert not follows(S.RECORDED, S.RETURNED)
