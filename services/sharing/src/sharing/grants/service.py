"""Grants at the source's node: issue, prove, end. The request's row is always locked first."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.events.base import Basis
from contracts.events.catalog import DependentEnded
from contracts.events.sharing import DeliveryProved, GrantEnded, RequestWithdrawn
from kernel.policies import authorise
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import GrantOver
from sharing.grants.domain import Grant, GrantEnd, GrantSide, GrantState
from sharing.grants.schemas import ReturnGrant, RevokeGrant
from sharing.instants import to_text
from sharing.requests import clocks, events
from sharing.requests.domain import Act, ShareRequest, Side, may
from sharing.requests.ports import SharingTx
from sharing.requests.steps import moved, touched

OBJECT = "grant"
PROVED = "share.delivery.proved"
ENDED = "share.grant.ended"
_REQUEST_SIDE: dict[GrantSide, Side] = {"held": "sent", "issued": "received"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why and by whom a grant ends."""

    reason: GrantEnd
    by: Principal
    explanation: str = ""
    basis: tuple[Basis, ...] = ()


async def issue(
    tx: SharingTx,
    request: ShareRequest,
    *,
    items: tuple[str, ...],
    term_days: int,
    context: NodeContext,
) -> ShareRequest:
    """Make the grant of a locked request, announce it, and tell the catalogue who depends on it.

    The announcement is guarded by the grant: once that has ended it goes out as void.
    """
    asked, now = request.asked, context.clock.now()
    grant = _new_grant(request, items, term_days, context)
    await tx.insert_grant(grant)
    request = replace(moved(request, Act.DELIVER), grant_id=grant.grant_id, delivered_at=now)
    request = await events.to_other_side(
        tx, request, events.delivered(request, grant, at=now), guard=f"grant:{grant.grant_id}"
    )
    return await events.send(
        tx,
        request,
        events.dependent_added(grant),
        family="catalog-mail",
        node=asked.source.node,
        key=grant.grant_id,
    )


def _new_grant(
    request: ShareRequest, items: tuple[str, ...], term_days: int, context: NodeContext
) -> Grant:
    asked, now = request.asked, context.clock.now()
    grant_id = str(context.ids.uuid7())
    return Grant(
        side="issued",
        grant_id=grant_id,
        request_id=request.request_id,
        entry_id=asked.entry_id,
        entry_version=request.binding_version or asked.entry_version,
        items=items,
        purpose=asked.purpose,
        mode=asked.mode,
        holder=asked.requester,
        source=asked.source,
        system_id=asked.system.system_id,
        public_jwk=asked.system.public_jwk,
        valid_from=now,
        valid_until=now + timedelta(days=term_days),
        delivery_url=f"{context.delivery_url.rstrip('/')}/sharing/v1/delivery/{grant_id}",
        rule_version=request.rule_version,
    )


async def lock(tx: SharingTx, grant_id: str, side: GrantSide) -> tuple[ShareRequest, Grant]:
    """Lock a grant's request and then the grant; raise ``NotFound``."""
    request_id = await tx.request_of_grant(grant_id, side)
    if request_id is None:
        raise NotFound
    request = await tx.lock_request(request_id, _REQUEST_SIDE[side])
    grant = await tx.lock_grant(grant_id, side)
    if request is None or grant is None:
        raise NotFound
    return request, grant


async def end(
    tx: SharingTx, request: ShareRequest, grant: Grant, ending: Ending, *, context: NodeContext
) -> ShareRequest:
    """End a locked, active grant at its source: from this commit on no page is delivered."""
    now = context.clock.now()
    ended = replace(
        grant,
        state=GrantState.ENDED,
        end_reason=ending.reason,
        explanation=ending.explanation,
        end_basis=ending.basis,
        ended_by=ending.by.subject,
        ended_at=now,
        record_version=grant.record_version + 1,
    )
    await tx.update_grant(ended)
    request = await clocks.end_delivery(tx, request, at=now, end_event=ENDED)
    if may(request.side, request.state, Act.END):
        request = replace(moved(request, Act.END), ended_at=now, end_reason=ending.reason)
    request = await events.to_other_side(tx, request, _ended_event(ended, ending, now))
    request = await _free_the_entry(tx, request, ended, now)
    await tx.update_request(request)
    await tx.record(_audit(f"grant.{_ACTS[ending.reason]}", ended, ending))
    return request


_ACTS = {"revoked": "revoke", "expired": "expire", "takedown": "takedown", "returned": "return"}


def _ended_event(grant: Grant, ending: Ending, at: datetime) -> GrantEnded:
    last = grant.last_delivery_at
    return GrantEnded(
        request_id=grant.request_id,
        grant_id=grant.grant_id,
        reason=ending.reason,
        explanation=ending.explanation,
        basis=ending.basis,
        ended_by=ending.by.subject,
        ended_at=to_text(at),
        last_delivery_at=to_text(last) if last else None,
        rows_delivered=grant.rows_delivered,
    )


