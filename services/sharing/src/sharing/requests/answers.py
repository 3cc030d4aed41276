"""What receipts and the source's events do at the requester's node (SM-3)."""

from dataclasses import replace
from datetime import datetime

from contracts.events.base import DueDate
from contracts.events.bus import Receipt as StoredReceipt
from contracts.events.sharing import (
    DeliveryProved,
    GrantEnded,
    ReceiptReturned,
    RequestDelivered,
    RequestReplied,
    SupplementAsked,
)
from kernel.handlers import NotYet, Poison
from kernel.ports import AuditEntry, ReceivedEvent
from sharing.context import NodeContext
from sharing.grants.domain import Grant, GrantState
from sharing.instants import from_text, to_text
from sharing.requests import clocks, events
from sharing.requests.domain import Act, Receipt, ShareRequest, may
from sharing.requests.ports import SharingTx
from sharing.requests.replying import with_supplement
from sharing.requests.steps import moved, touched

_REPLY_TITLES = {
    "agreed": ("数源部门已同意共享", "The source department agrees to share"),
    "agreed_partly": ("数源部门已部分同意共享", "The source department agrees in part"),
    "refused": ("数源部门拒绝共享", "The source department refuses to share"),
}


async def receipt_came(
    tx: SharingTx, event: ReceivedEvent, receipt: StoredReceipt, *, context: NodeContext
) -> None:
    """The signed receipt of the request is back: its three instants are known."""
    request = await _locked(tx, event, receipt.key)
    back = context.clock.now()
    instants = Receipt(
        entered_at=from_text(receipt.entered_at),
        stored_at=from_text(receipt.received_at),
        returned_at=back,
    )
    request = touched(replace(request, receipt=instants))
    rules = context.rules_of(request.rule_version)
    if rules.text("receipt_event") == "receipt_back":
        told = ReceiptReturned(request_id=request.request_id, returned_at=to_text(back))
        request = await events.to_other_side(tx, request, told)
    if may("sent", request.state, Act.RECEIPT):
        due = clocks.expected(request, rules=rules, context=context)
        request = replace(moved(request, Act.RECEIPT), reply_due=due)
        request = await _copied(tx, request, at=back, due=due)
    await tx.update_request(request)


async def supplement_asked(
    tx: SharingTx, event: ReceivedEvent, asked: SupplementAsked, *, context: NodeContext
) -> None:
    """The source asks for a supplement; the requester's organisation is told."""
    request = await _locked(tx, event, asked.request_id)
    request = with_supplement(request, asked, at=from_text(asked.asked_at))
    act = Act.ASK_FIX if asked.waits else Act.ASK_SUPPLEMENT
    if may("sent", request.state, act):
        request = moved(request, act)
        request = await events.notice(
            tx,
            request,
            notice_id=str(context.ids.uuid7()),
            titles=("数源部门要求补正申请", "The source department asks for a supplement"),
            at=context.clock.now(),
        )
    await tx.update_request(touched(request))


async def reply_came(
    tx: SharingTx, event: ReceivedEvent, reply: RequestReplied, *, context: NodeContext
) -> None:
    """Store the reply; a request that was withdrawn meanwhile stays withdrawn."""
    request = await _locked(tx, event, reply.request_id)
    refused = reply.outcome == "refused"
    request = replace(
        request,
        reply=reply,
        reply_due=reply.reply_due,
        deliver_due=reply.deliver_due,
        binding_version=reply.entry_version,
    )
    act = Act.REFUSE if refused else Act.AGREE
    if may("sent", request.state, act):
        at = from_text(reply.replied_at)
        request = moved(request, act)
        if refused:
            request = replace(request, ended_at=at, end_reason="refused")
        request = await _told(tx, request, _REPLY_TITLES[reply.outcome], context)
        request = await _copied(tx, request, at=at, due=reply.deliver_due)
    await tx.update_request(touched(request))
    await tx.record(_audit("request.replied", request, context, reply.outcome))


async def delivery_came(
    tx: SharingTx, event: ReceivedEvent, delivered: RequestDelivered, *, context: NodeContext
) -> None:
    """Keep the holder's copy of the grant."""
    request = await _locked(tx, event, delivered.request_id)
    asked = request.asked
    if delivered.holder.org_id != asked.requester.org_id:
        raise Poison("grant_of_another_holder")
    at = from_text(delivered.delivered_at)
    await tx.insert_grant(_held(request, delivered))
    request = replace(
        request,
        grant_id=delivered.grant_id,
        delivered_at=at,
        binding_version=delivered.entry_version,
    )
    if may("sent", request.state, Act.DELIVER):
        request = moved(request, Act.DELIVER)
        titles = ("共享授权已可使用", "A grant is ready for use")
        request = await _told(tx, request, titles, context)
        request = await _copied(tx, request, at=at, due=request.deliver_due)
    await tx.update_request(touched(request))
    await tx.record(_audit("request.delivered", request, context))


