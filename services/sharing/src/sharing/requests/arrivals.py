"""What the requester's events do at the source's node (SM-2a, SM-2b, SM-3).

An event from a node that is no party of the case is poison; one before its cause waits.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.events.catalog import EntryState
from contracts.events.sharing import (
    ReceiptReturned,
    RequestConfirmed,
    RequestDispatched,
    RequestSupplemented,
    RequestWithdrawn,
    SupplementAsked,
)
from contracts.rules import RuleSet
from kernel.handlers import NotYet, Poison
from kernel.ports import AuditEntry, ReceivedEvent
from sharing.context import NodeContext
from sharing.grants.domain import GrantState
from sharing.grants.service import Ending, end, issue, lock
from sharing.instants import from_text, to_text
from sharing.requests import clocks, events
from sharing.requests.domain import (
    Act,
    Receipt,
    RequestState,
    ShareRequest,
    may,
    share_kind,
)
from sharing.requests.guards import auto_check
from sharing.requests.ports import Facts, SharingTx
from sharing.requests.replying import with_supplement
from sharing.requests.steps import answer_open, moved, touched

WITHDRAWN = "share.request.withdrawn"
DELIVERED = "share.request.delivered"


async def request_arrived(
    tx: SharingTx, event: ReceivedEvent, asked: RequestDispatched, *, context: NodeContext
) -> None:
    """Store a request, bind it to the entry version in force (G17), start its clock or grant it."""
    if asked.source.node != context.node or asked.requester.node != event.source_node:
        raise Poison("not_a_party")
    if await tx.lock_request(asked.request_id, "received") is not None:
        return
    facts = await tx.facts(asked.entry_id, asked.requester.org_id)
    entry = _own_entry(facts, context)
    rules = context.rules_of(asked.rule_version)
    # whoever provides the entry answers, whatever department the requester's node has named
    asked = asked.model_copy(update={"source": entry.providing_org})
    request = ShareRequest(
        side="received",
        asked=asked,
        state=RequestState.RECEIVED,
        kind=share_kind(entry, asked.items),
        rule_version=rules.version,
        submitted_at=from_text(asked.submitted_at),
        binding_version=entry.version,
        receipt=Receipt(
            entered_at=from_text(event.entered_at), stored_at=from_text(event.received_at)
        ),
    )
    if request.kind == "unconditional" and facts.requester is None:
        raise NotYet("requester_not_known")
    request = await clocks.start_first(tx, request, rules=rules, context=context)
    request = await _consider(tx, request, facts, rules=rules, context=context)
    await tx.insert_request(request)
    await tx.record(_audit("request.received", request, context))


def _own_entry(facts: Facts, context: NodeContext) -> EntryState:
    if facts.entry is None:
        raise NotYet("entry_not_known")
    if facts.entry.node != context.node:
        raise Poison("entry_of_another_node")
    return facts.entry


async def _consider(
    tx: SharingTx, request: ShareRequest, facts: Facts, *, rules: RuleSet, context: NodeContext
) -> ShareRequest:
    """Grant an unconditional request at once or say what it lacks; put others on the desk."""
    now = context.clock.now()
    if request.kind != "unconditional":
        return await events.notice(
            tx,
            request,
            notice_id=str(context.ids.uuid7()),
            titles=("收到数据共享申请，待答复", "A share request waits for your reply"),
            at=now,
        )
    entry = _own_entry(facts, context)
    since = now - timedelta(days=rules.integer("request.standing_days"))
    findings = auto_check(
        request.asked,
        entry,
        facts.requester,
        revoked_lately=await tx.revoked_grants(request.asked.requester.org_id, since),
        rules=rules,
    )
    if findings:
        asked = SupplementAsked(
            request_id=request.request_id,
            round=len(request.supplements) + 1,
            findings=findings,
            waits=True,
            asked_by=context.other_node(context.node).subject,
            asked_at=to_text(now),
        )
        request = with_supplement(moved(request, Act.ASK_FIX), asked, at=now)
        return await events.to_other_side(tx, request, asked)
    return await _grant_at_once(tx, request, context=context)


async def _grant_at_once(
    tx: SharingTx, request: ShareRequest, *, context: NodeContext
) -> ShareRequest:
    """SM-2a: granted and delivered without the source's consent; the source is told."""
    asked, now = request.asked, context.clock.now()
    request = await issue(
        tx, request, items=asked.items, term_days=asked.term_days, context=context
    )
    rules = context.rules_of(request.rule_version)
    request = await clocks.end_first(tx, request, at=now, end_event=DELIVERED, rules=rules)
    return await events.notice(
        tx,
        request,
        notice_id=str(context.ids.uuid7()),
        titles=("无条件共享数据已自动授权", "Unconditional data was granted automatically"),
        at=now,
    )