async def _free_the_entry(
    tx: SharingTx, request: ShareRequest, grant: Grant, at: datetime
) -> ShareRequest:
    freed = DependentEnded(
        dependent_id=grant.grant_id,
        kind="grant",
        entry_id=grant.entry_id,
        ended_at=to_text(at),
        reason=grant.end_reason,
    )
    node = grant.source.node
    return await events.send(
        tx, request, freed, family="catalog-mail", node=node, key=grant.grant_id
    )


async def revoke(
    tx: SharingTx,
    grant_id: str,
    command: RevokeGrant,
    *,
    principal: Principal,
    context: NodeContext,
) -> Grant:
    """Revoke a grant; what was delivered before this commit counts as delivered."""
    request, grant = await lock(tx, grant_id, "issued")
    authorise(principal, "grant.revoke", organisation=grant.source.org_id, node=context.node)
    _require_active(grant)
    ending = Ending(
        reason="revoked",
        by=principal,
        explanation=command.explanation,
        basis=tuple(basis.to_basis() for basis in command.basis),
    )
    await end(tx, request, grant, ending, context=context)
    return await _again(tx, grant_id, "issued")


async def give_back(
    tx: SharingTx,
    grant_id: str,
    command: ReturnGrant,
    *,
    principal: Principal,
    context: NodeContext,
) -> Grant:
    """The holder gives the grant back; it ends when the source's node has taken note."""
    request, grant = await lock(tx, grant_id, "held")
    authorise(principal, "grant.return", organisation=grant.holder.org_id, node=context.node)
    _require_active(grant)
    payload = RequestWithdrawn(
        request_id=request.request_id,
        withdrawn_by=principal.subject,
        withdrawn_at=to_text(context.clock.now()),
        reason=command.explanation,
    )
    request = await events.to_other_side(tx, touched(request), payload)
    await tx.update_request(request)
    await tx.record(_audit("grant.return", grant, Ending(reason="returned", by=principal)))
    return grant


def _require_active(grant: Grant) -> None:
    if grant.state is not GrantState.ACTIVE:
        raise GrantOver(reason=grant.end_reason)


async def _again(tx: SharingTx, grant_id: str, side: GrantSide) -> Grant:
    grant = await tx.lock_grant(grant_id, side)
    if grant is None:
        raise NotFound
    return grant


async def expire(tx: SharingTx, grant_id: str, *, context: NodeContext) -> bool:
    """End a grant whose period is over; return whether it was this call that did."""
    request, grant = await lock(tx, grant_id, "issued")
    if grant.state is not GrantState.ACTIVE or context.clock.now() < grant.valid_until:
        return False
    ending = Ending(reason="expired", by=context.timer())
    await end(tx, request, grant, ending, context=context)
    return True


async def end_for_takedown(tx: SharingTx, entry_id: str, *, context: NodeContext) -> int:
    """End the grants of an entry that went offline; return how many."""
    grant_ids = await tx.active_grants(entry_id)
    for grant_id in grant_ids:
        request, grant = await lock(tx, grant_id, "issued")
        if grant.state is GrantState.ACTIVE:
            ending = Ending(reason="takedown", by=context.other_node(context.node))
            await end(tx, request, grant, ending, context=context)
    return len(grant_ids)


async def prove(tx: SharingTx, grant_id: str, *, rows: int, context: NodeContext) -> None:
    """Note the first successful delivery: the proof that ends D4 (corrections, 1)."""
    request, grant = await lock(tx, grant_id, "issued")
    if grant.proved_at is not None:
        return
    now = context.clock.now()
    await tx.update_grant(replace(grant, proved_at=now))
    request = await clocks.end_delivery(tx, request, at=now, end_event=PROVED)
    proof = DeliveryProved(
        request_id=request.request_id,
        grant_id=grant_id,
        proof="first_call",
        proved_at=to_text(now),
        rows=rows,
    )
    request = await events.to_other_side(tx, request, proof)
    if request.proved_at is None:
        request = replace(touched(request), proved_at=now)
    await tx.update_request(request)


def _audit(act: str, grant: Grant, ending: Ending) -> AuditEntry:
    return AuditEntry(
        act=act,
        object_kind=OBJECT,
        object_id=grant.grant_id,
        principal=ending.by,
        article="第三十条第三款" if ending.reason == "revoked" else "",
        rule_version=grant.rule_version,
        details={
            "request_id": grant.request_id,
            "reason": ending.reason,
            "rows_delivered": grant.rows_delivered,
        },
    )
