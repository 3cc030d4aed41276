"""The requester's side: submit, approve, supplement, withdraw, confirm (SM-3, one transaction each).

The source's side is in ``replying``, what the other side's events do in ``arrivals`` and
``answers``. No function here commits, reads the wall clock or knows SQL.
"""

from dataclasses import replace

from contracts.events.sharing import (
    RequestConfirmed,
    RequestSupplemented,
    RequestWithdrawn,
)
from kernel.policies import authorise
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import NothingAsked
from sharing.filings.domain import Filing
from sharing.instants import to_text
from sharing.requests import events
from sharing.requests.domain import Act, RequestState, ShareRequest, Side
from sharing.requests.guards import check_items, check_submission
from sharing.requests.ports import SharingTx, SubmissionTx
from sharing.requests.schemas import AnswerSupplement, Decision, SubmitRequest, WithdrawRequest
from sharing.requests.steps import answer_open, check_version, moved
from sharing.requests.submission import dispatch, new_request

OBJECT = "share_request"


async def submit(
    tx: SubmissionTx, command: SubmitRequest, *, principal: Principal, context: NodeContext
) -> tuple[ShareRequest, tuple[Filing, ...]]:
    """Submit a request and, unless policy wants the leader's approval first, send it at once.

    Request, filings F2a and F2b, outbox and audit are one local transaction (Article 20 ¶2).
    """
    organisation = principal.organisation
    authorise(principal, "request.submit", organisation=organisation, node=context.node)
    rules = context.rulebook.current
    facts = await tx.facts(command.entry_id, organisation)
    check_submission(command, facts, node=context.node, rules=rules)
    request = new_request(command, facts, principal, rules, context)
    filings: tuple[Filing, ...] = ()
    if request.state is RequestState.DISPATCHED:
        request, filings = await dispatch(tx, request, facts, rules=rules, context=context)
    await tx.insert_request(request)
    await tx.record(_audit("request.submit", request, principal, "第十九条第一款"))
    return request, filings


async def load(tx: SharingTx, request_id: str, side: Side) -> ShareRequest:
    """Return one side, locked; raise ``NotFound``."""
    request = await tx.lock_request(request_id, side)
    if request is None:
        raise NotFound
    return request


async def approve(
    tx: SharingTx, request_id: str, command: Decision, *, principal: Principal, context: NodeContext
) -> tuple[ShareRequest, tuple[Filing, ...]]:
    """The requester's leader approves (policy) and the request goes out."""
    request = await load(tx, request_id, "sent")
    asked = request.asked
    authorise(
        principal,
        "request.approve",
        organisation=asked.requester.org_id,
        node=context.node,
        done_by=asked.submitted_by,
        rules=context.rules_of(request.rule_version),
    )
    check_version(request, command)
    rules = context.rules_of(request.rule_version)
    facts = await tx.facts(asked.entry_id, asked.requester.org_id)
    request, filings = await dispatch(
        tx, moved(request, Act.APPROVE), facts, rules=rules, context=context
    )
    await tx.update_request(request)
    await tx.record(_audit("request.approve", request, principal, ""))
    return request, filings


async def supplement(
    tx: SharingTx,
    request_id: str,
    command: AnswerSupplement,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Answer what the source asked for; the source's deadline has been running on."""
    request = await _own(tx, request_id, "request.supplement", principal, context)
    check_version(request, command)
    waiting = request.open_supplement
    if waiting is None:
        raise NothingAsked(state=request.state.value, act=Act.SUPPLEMENT.value)
    if command.items is not None:
        facts = await tx.facts(request.asked.entry_id, request.asked.requester.org_id)
        check_items(command.items, facts)
    now = context.clock.now()
    payload = RequestSupplemented(
        request_id=request.request_id,
        round=waiting.round,
        explanation=command.explanation,
        purpose=command.purpose,
        items=command.items,
        documents=command.documents,
        supplemented_by=principal.subject,
        supplemented_at=to_text(now),
    )
    request = moved(answer_open(request, payload, at=now), Act.SUPPLEMENT)
    request = await events.to_other_side(tx, request, payload)
    await tx.update_request(request)
    await tx.record(_audit("request.supplement", request, principal, "第十九条第一款"))
    return request


async def withdraw(
    tx: SharingTx,
    request_id: str,
    command: WithdrawRequest,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Take an unanswered request back; nothing is sent for one that never went out."""
    request = await _own(tx, request_id, "request.withdraw", principal, context)
    check_version(request, command)
    was_out = request.state is not RequestState.AWAITING_APPROVAL
    now = context.clock.now()
    request = replace(moved(request, Act.WITHDRAW), ended_at=now, end_reason="withdrawn")
    if was_out:
        payload = RequestWithdrawn(
            request_id=request.request_id,
            withdrawn_by=principal.subject,
            withdrawn_at=to_text(now),
            reason=command.reason,
        )
        request = await events.to_other_side(tx, request, payload)
        filings = tuple(await tx.filings_of(request_id))
        request = await events.status_copies(tx, request, filings, at=now)
    await tx.update_request(request)
    await tx.record(_audit("request.withdraw", request, principal, "第十九条"))
    return request


async def confirm(
    tx: SharingTx,
    request_id: str,
    command: Decision,
    *,
    principal: Principal,
    context: NodeContext,
) -> ShareRequest:
    """Confirm that the delivery arrived and works: a signed receipt that ends D4."""
    request = await _own(tx, request_id, "request.confirm", principal, context)
    check_version(request, command)
    return await confirmed(tx, request, principal, context=context, automatic=False)


async def confirmed(
    tx: SharingTx,
    request: ShareRequest,
    principal: Principal,
    *,
    context: NodeContext,
    automatic: bool,
) -> ShareRequest:
    """Confirm a locked request; ``automatic`` confirms by lapse of time, which proves nothing."""
    now = context.clock.now()
    request = replace(moved(request, Act.CONFIRM), confirmed_at=now)
    if not automatic and request.proved_at is None:
        request = replace(request, proved_at=now)
    payload = RequestConfirmed(
        request_id=request.request_id,
        grant_id=request.grant_id or "",
        confirmed_by=principal.subject,
        confirmed_at=to_text(now),
        automatic=automatic,
    )
    request = await events.to_other_side(tx, request, payload)
    await tx.update_request(request)
    await tx.record(_audit("request.confirm", request, principal, "第十九条第三款"))
    return request


async def _own(
    tx: SharingTx, request_id: str, act: str, principal: Principal, context: NodeContext
) -> ShareRequest:
    request = await load(tx, request_id, "sent")
    authorise(principal, act, organisation=request.asked.requester.org_id, node=context.node)
    return request


def _audit(act: str, request: ShareRequest, principal: Principal, article: str) -> AuditEntry:
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
        },
    )