def _held(request: ShareRequest, delivered: RequestDelivered) -> Grant:
    asked = request.asked
    return Grant(
        side="held",
        grant_id=delivered.grant_id,
        request_id=delivered.request_id,
        entry_id=delivered.entry_id,
        entry_version=delivered.entry_version,
        items=delivered.items,
        purpose=delivered.purpose,
        mode=asked.mode,
        holder=asked.requester,
        source=asked.source,
        system_id=delivered.system_id,
        public_jwk=asked.system.public_jwk,
        valid_from=from_text(delivered.valid_from),
        valid_until=from_text(delivered.valid_until),
        delivery_url=delivered.delivery_url,
        rule_version=request.rule_version,
    )


async def proof_came(
    tx: SharingTx, event: ReceivedEvent, proof: DeliveryProved, *, context: NodeContext
) -> None:
    """The first call succeeded at the source: the delivery is proved."""
    request = await _locked(tx, event, proof.request_id)
    at = from_text(proof.proved_at)
    grant = await tx.lock_grant(proof.grant_id, "held")
    if grant is not None and grant.proved_at is None:
        await tx.update_grant(replace(grant, proved_at=at))
    if request.proved_at is None:
        request = touched(replace(request, proved_at=at))
        request = await _copied(tx, request, at=at, state="delivery_proved")
        await tx.update_request(request)
    await tx.record(_audit("delivery.proved", request, context, proof.proof))


async def grant_over(
    tx: SharingTx, event: ReceivedEvent, ended: GrantEnded, *, context: NodeContext
) -> None:
    """The grant has ended at its source; never without notice to its holder."""
    request = await _locked(tx, event, ended.request_id)
    at = from_text(ended.ended_at)
    grant = await tx.lock_grant(ended.grant_id, "held")
    if grant is not None:
        await tx.update_grant(_ended(grant, ended, at))
    if may("sent", request.state, Act.END):
        request = replace(moved(request, Act.END), ended_at=at, end_reason=ended.reason)
        request = await _told(
            tx, request, ("共享授权已终止", "A grant of yours has ended"), context
        )
        request = await _copied(tx, request, at=at)
    await tx.update_request(touched(request))
    await tx.record(_audit("grant.ended", request, context, ended.reason))


def _ended(grant: Grant, ended: GrantEnded, at: datetime) -> Grant:
    last = ended.last_delivery_at
    return replace(
        grant,
        state=GrantState.ENDED,
        end_reason=ended.reason,
        explanation=ended.explanation,
        end_basis=ended.basis,
        ended_by=ended.ended_by,
        ended_at=at,
        last_delivery_at=from_text(last) if last else None,
        rows_delivered=ended.rows_delivered,
        record_version=grant.record_version + 1,
    )


async def _locked(tx: SharingTx, event: ReceivedEvent, request_id: str) -> ShareRequest:
    request = await tx.lock_request(request_id, "sent")
    if request is None:
        raise NotYet("request_not_known")
    if event.source_node != request.asked.source.node:
        raise Poison("not_a_party")
    return request


async def _told(
    tx: SharingTx, request: ShareRequest, titles: tuple[str, str], context: NodeContext
) -> ShareRequest:
    return await events.notice(
        tx,
        request,
        notice_id=str(context.ids.uuid7()),
        titles=titles,
        at=context.clock.now(),
    )


async def _copied(
    tx: SharingTx,
    request: ShareRequest,
    *,
    at: datetime,
    state: str | None = None,
    due: DueDate | None = None,
) -> ShareRequest:
    filings = tuple(await tx.filings_of(request.request_id))
    return await events.status_copies(tx, request, filings, at=at, state=state, due=due)


def _audit(act: str, request: ShareRequest, context: NodeContext, result: str = "") -> AuditEntry:
    return AuditEntry(
        act=act,
        object_kind="share_request",
        object_id=request.request_id,
        principal=context.other_node(request.asked.source.node),
        article="第十九条第三款",
        rule_version=request.rule_version,
        details={
            "request_no": request.asked.request_no,
            "state": request.state.value,
            "side": request.side,
            "result": result,
        },
    )
