"""What events do in a world: sharing's own use cases, and plain desks for the other services.

Around every handler stand two of the world's own: one that fails as the schedule says, one that
writes what was applied into the history, in the same transaction.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.events.filing import FilingReceived, FilingRecorded, FilingSubmitted
from contracts.topics import topic_name
from kernel.handlers import RECEIPT_TYPE, Handlers, NotYet, Poison
from kernel.ports import OutgoingEvent, ReceivedEvent
from sharing.filings.handlers import USE_CASES as FILING_USE_CASES
from sharing.instants import to_text
from sharing.requests.handlers import USE_CASES as REQUEST_USE_CASES
from sharing.requests.handlers import receipt_stored
from tests.simulation.db import DiskFullError, UniqueViolationError
from tests.simulation.federation import Service
from tests.simulation.handed import WorldTransaction

UseCase = Callable[..., Awaitable[None]]


@dataclass
class Mischief:
    """Which events a service's handlers refuse: the n-th new one that comes, how, how often.

    ``poison`` and ``bug`` last until an operator's ``repair``; the others end by themselves.
    """

    planned: dict[int, tuple[str, int]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    left: dict[str, tuple[str, int]] = field(default_factory=dict)
    repaired: bool = False
    broken: bool = False

    def plan(self, nth: int, how: str, times: int) -> None:
        self.planned[len(self.seen) + nth] = (how, times)

    def judge(self, event: ReceivedEvent) -> None:
        if event.id not in self.seen:
            self.seen[event.id] = number = len(self.seen) + 1
            if number in self.planned:
                self.left[event.id] = self.planned[number]
        if self.broken:
            raise ZeroDivisionError("bad release")
        how, times = self.left.get(event.id, ("", 0))
        if not how:
            return
        if how in ("poison", "bug", "constraint"):
            if self.repaired:
                return
        elif times <= 0:
            return
        self.left[event.id] = (how, times - 1)
        raise _FAILURES[how]


_FAILURES: dict[str, Exception] = {
    "poison": Poison("planned"),
    "bug": ZeroDivisionError("planned"),
    "constraint": UniqueViolationError("planned"),
    "not_yet": NotYet("planned"),
    "away": DiskFullError("planned"),
}


def wire(service: Service, mischief: Mischief) -> None:
    """Give a service its handlers."""
    real = Handlers()
    if service.name == "sharing":
        _add_sharing(real, service)
    else:
        _add_desk(real, service)
    around = Handlers()
    for event_type in sorted(real.types()):
        around.on(event_type)(_mischievous(mischief))
    around.include(real)
    for event_type in sorted(real.types()):
        around.on(event_type)(_recorder(service))
    service.handlers = around


def _mischievous(mischief: Mischief) -> Any:
    async def fail(tx: WorldTransaction, event: ReceivedEvent) -> None:
        mischief.judge(event)

    return fail


def _recorder(service: Service) -> Any:
    async def record(tx: WorldTransaction, event: ReceivedEvent) -> None:
        tx.connection.note(
            "applied",
            by=service.who,
            event=event.id,
            source=event.source,
            type=event.type,
            topic=event.topic,
            key=event.key,
            version=event.case_version,
        )

    return record


def _add_sharing(handlers: Handlers, service: Service) -> None:
    for event_type, use_case in {**REQUEST_USE_CASES, **FILING_USE_CASES}.items():
        handlers.on(event_type)(_door(service, use_case))
    handlers.on_receipt(_door(service, _receipt_of_a_case))


async def _receipt_of_a_case(tx: Any, event: ReceivedEvent, payload: Any, *, context: Any) -> None:
    await receipt_stored(tx, event, payload, context=context)
    tx.connection.note("receipt", by=f"{tx.node}/{tx.service}", event=payload.event_id)


def _door(service: Service, use_case: UseCase) -> Any:
    async def handle(tx: WorldTransaction, event: ReceivedEvent) -> None:
        context = service.context(tx.connection.process, tx)
        await use_case(tx, event, event.payload, context=context)

    return handle


def _add_desk(handlers: Handlers, service: Service) -> None:
    """Desks note what comes, and number and answer filings."""

    @handlers.on(RECEIPT_TYPE)
    async def receipt_came(tx: WorldTransaction, event: ReceivedEvent) -> None:
        receipt: Any = event.payload
        tx.connection.note("receipt", by=service.who, event=receipt.event_id)

    if service.name == "catalog":
        handlers.on("yiwang.catalog.dependent.added.v1", "yiwang.catalog.dependent.ended.v1")(
            _nothing
        )
        return
    handlers.on("yiwang.filing.submitted.v1")(_filing_came)
    handlers.on(
        "yiwang.filing.completed.v1",
        "yiwang.sharing.request.status.v1",
        "yiwang.clock.started.v1",
        "yiwang.clock.ended.v1",
        "yiwang.notice.posted.v1",
    )(_nothing)


async def _nothing(tx: WorldTransaction, event: ReceivedEvent) -> None:
    await tx.connection.statement("desk")


async def _filing_came(tx: WorldTransaction, event: ReceivedEvent) -> None:
    filing: Any = event.payload
    assert isinstance(filing, FilingSubmitted)
    await tx.connection.statement("desk.insert")
    case = {"case": filing.filing_id, "version": 1, "filer": filing.filer.node, "state": "received"}
    await tx.connection.insert("cases", filing.filing_id, case)
    state = "awaiting_external_receipt" if filing.external else "received"
    answer = FilingReceived(
        filing_id=filing.filing_id,
        filing_no=f"{tx.node}-{filing.filing_id[:8]}",
        receiver_node=tx.node,
        received_at=event.received_at,
        state=state,  # type: ignore[arg-type]
    )
    await tx.emit(
        OutgoingEvent(
            type="yiwang.filing.received.v1",
            topic=topic_name("sharing", filing.filer.node),
            key=filing.filing_id,
            case_version=1,
            subject=filing.filing_id,
            payload=answer,
            destination=filing.filer.node,
        )
    )


async def record_filing(tx: WorldTransaction, filing_id: str) -> bool:
    """A person at the desk records a filing (已备案)."""
    await tx.connection.statement("desk.lock")
    case = await tx.connection.lock("cases", filing_id)
    if case is None or case["state"] != "received":
        return False
    version = case["version"] + 1
    payload = FilingRecorded(
        filing_id=filing_id,
        filing_no=f"{tx.node}-{filing_id[:8]}",
        recorded_by="desk",
        recorded_at=to_text(tx.clock.now()),
    )
    await tx.emit(
        OutgoingEvent(
            type="yiwang.filing.recorded.v1",
            topic=topic_name("sharing", case["filer"]),
            key=filing_id,
            case_version=version,
            subject=filing_id,
            payload=payload,
            destination=case["filer"],
        )
    )
    done = {**case, "version": version, "state": "recorded"}
    await tx.connection.write("cases", filing_id, done)
    return True
