"""The source's side: review, supplement, reply, delivery (SM-2b; Article 19 ¶3, Article 30 ¶1)."""

from dataclasses import replace
from datetime import datetime

from contracts.calendar import civil_date
from contracts.events.catalog import EntryState
from contracts.events.sharing import (
    ConfidentialityReview,
    RequestReplied,
    SupplementAsked,
)
from contracts.roles import separated
from contracts.rules import RuleSet
from kernel.policies import authorise
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import (
    NothingProposed,
    NothingToDeliver,
    RequestStateConflict,
    ReviewItemUnknown,
)
from sharing.grants.service import issue
from sharing.instants import to_text
from sharing.requests import clocks, events
from sharing.requests.domain import Act, RequestState, ShareRequest, Supplement, may
from sharing.requests.guards import check_reply, granted_items, raise_all
from sharing.requests.ports import SharingTx
from sharing.requests.schemas import AskSupplement, Decision, ReplyRequest, ReviewRequest
from sharing.requests.service import OBJECT, load
from sharing.requests.steps import check_version, moved, touched

REPLIED = "share.request.replied"


async def review(
    tx: SharingTx,
    request_id: str,
    command: ReviewRequest,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Record the confidentiality review of this request (G16), before the reply."""
    request = await _received(tx, request_id, "request.review_confidentiality", principal, context)
    check_version(request, command)
    if request.state is not RequestState.RECEIVED:
        raise RequestStateConflict(state=request.state.value, act="review")
    asked = set(request.asked.items)
    raise_all(
        [
            ReviewItemUnknown(field=f"results.{position}.item", position=position)
            for position, result in enumerate(command.results)
            if result.item not in asked
        ]
    )
    record = ConfidentialityReview(
        reviewer=principal.subject,
        reviewed_at=to_text(context.clock.now()),
        results=command.results,
        note=command.note,
    )
    request = touched(replace(request, review=record))
    await tx.update_request(request)
    await tx.record(_audit("request.review_confidentiality", request, principal, "第三十条第一款"))
    return request


async def ask_supplement(
    tx: SharingTx,
    request_id: str,
    command: AskSupplement,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Ask the requester for a supplement; D3 runs on, for the text has no rule that stops it."""
    request = await _received(tx, request_id, "request.ask_supplement", principal, context)
    check_version(request, command)
    if request.open_supplement is not None:
        raise RequestStateConflict(state=request.state.value, act=Act.ASK_SUPPLEMENT.value)
    now = context.clock.now()
    rules = context.rules_of(request.rule_version)
    asked = SupplementAsked(
        request_id=request_id,
        round=len(request.supplements) + 1,
        findings=command.findings,
        asked_by=principal.subject,
        asked_at=to_text(now),
    )
    request = with_supplement(moved(request, Act.ASK_SUPPLEMENT), asked, at=now)
    request = await events.to_other_side(tx, request, asked)
    request = await clocks.pause_first(tx, request, at=now, rules=rules)
    await tx.update_request(request)
    await tx.record(_audit("request.ask_supplement", request, principal, "第十九条第三款"))
    return request


def with_supplement(request: ShareRequest, asked: SupplementAsked, *, at: datetime) -> ShareRequest:
    """Return the request with one more round of supplement."""
    new = Supplement(
        round=asked.round,
        asked_by=asked.asked_by,
        asked_at=at,
        findings=asked.findings,
        waits=asked.waits,
    )
    return replace(request, supplements=(*request.supplements, new))


async def reply(
    tx: SharingTx,
    request_id: str,
    command: ReplyRequest,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Reply, or propose the reply where policy wants a second person to approve it."""
    request = await _received(tx, request_id, "request.reply", principal, context)
    check_version(request, command)
    _require_open(request, command)
    rules = context.rules_of(request.rule_version)
    entry = await _binding_entry(tx, request)
    now = context.clock.now()
    check_reply(request, command, entry, rules=rules, on=civil_date(now))
    proposal = _replied(request, command, entry, principal, now)
    if rules.gate("reply_second_person").enabled:
        request = touched(replace(request, proposal=proposal))
        await tx.update_request(request)
        await tx.record(_audit("request.reply", request, principal, "第十九条第三款", "proposed"))
        return request
    return await _send_reply(tx, request, proposal, principal, rules=rules, context=context)


async def approve_reply(
    tx: SharingTx, request_id: str, command: Decision, *, principal: Principal, context: NodeContext
) -> ShareRequest:
    """The second person approves the proposed reply, and it goes out (policy)."""
    request = await load(tx, request_id, "received")
    proposal = request.proposal
    authorise(
        principal,
        "request.approve_reply",
        organisation=request.asked.source.org_id,
        node=context.node,
        done_by=proposal.replied_by if proposal else None,
        rules=context.rules_of(request.rule_version),
    )
    check_version(request, command)
    if proposal is None or request.state is not RequestState.RECEIVED:
        raise NothingProposed(state=request.state.value, act="approve_reply")
    now = context.clock.now()
    proposal = proposal.model_copy(update={"replied_at": to_text(now)})
    rules = context.rules_of(request.rule_version)
    return await _send_reply(tx, request, proposal, principal, rules=rules, context=context)


def _require_open(request: ShareRequest, command: ReplyRequest) -> None:
    act = Act.REFUSE if command.outcome == "refused" else Act.AGREE
    if not may(request.side, request.state, act):
        raise RequestStateConflict(state=request.state.value, act=act.value)


async def _binding_entry(tx: SharingTx, request: ShareRequest) -> EntryState:
    """Return the entry version that was in force at receipt: it alone binds (G17)."""
    version = request.binding_version or request.asked.entry_version
    entry = await tx.entry_version(request.asked.entry_id, version)
    if entry is None:
        raise NotFound
    return entry


def _replied(
    request: ShareRequest,
    command: ReplyRequest,
    entry: EntryState,
    principal: Principal,
    at: datetime,
) -> RequestReplied:
    refused = command.outcome == "refused"
    term = None if refused else command.granted_term_days or request.asked.term_days
    return RequestReplied(
        request_id=request.request_id,
        outcome=command.outcome,
        granted_items=granted_items(command, request, entry),
        granted_term_days=term,
        refused=tuple(part.to_part() for part in command.refused),
        reason=command.reason,
        replied_by=principal.subject,
        replied_at=to_text(at),
        entry_version=entry.version,
        reply_due=request.reply_due,
        review=request.review,
    )


async def _send_reply(
    tx: SharingTx,
    request: ShareRequest,
    answer: RequestReplied,
    principal: Principal,
    *,
    rules: RuleSet,
    context: NodeContext,
) -> ShareRequest:
    """End D3, start D4 of an agreement, and let the reply go to the requester."""
    now = context.clock.now()
    agrees = answer.outcome != "refused"
    request = moved(request, Act.AGREE if agrees else Act.REFUSE)
    request = await clocks.end_first(tx, request, at=now, end_event=REPLIED, rules=rules)
    if agrees:
        request = await clocks.start_delivery(tx, request, at=now, rules=rules, context=context)
    else:
        request = replace(request, ended_at=now, end_reason="refused")
    answer = answer.model_copy(update={"deliver_due": request.deliver_due})
    request = replace(request, reply=answer, proposal=None)
    request = await events.to_other_side(tx, request, answer)
    await tx.update_request(request)
    await tx.record(_audit("request.reply", request, principal, "第十九条第三款", answer.outcome))
    return request


async def deliver(
    tx: SharingTx, request_id: str, command: Decision, *, principal: Principal, context: NodeContext
) -> ShareRequest:
    """Deliver what was agreed: a grant exists and works; D4 ends with the first use of it."""
    request = await _received(tx, request_id, "request.deliver", principal, context)
    check_version(request, command)
    answer = request.reply
    if request.state is not RequestState.AGREED or answer is None:
        raise RequestStateConflict(state=request.state.value, act=Act.DELIVER.value)
    if not await tx.dataset_ready(request.asked.entry_id):
        raise NothingToDeliver(article="第十九条第三款")
    request = await issue(
        tx,
        request,
        items=answer.granted_items,
        term_days=answer.granted_term_days or request.asked.term_days,
        context=context,
    )
    await tx.update_request(request)
    await tx.record(_audit("request.deliver", request, principal, "第十九条第三款"))
    return request


async def _received(
    tx: SharingTx, request_id: str, act: str, principal: Principal, context: NodeContext
) -> ShareRequest:
    """Load the source's side for an act; the requester's submitter is nobody here (separation)."""
    request = await load(tx, request_id, "received")
    asked = request.asked
    same_node = asked.requester.node == context.node
    apart = same_node and "request.submit" in separated(act)
    authorise(
        principal,
        act,
        organisation=asked.source.org_id,
        node=context.node,
        done_by=asked.submitted_by if apart else None,
    )
    return request


def _audit(
    act: str, request: ShareRequest, principal: Principal, article: str, result: str = ""
) -> AuditEntry:
    return AuditEntry(
        act=act,
        object_kind=OBJECT,
        object_id=request.request_id,
        principal=principal,
        article=article,
        rule_version=request.rule_version,
        details={
            "request_no": request.asked.request_no,
            "state": request.state.value,
            "side": request.side,
            "result": result,
            "entry_version": request.binding_version,
        },
    )
