"""Turns what happened to a request into contract events, and sends them under its case number."""

from dataclasses import replace
from datetime import datetime

from contracts.events.base import DueDate, OrganisationRef, Payload
from contracts.events.catalog import DependentAdded, DependentEnded
from contracts.events.clock import ClockEnded, ClockStarted, Notice
from contracts.events.filing import FilingCompleted, FilingSubmitted
from contracts.events.sharing import (
    DeliveryProved,
    GrantEnded,
    ReceiptReturned,
    RequestConfirmed,
    RequestDelivered,
    RequestDispatched,
    RequestReplied,
    RequestStatus,
    RequestSupplemented,
    RequestWithdrawn,
    SupplementAsked,
)
from contracts.topics import topic_name
from kernel.ports import Outgoing, OutgoingEvent
from sharing.filings.domain import Filing
from sharing.grants.domain import Grant
from sharing.instants import to_text
from sharing.requests.domain import ShareRequest

_TYPES: dict[type[Payload], str] = {
    SupplementAsked: "yiwang.sharing.request.supplement_asked.v1",
    RequestSupplemented: "yiwang.sharing.request.supplemented.v1",
    ReceiptReturned: "yiwang.sharing.request.receipt_returned.v1",
    RequestReplied: "yiwang.sharing.request.replied.v1",
    RequestDelivered: "yiwang.sharing.request.delivered.v1",
    DeliveryProved: "yiwang.sharing.delivery.proved.v1",
    RequestConfirmed: "yiwang.sharing.request.confirmed.v1",
    RequestWithdrawn: "yiwang.sharing.request.withdrawn.v1",
    GrantEnded: "yiwang.sharing.grant.ended.v1",
    RequestStatus: "yiwang.sharing.request.status.v1",
    ClockStarted: "yiwang.clock.started.v1",
    ClockEnded: "yiwang.clock.ended.v1",
    Notice: "yiwang.notice.posted.v1",
    DependentAdded: "yiwang.catalog.dependent.added.v1",
    DependentEnded: "yiwang.catalog.dependent.ended.v1",
    FilingSubmitted: "yiwang.filing.submitted.v1",
    FilingCompleted: "yiwang.filing.completed.v1",
}
DISPATCHED = "yiwang.sharing.request.dispatched.v1"


async def send(
    tx: Outgoing,
    request: ShareRequest,
    payload: Payload,
    *,
    family: str,
    node: str,
    key: str | None = None,
    guard: str | None = None,
) -> ShareRequest:
    """Emit ``payload`` to a node's mailbox; return the request with the case number it used.

    The request's row must be locked (or new), and stored afterwards.
    """
    number = request.emitted + 1
    await tx.emit(
        OutgoingEvent(
            type=_TYPES[type(payload)],
            topic=topic_name(family, node),
            key=key or request.request_id,
            case_version=number,
            case_space=request.side,
            subject=request.request_id,
            payload=payload,
            destination=node,
            guard=guard,
        )
    )
    return replace(request, emitted=number)


async def dispatch(tx: Outgoing, request: ShareRequest, asked: RequestDispatched) -> ShareRequest:
    """Emit the request to the source's node, as ``asked``: with the filings that go out with it."""
    number = request.emitted + 1
    node = asked.source.node
    await tx.emit(
        OutgoingEvent(
            type=DISPATCHED,
            topic=topic_name("sharing", node),
            key=request.request_id,
            case_version=number,
            case_space=request.side,
            subject=request.request_id,
            payload=asked,
            destination=node,
        )
    )
    return replace(request, asked=asked, emitted=number)


async def to_other_side(
    tx: Outgoing, request: ShareRequest, payload: Payload, *, guard: str | None = None
) -> ShareRequest:
    """Emit to the node of the other party."""
    other = request.asked.source if request.side == "sent" else request.asked.requester
    return await send(tx, request, payload, family="sharing", node=other.node, guard=guard)


async def to_own_desk(tx: Outgoing, request: ShareRequest, payload: Payload) -> ShareRequest:
    """Emit a clock event or a notice to the desk of the node that holds this side."""
    own = request.asked.requester if request.side == "sent" else request.asked.source
    return await send(tx, request, payload, family="filings", node=own.node)


async def notice(
    tx: Outgoing,
    request: ShareRequest,
    *,
    notice_id: str,
    titles: tuple[str, str],
    at: datetime,
    organisation: OrganisationRef | None = None,
    subject: str | None = None,
) -> ShareRequest:
    """Post a notice to this side's organisation; ``titles`` are Chinese and English."""
    own = request.asked.requester if request.side == "sent" else request.asked.source
    return await to_own_desk(
        tx,
        request,
        Notice(
            notice_id=notice_id,
            org_id=(organisation or own).org_id,
            subject=subject,
            title_zh=titles[0],
            title_en=titles[1],
            case_kind="share_request",
            case_id=request.request_id,
            case_no=request.asked.request_no,
            link=f"/sharing/v1/requests/{request.request_id}",
            at=to_text(at),
        ),
    )


async def status_copies(
    tx: Outgoing,
    request: ShareRequest,
    filings: tuple[Filing, ...],
    *,
    at: datetime,
    state: str | None = None,
    due: DueDate | None = None,
) -> ShareRequest:
    """Send the request's state to every desk that holds a filing of it (read-only copies)."""
    for filing in filings:
        copy = RequestStatus(
            request_id=request.request_id,
            request_no=request.asked.request_no,
            state=state or request.state.value,
            filing_id=filing.filing_id,
            at=to_text(at),
            due=due,
        )
        request = await send(tx, request, copy, family="filings", node=filing.receiver_node)
    return request


async def submit_filing(tx: Outgoing, filing: Filing, payload: FilingSubmitted) -> None:
    """Emit a new filing, which is the first event of its own case, to its receiver's desk."""
    await _filing_event(tx, filing, payload, number=1)


async def complete_filing(tx: Outgoing, filing: Filing, payload: FilingCompleted) -> Filing:
    """Emit the completion of a returned filing."""
    number = filing.emitted + 1
    await _filing_event(tx, filing, payload, number=number)
    return replace(filing, emitted=number)


async def _filing_event(tx: Outgoing, filing: Filing, payload: Payload, *, number: int) -> None:
    await tx.emit(
        OutgoingEvent(
            type=_TYPES[type(payload)],
            topic=topic_name("filings", filing.receiver_node),
            key=filing.filing_id,
            case_version=number,
            case_space="filing",
            subject=filing.filing_id,
            payload=payload,
            destination=filing.receiver_node,
        )
    )


def delivered(request: ShareRequest, grant: Grant, *, at: datetime) -> RequestDelivered:
    """Return the announcement of a grant to its holder."""
    return RequestDelivered(
        request_id=request.request_id,
        grant_id=grant.grant_id,
        entry_id=grant.entry_id,
        entry_version=grant.entry_version,
        items=grant.items,
        purpose=grant.purpose,
        holder=grant.holder,
        system_id=grant.system_id,
        valid_from=to_text(grant.valid_from),
        valid_until=to_text(grant.valid_until),
        delivery_url=grant.delivery_url,
        delivered_at=to_text(at),
    )


def dependent_added(grant: Grant) -> DependentAdded:
    """Return the announcement to the entry's catalogue that a grant depends on it."""
    return DependentAdded(
        dependent_id=grant.grant_id,
        kind="grant",
        entry_id=grant.entry_id,
        entry_version=grant.entry_version,
        holder=grant.holder,
        until=to_text(grant.valid_until),
    )
