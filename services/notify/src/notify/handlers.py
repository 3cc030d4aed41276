"""Doors for the bus: each hands an event to its use case and translates what refuses it."""

from datetime import datetime

from contracts.events.catalog import AgencyState
from contracts.events.clock import ClockDigest, ClockEnded, ClockStarted, Notice
from contracts.events.documents import CalendarPublished
from kernel.db import Transaction
from kernel.handlers import Handlers, NotYet, Poison
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime
from notify.calendars import activation
from notify.clocks import service as clocks
from notify.desk import desk_of
from notify.digests import repository as digests
from notify.filings import service as filings
from notify.filings.repository import DeskTransaction
from notify.filings.service import ForeignFilingError, UnknownFilingError
from notify.inbox import service as inbox
from notify.inbox.domain import Address, Message
from notify.organisations import repository as organisations


def make_handlers(runtime: Runtime) -> Handlers:
    """Return the handlers of a node's notify."""
    handlers = Handlers()
    _filing_handlers(handlers, runtime)
    _clock_handlers(handlers, runtime)
    _inbox_handlers(handlers)
    _calendar_handlers(handlers, runtime)
    return handlers


def _filing_handlers(handlers: Handlers, runtime: Runtime) -> None:
    @handlers.on("yiwang.filing.submitted.v1")
    async def submitted(tx: Transaction, event: ReceivedEvent) -> None:
        try:
            desk = await desk_of(tx.connection, runtime)
            await filings.receive(DeskTransaction(tx), event, desk=desk)
        except ForeignFilingError as refused:
            raise Poison(str(refused)) from None

    @handlers.on("yiwang.filing.completed.v1")
    async def completed(tx: Transaction, event: ReceivedEvent) -> None:
        try:
            desk = await desk_of(tx.connection, runtime)
            await filings.complete(DeskTransaction(tx), event, desk=desk)
        except UnknownFilingError:
            raise NotYet("filing_not_seen") from None
        except ForeignFilingError as refused:
            raise Poison(str(refused)) from None

    @handlers.on("yiwang.sharing.request.status.v1")
    async def status(tx: Transaction, event: ReceivedEvent) -> None:
        await filings.keep_status(DeskTransaction(tx), event)


def _clock_handlers(handlers: Handlers, runtime: Runtime) -> None:
    @handlers.on("yiwang.clock.started.v1")
    async def started(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, ClockStarted)  # noqa: S101 -- the registry types the payload
        await clocks.start(tx.connection, payload, now=tx.clock.now())

    @handlers.on("yiwang.clock.ended.v1")
    async def ended(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, ClockEnded)  # noqa: S101 -- the registry types the payload
        known = await clocks.end(
            tx.connection,
            payload.clock_id,
            end_event=payload.end_event,
            ended_at=datetime.fromisoformat(payload.ended_at),
            now=tx.clock.now(),
        )
        if not known:
            raise NotYet("clock_not_seen")

    @handlers.on("yiwang.clock.digest.v1")
    async def digest(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, ClockDigest)  # noqa: S101 -- the registry types the payload
        upper = runtime.registry.upper(event.source_node)
        if payload.node != event.source_node or upper is None or upper.node != runtime.node:
            raise Poison("not_a_lower_node")
        received_at = datetime.fromisoformat(event.received_at)
        await digests.hold(
            tx.connection, payload, number=event.case_version, received_at=received_at
        )


def _inbox_handlers(handlers: Handlers) -> None:
    @handlers.on("yiwang.notice.posted.v1")
    async def notice(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, Notice)  # noqa: S101 -- the registry types the payload
        if not (payload.org_id or payload.role or payload.subject):
            raise Poison("notice_without_address")
        address = Address(org_id=payload.org_id, role=payload.role, subject=payload.subject)
        message = Message(
            item_id=payload.notice_id,
            address=address,
            kind="notice",
            title_zh=payload.title_zh,
            title_en=payload.title_en,
            case_kind=payload.case_kind,
            case_id=payload.case_id,
            case_no=payload.case_no,
            link=payload.link,
        )
        await inbox.post(tx.connection, [message], at=datetime.fromisoformat(payload.at))

    @handlers.on("yiwang.catalog.agency.announced.v1")
    async def agency(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, AgencyState)  # noqa: S101 -- the registry types the payload
        if payload.node != event.source_node:
            raise Poison("agency_of_another_node")
        await organisations.keep(tx.connection, payload)


def _calendar_handlers(handlers: Handlers, runtime: Runtime) -> None:
    @handlers.on("yiwang.federation.calendar.published.v1")
    async def calendar(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        assert isinstance(payload, CalendarPublished)  # noqa: S101 -- the registry types the payload
        if event.source_node != runtime.registry.city:
            raise Poison("calendar_not_of_the_city")
        await activation.apply_published(tx, payload)