async def supplement_arrived(
    tx: SharingTx, event: ReceivedEvent, answer: RequestSupplemented, *, context: NodeContext
) -> None:
    """Work the supplement in; an unconditional request is considered again."""
    request = await _locked(tx, event, answer.request_id)
    waiting = request.open_supplement
    if waiting is None or waiting.round != answer.round:
        return
    now = from_text(event.received_at)
    # a reply that was proposed to the request as it was is not one to what it has become
    request = replace(answer_open(request, answer, at=now), proposal=None)
    if may("received", request.state, Act.SUPPLEMENT):
        rules = context.rules_of(request.rule_version)
        request = moved(request, Act.SUPPLEMENT)
        if waiting.waits:
            facts = await tx.facts(request.asked.entry_id, request.asked.requester.org_id)
            entry = _own_entry(facts, context)
            request = replace(
                request,
                kind=share_kind(entry, request.asked.items),
                binding_version=entry.version,
            )
            request = await _consider(tx, request, facts, rules=rules, context=context)
        else:
            request = await clocks.resume_first(tx, request, at=now, rules=rules, context=context)
    await tx.update_request(request)
    await tx.record(_audit("request.supplemented", request, context))


async def receipt_returned(
    tx: SharingTx, event: ReceivedEvent, payload: ReceiptReturned, *, context: NodeContext
) -> None:
    """The receipt was back at the requester; under such a rule set that starts the clock."""
    request = await _locked(tx, event, payload.request_id)
    receipt = replace(request.receipt, returned_at=from_text(payload.returned_at))
    request = replace(request, receipt=receipt)
    rules = context.rules_of(request.rule_version)
    if request.state is RequestState.RECEIVED:
        request = await clocks.start_first(tx, request, rules=rules, context=context)
    await tx.update_request(touched(request))


async def withdrawal_arrived(
    tx: SharingTx, event: ReceivedEvent, payload: RequestWithdrawn, *, context: NodeContext
) -> None:
    """End an unanswered request; where a grant exists already, end that as returned."""
    request = await _locked(tx, event, payload.request_id)
    now = from_text(event.received_at)
    if request.state in {RequestState.DELIVERED, RequestState.ACTIVE} and request.grant_id:
        await _take_back(tx, request, payload, context=context)
        return
    if not may("received", request.state, Act.WITHDRAW):
        return
    if request.reply is None:
        rules = context.rules_of(request.rule_version)
        request = await clocks.end_first(tx, request, at=now, end_event=WITHDRAWN, rules=rules)
    request = await clocks.end_delivery(tx, request, at=now, end_event=WITHDRAWN)
    request = replace(moved(request, Act.WITHDRAW), ended_at=now, end_reason="withdrawn")
    request = await events.notice(
        tx,
        request,
        notice_id=str(context.ids.uuid7()),
        titles=("申请方已撤回申请", "The requester has withdrawn the request"),
        at=now,
    )
    await tx.update_request(request)
    await tx.record(_audit("request.withdrawn", request, context))


async def _take_back(
    tx: SharingTx, request: ShareRequest, payload: RequestWithdrawn, *, context: NodeContext
) -> None:
    _, grant = await lock(tx, request.grant_id or "", "issued")
    if grant.state is not GrantState.ACTIVE:
        return
    ending = Ending(
        reason="returned",
        by=context.other_node(request.asked.requester.node),
        explanation=payload.reason,
    )
    await end(tx, request, grant, ending, context=context)


async def confirmation_arrived(
    tx: SharingTx, event: ReceivedEvent, payload: RequestConfirmed, *, context: NodeContext
) -> None:
    """The requester has the data: a person's confirmation is a signed receipt that ends D4."""
    request = await _locked(tx, event, payload.request_id)
    if not may("received", request.state, Act.CONFIRM):
        return
    at = from_text(payload.confirmed_at)
    if not payload.automatic and request.proved_at is None:
        request = await clocks.end_delivery(tx, request, at=at, end_event="share.delivery.proved")
        request = replace(request, proved_at=at)
    await tx.update_request(replace(moved(request, Act.CONFIRM), confirmed_at=at))
    await tx.record(_audit("request.confirmed", request, context))


async def _locked(tx: SharingTx, event: ReceivedEvent, request_id: str) -> ShareRequest:
    request = await tx.lock_request(request_id, "received")
    if request is None:
        raise NotYet("request_not_known")
    if event.source_node != request.asked.requester.node:
        raise Poison("not_a_party")
    return request


def _audit(act: str, request: ShareRequest, context: NodeContext) -> AuditEntry:
    at: datetime | None = request.receipt.stored_at
    return AuditEntry(
        act=act,
        object_kind="share_request",
        object_id=request.request_id,
        principal=context.other_node(request.asked.requester.node),
        article="第十九条第一款",
        rule_version=request.rule_version,
        details={
            "request_no": request.asked.request_no,
            "state": request.state.value,
            "side": request.side,
            "kind": request.kind,
            "entry_version": request.binding_version,
            "stored_at": to_text(at) if at else "",
        },
    )
