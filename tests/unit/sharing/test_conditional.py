"""SM-2b and SM-3: receipt, clocks, reply, refusal, delivery."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.problems import (
    Invalid,
    NotPermitted,
    OtherOrganisation,
    ProblemError,
    SeparationOfDuties,
    StaleVersion,
)
from sharing.errors import (
    NothingProposed,
    NothingToDeliver,
    NotShareable,
    RefusalBasisMissing,
    RefusalBasisTooWeak,
    RefusalIncomplete,
    ReplyContradicts,
    RequestStateConflict,
    ReviewFailed,
    ReviewItemUnknown,
    ReviewMissing,
)
from sharing.requests import replying, service
from sharing.requests.domain import RequestState
from sharing.requests.schemas import (
    AnswerSupplement,
    AskSupplement,
    Decision,
    ReplyRequest,
    ReviewRequest,
)
from tests.support.sharing_world import (
    HAIFENG,
    ITEMS,
    LAW,
    LUFENG,
    PAPER,
    World,
    entry,
    person,
    with_gate,
    with_rules,
)
from tests.unit.sharing.story import (
    AGREED,
    APPROVER,
    CLERK,
    HANDLER,
    REVIEWER,
    arrived,
    clocks,
    delivered,
    fetched,
    received,
    replied,
    reviewed,
    sent,
    submitted,
)

REFUSE_NAME = {"part": "item", "name": "name", "reason": "涉及个人隐私", "basis": [LAW]}
REFUSE_ALL = {"part": "all", "reason": "依法不得提供", "basis": [LAW]}


async def test_three_instants_of_the_receipt_are_kept():
    world = World()
    world.publish(entry())
    request_id = await submitted(world, settle=False)
    assert sent(world, request_id).state is RequestState.DISPATCHED
    world.clock.advance(hours=3)
    await world.settle()
    receipt = sent(world, request_id).receipt
    now = world.clock.now()
    assert receipt.entered_at == now - timedelta(seconds=2)
    assert (receipt.stored_at, receipt.returned_at) == (now, now)
    assert sent(world, request_id).state is RequestState.RECEIVED_BY_SOURCE
    assert received(world, request_id).receipt.stored_at == now
    assert received(world, request_id).receipt.returned_at is None


@pytest.mark.parametrize(
    ("at", "due_on"),
    [
        (datetime(2026, 2, 13, 1, tzinfo=UTC), "2026-02-27"),  # make-up Saturday, festival
        (datetime(2026, 2, 13, 15, 59, tzinfo=UTC), "2026-02-27"),  # 23:59 in Shanghai
        (datetime(2026, 2, 13, 16, 1, tzinfo=UTC), "2026-02-28"),  # the next day there
        (datetime(2026, 9, 24, 1, tzinfo=UTC), "2026-10-09"),
    ],
)
async def test_the_reply_is_due_five_working_days_after_the_day_of_receipt(at, due_on):
    world = World()
    world.clock.instant = at
    world, request_id = await arrived(world)
    due = received(world, request_id).reply_due
    assert (due.due_on, due.provisional, due.start_basis) == (due_on, False, "interpretation")


async def test_the_requester_and_both_desks_see_when_the_answer_is_due():
    world, request_id = await arrived()
    assert sent(world, request_id).reply_due == received(world, request_id).reply_due
    copies = world[HAIFENG].events("yiwang.sharing.request.status.v1")
    assert [copy.due.due_on for copy in copies] == ["2026-02-27", "2026-02-27"]


async def test_past_the_horizon_of_the_calendar_a_due_date_is_provisional():
    world = World()
    world.clock.instant = datetime(2026, 12, 29, 1, tzinfo=UTC)
    world, request_id = await arrived(world)
    due = received(world, request_id).reply_due
    assert due.provisional
    assert due.remind_on <= due.due_on


@pytest.mark.parametrize("event", ["entered_platform", "stored_by_source", "receipt_back"])
async def test_the_rules_say_which_instant_of_receipt_starts_the_clock(event):
    world = World(with_rules(parameters={"receipt_event": event}))
    world.clock.instant = datetime(2026, 3, 2, 16, 0, 1, tzinfo=UTC)  # 3 March, a second past
    world, request_id = await arrived(world)
    theirs = received(world, request_id)
    starts = {
        "entered_platform": "2026-03-02",
        "stored_by_source": "2026-03-03",
        "receipt_back": "2026-03-03",
    }
    assert theirs.reply_due.starts_on == starts[event]
    assert clocks(world) == [("started", "share.reply")]
    if event == "receipt_back":
        assert theirs.receipt.returned_at == sent(world, request_id).receipt.returned_at
    told = world[HAIFENG].events("yiwang.sharing.request.receipt_returned.v1")
    assert len(told) == (event == "receipt_back")


async def test_an_agreeing_reply_ends_one_clock_and_starts_the_next():
    world, request_id = await arrived()
    world.clock.advance(days=1)
    await reviewed(world, request_id)
    await replied(world, request_id)
    mine = sent(world, request_id)
    assert mine.state is RequestState.AGREED
    assert mine.reply.outcome == "agreed"
    assert mine.reply.granted_items == ("code", "name")
    assert mine.deliver_due.starts_on == "2026-02-14"
    assert mine.deliver_due.start_basis == "text"
    assert clocks(world) == [
        ("started", "share.reply"),
        ("ended:share.request.replied", "share.reply"),
        ("started", "share.deliver"),
    ]


async def test_delivery_is_complete_with_the_first_successful_call_not_with_the_grant():
    world, request_id = await arrived()
    request = await delivered(world, request_id)
    assert ("ended:share.delivery.proved", "share.deliver") not in clocks(world)
    await fetched(world, request.grant_id)
    assert clocks(world)[-1] == ("ended:share.delivery.proved", "share.deliver")
    mine = sent(world, request_id)
    assert mine.proved_at is not None
    assert world[HAIFENG].grants[request.grant_id, "held"].proved_at == mine.proved_at
    await fetched(world, request.grant_id)
    assert len(world[LUFENG].events("yiwang.sharing.delivery.proved.v1")) == 1


async def test_a_persons_confirmation_is_a_signed_receipt_that_ends_the_delivery_too():
    world, request_id = await arrived()
    request = await delivered(world, request_id)
    node = world[HAIFENG]
    await service.confirm(node, request_id, Decision(), principal=CLERK, context=node.context)
    await world.settle()
    assert received(world, request_id).state is RequestState.ACTIVE
    assert clocks(world)[-1] == ("ended:share.delivery.proved", "share.deliver")
    await fetched(world, request.grant_id)
    ended = [event for event in clocks(world) if event[0].startswith("ended:share.delivery")]
    assert len(ended) == 1


async def test_a_late_reply_is_not_on_time():
    world, request_id = await arrived()
    world.clock.advance(days=30)
    await reviewed(world, request_id)
    await replied(world, request_id)
    (ended,) = world[LUFENG].events("yiwang.clock.ended.v1")
    assert ended.on_time is False


async def test_status_copies_go_to_every_desk_that_holds_a_filing():
    world, request_id = await arrived()
    await reviewed(world, request_id)
    await replied(world, request_id)
    copies = world[HAIFENG].events("yiwang.sharing.request.status.v1")
    assert [copy.state for copy in copies] == [
        "received_by_source",
        "received_by_source",
        "agreed",
        "agreed",
    ]
    filings = {filing.filing_id for filing in world[HAIFENG].filings.values()}
    assert {copy.filing_id for copy in copies} == filings
    assert copies[-1].due.rule == "share.deliver"


async def test_the_entry_version_in_force_at_receipt_binds_not_a_later_one():
    world, request_id = await arrived()
    world.publish(entry(version=2, record_version=2, items=ITEMS[:1]))
    await reviewed(world, request_id)
    request = await replied(world, request_id)
    assert request.reply.entry_version == 1
    assert request.reply.granted_items == ("code", "name")


async def test_an_item_that_the_binding_version_lacks_binds_nobody():
    world = World()
    world.publish(entry())
    world.publish(entry(version=2, record_version=2, items=ITEMS[:1]), to=[LUFENG])
    request_id = await submitted(world)
    await reviewed(world, request_id)
    request = await replied(world, request_id)
    assert (request.reply.entry_version, request.reply.granted_items) == (2, ("code",))


# --- refusing and narrowing (G7) -----------------------------------------------------------------


async def refused(world, request_id, body):
    with pytest.raises(ProblemError) as caught:
        await replied(world, request_id, **body)
    error = caught.value
    assert received(world, request_id).state is RequestState.RECEIVED
    return error.errors if isinstance(error, Invalid) else [error]


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"outcome": "refused"}, RefusalBasisMissing, "refused"),
        ({"outcome": "refused", "refused": [{**REFUSE_ALL, "basis": []}]}, RefusalBasisMissing, "refused.0.basis"),
        ({"outcome": "refused", "refused": [{**REFUSE_ALL, "basis": [PAPER]}]}, RefusalBasisTooWeak, "refused.0.basis"),
        ({"outcome": "refused", "refused": [REFUSE_NAME]}, RefusalIncomplete, "refused"),
        ({"outcome": "agreed", "granted_items": ["code"]}, RefusalIncomplete, "refused"),
        ({"outcome": "agreed", "granted_term_days": 30}, RefusalIncomplete, "refused"),
        ({"outcome": "agreed_partly", "granted_items": ["code"]}, ReplyContradicts, "refused"),
        ({"outcome": "agreed_partly", "granted_items": ["code"], "refused": [{**REFUSE_NAME, "basis": [PAPER]}]}, RefusalBasisTooWeak, "refused.0.basis"),
        ({"outcome": "agreed_partly", "granted_items": ["code", "name"], "refused": [REFUSE_NAME]}, ReplyContradicts, "refused"),
        ({"outcome": "agreed", "granted_items": ["code", "name"], "refused": [REFUSE_ALL]}, ReplyContradicts, "outcome"),
        ({"outcome": "agreed_partly", "granted_items": ["code"], "refused": [REFUSE_ALL]}, ReplyContradicts, "refused"),
        ({"outcome": "agreed", "granted_items": ["code", "name", "households"]}, ReplyContradicts, "granted_items"),
        ({"outcome": "agreed", "granted_term_days": 999}, ReplyContradicts, "granted_term_days"),
        ({"outcome": "refused", "granted_items": ["code"], "refused": [REFUSE_ALL]}, ReplyContradicts, "granted_items"),
    ],
)  # fmt: skip
async def test_narrowing_without_a_law_regulation_or_rule_is_refused(body, error, field):
    world, request_id = await arrived()
    await reviewed(world, request_id)
    found = await refused(world, request_id, body)
    assert [refusal.field for refusal in found if type(refusal) is error] == [field]


async def test_a_refusal_with_its_basis_ends_the_request():
    world, request_id = await arrived()
    await replied(world, request_id, outcome="refused", refused=[REFUSE_ALL])
    mine = sent(world, request_id)
    assert (mine.state, mine.end_reason) == (RequestState.REFUSED, "refused")
    assert mine.reply.refused[0].basis[0].level == "law"
    assert clocks(world)[-1] == ("ended:share.request.replied", "share.reply")
    assert received(world, request_id).deliver_due is None


async def test_part_of_a_request_is_granted_and_the_rest_refused_with_its_basis():
    world, request_id = await arrived()
    await reviewed(world, request_id, name=False)
    await replied(
        world, request_id, outcome="agreed_partly", granted_items=["code"], refused=[REFUSE_NAME]
    )
    node = world[LUFENG]
    request = await replying.deliver(
        node, request_id, Decision(), principal=HANDLER, context=node.context
    )
    assert node.grants[request.grant_id, "issued"].items == ("code",)


async def test_a_shorter_period_with_its_basis_is_what_the_grant_gets():
    world, request_id = await arrived()
    await reviewed(world, request_id)
    shorter = {"part": "period", "reason": "统计期满即失效", "basis": [LAW]}
    await replied(
        world,
        request_id,
        outcome="agreed_partly",
        granted_items=["code", "name"],
        granted_term_days=30,
        refused=[shorter],
    )
    node = world[LUFENG]
    request = await replying.deliver(
        node, request_id, Decision(), principal=HANDLER, context=node.context
    )
    grant = node.grants[request.grant_id, "issued"]
    assert (grant.valid_until - grant.valid_from).days == 30


async def test_what_can_carry_a_refusal_the_rules_say():
    book = with_rules()
    rules = book.current
    gates = tuple(
        gate.model_copy(update={"basis_levels": ("normative",)}) if gate.id == "G7" else gate
        for gate in rules.gates
    )
    changed = type(rules).model_validate(
        {**rules.model_dump(by_alias=True, mode="json"), "gates": [g.model_dump() for g in gates]}
    )
    world = World(type(book)(versions={changed.version: changed}, current_version=changed.version))
    world, request_id = await arrived(world)
    found = await refused(world, request_id, {"outcome": "refused", "refused": [REFUSE_ALL]})
    assert type(found[0]) is RefusalBasisTooWeak
    await replied(world, request_id, outcome="refused", refused=[{**REFUSE_ALL, "basis": [PAPER]}])
    assert sent(world, request_id).state is RequestState.REFUSED


async def test_an_entry_that_is_not_shared_any_more_can_only_be_refused():
    world = World()
    world.publish(entry())
    world.publish(entry(share_type="none", version=2, record_version=2), to=[LUFENG])
    request_id = await submitted(world)
    await reviewed(world, request_id)
    found = await refused(world, request_id, AGREED)
    assert type(found[0]) is NotShareable
    await replied(world, request_id, outcome="refused", refused=[REFUSE_ALL])


# --- confidentiality review and separation of duties -------------------------------------------------


async def test_without_a_confidentiality_review_nobody_agrees():
    world, request_id = await arrived()
    found = await refused(world, request_id, AGREED)
    assert [(type(each), each.article) for each in found] == [(ReviewMissing, "第三十条第一款")]


async def test_an_item_that_did_not_pass_the_review_is_not_granted():
    world, request_id = await arrived()
    await reviewed(world, request_id, name=False)
    found = await refused(world, request_id, AGREED)
    assert [type(each) for each in found] == [ReviewFailed]


async def test_the_review_travels_with_the_reply():
    world, request_id = await arrived()
    await reviewed(world, request_id)
    await replied(world, request_id)
    review = sent(world, request_id).reply.review
    assert review.reviewer == REVIEWER.subject
    assert [result.item for result in review.results] == ["code", "name"]


async def test_a_review_is_about_asked_items_only():
    world, request_id = await arrived()
    node = world[LUFENG]
    body = ReviewRequest.model_validate({"results": [{"item": "households", "passed": True}]})
    with pytest.raises(ReviewItemUnknown):
        await replying.review(node, request_id, body, principal=REVIEWER, context=node.context)


async def test_a_second_person_approves_the_reply_where_policy_says_so():
    world, request_id = await arrived(World(with_gate("reply_second_person", enabled=True)))
    await reviewed(world, request_id)
    both = person(LUFENG, "source_handler", "source_approver", subject="one-person")
    proposed = await replied(world, request_id, by=both)
    assert proposed.state is RequestState.RECEIVED
    assert sent(world, request_id).reply is None
    node = world[LUFENG]
    with pytest.raises(SeparationOfDuties):
        await replying.approve_reply(
            node, request_id, Decision(), principal=both, context=node.context
        )
    await replying.approve_reply(
        node, request_id, Decision(), principal=APPROVER, context=node.context
    )
    await world.settle()
    assert sent(world, request_id).state is RequestState.AGREED
    with pytest.raises(NothingProposed):
        await replying.approve_reply(
            node, request_id, Decision(), principal=APPROVER, context=node.context
        )


async def test_nobody_replies_to_a_request_that_he_submitted_himself():
    world = World()
    world.publish(entry(LUFENG, org_id="other"))
    world.announce(entry_owner := _agency_of(LUFENG, "other"))
    request_id = await submitted(world, at=LUFENG)
    submitter = received(world, request_id).asked.submitted_by
    same = person(LUFENG, "source_handler", org_id=entry_owner.org_id, subject=submitter)
    node = world[LUFENG]
    with pytest.raises(SeparationOfDuties):
        await replying.reply(
            node,
            request_id,
            ReplyRequest.model_validate({"outcome": "refused", "refused": [REFUSE_ALL]}),
            principal=same,
            context=node.context,
        )


def _agency_of(node: str, org_id: str):
    from tests.support.sharing_world import agency  # noqa: PLC0415

    return agency(node, org_id=org_id)


async def test_another_organisation_of_the_node_cannot_reply():
    world, request_id = await arrived()
    with pytest.raises(OtherOrganisation):
        await replied(world, request_id, by=person(LUFENG, "source_handler", org_id="stranger"))
    with pytest.raises(NotPermitted):
        await replied(world, request_id, by=person(LUFENG, "authority_approver"))


async def test_a_reply_to_an_older_version_gets_the_current_one():
    world, request_id = await arrived()
    await reviewed(world, request_id)
    with pytest.raises(StaleVersion) as caught:
        await replied(world, request_id, record_version=1, **AGREED)
    current = caught.value.extra["current"]
    assert current["record_version"] == received(world, request_id).record_version == 2
    await replied(world, request_id, record_version=2, **AGREED)


async def test_a_second_reply_and_a_delivery_before_the_reply_are_refused():
    world, request_id = await arrived()
    node = world[LUFENG]
    with pytest.raises(RequestStateConflict):
        await replying.deliver(
            node, request_id, Decision(), principal=HANDLER, context=node.context
        )
    await reviewed(world, request_id)
    await replied(world, request_id)
    with pytest.raises(RequestStateConflict):
        await replied(world, request_id)


async def test_nothing_is_delivered_before_there_is_data():
    world, request_id = await arrived()
    world[LUFENG].datasets.clear()
    with pytest.raises(NothingToDeliver):
        await delivered(world, request_id)
    assert received(world, request_id).state is RequestState.AGREED


# --- supplements ---------------------------------------------------------------------------------


async def ask(world, request_id):
    node = world[LUFENG]
    body = AskSupplement.model_validate({"findings": [{"code": "scope_unclear", "field": "scope"}]})
    await replying.ask_supplement(node, request_id, body, principal=HANDLER, context=node.context)
    await world.settle()


async def answer(world, request_id):
    node = world[HAIFENG]
    body = AnswerSupplement.model_validate(
        {"explanation": "限于受灾镇", "purpose": "限于受灾镇登记"}
    )
    await service.supplement(node, request_id, body, principal=CLERK, context=node.context)
    await world.settle()


async def test_asking_for_a_supplement_does_not_stop_the_clock():
    world, request_id = await arrived()
    due = received(world, request_id).reply_due
    await ask(world, request_id)
    assert sent(world, request_id).state is RequestState.RECEIVED_BY_SOURCE
    assert sent(world, request_id).open_supplement.findings[0].code == "scope_unclear"
    world.clock.advance(days=1)
    await answer(world, request_id)
    theirs = received(world, request_id)
    assert (theirs.state, theirs.reply_due) == (RequestState.RECEIVED, due)
    assert theirs.asked.purpose == "限于受灾镇登记"
    assert theirs.supplements[0].answered_by == CLERK.subject
    assert clocks(world) == [("started", "share.reply")]


async def test_a_city_may_decide_by_policy_that_a_supplement_stops_the_clock():
    world = World(with_rules(parameters={"clock.supplement_stops": True}))
    world.clock.instant = datetime(2026, 3, 2, 1, tzinfo=UTC)  # Monday
    world, request_id = await arrived(world)
    world.clock.advance(days=2)  # two working days used
    await ask(world, request_id)
    world.clock.advance(days=10)
    await answer(world, request_id)
    theirs = received(world, request_id)
    assert (theirs.reply_due.length, theirs.clock_round) == (3, 2)
    assert clocks(world) == [
        ("started", "share.reply"),
        ("ended:share.supplement.asked", "share.reply"),
        ("started", "share.reply"),
    ]
    started = world[LUFENG].events("yiwang.clock.started.v1")
    assert [event.clock_id for event in started] == [
        f"{request_id}:share.reply:1",
        f"{request_id}:share.reply:2",
    ]


async def test_a_reply_while_the_clock_is_stopped_ends_it_no_second_time():
    world, request_id = await arrived(
        World(with_rules(parameters={"clock.supplement_stops": True}))
    )
    await ask(world, request_id)
    await replied(world, request_id, outcome="refused", refused=[REFUSE_ALL])
    assert clocks(world) == [
        ("started", "share.reply"),
        ("ended:share.supplement.asked", "share.reply"),
    ]


async def test_a_proposed_reply_falls_with_the_request_that_it_answered():
    world, request_id = await arrived(World(with_gate("reply_second_person", enabled=True)))
    await reviewed(world, request_id)
    await replied(world, request_id)
    await ask(world, request_id)
    await answer(world, request_id)
    assert received(world, request_id).proposal is None
    node = world[LUFENG]
    with pytest.raises(NothingProposed):
        await replying.approve_reply(
            node, request_id, Decision(), principal=APPROVER, context=node.context
        )


async def test_one_supplement_at_a_time():
    world, request_id = await arrived()
    await ask(world, request_id)
    with pytest.raises(RequestStateConflict):
        await ask(world, request_id)


# --- the rule set of a case ----------------------------------------------------------------------


async def test_an_open_case_keeps_the_rule_set_that_it_started_under():
    from contracts.rules import RuleBook  # noqa: PLC0415
    from tests.unit.contracts.rule_files import both  # noqa: PLC0415

    book = both()
    world, request_id = await arrived(World(book))
    newer = RuleBook(versions=book.versions, current_version="gedian-2031")
    for node in world.nodes.values():
        node.context = _with_rules(node.context, newer)
    await reviewed(world, request_id)
    await replied(world, request_id)
    assert received(world, request_id).deliver_due.rule_version == "shanwei-2025-draft"
    assert received(world, request_id).deliver_due.length == 5
    second = await submitted(world, purpose="新规之下的另一用途")
    due = received(world, second).reply_due
    assert (due.rule_version, due.length, due.article) == ("gedian-2031", 7, "第五十九条第三款")


def _with_rules(context, book):
    from dataclasses import replace  # noqa: PLC0415

    return replace(context, rulebook=book)
