"""``/dead-letters`` and ``/streams``: what operators see of the bus, and what they decide."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from contracts.stream import StreamKey
from kernel import bus_parts
from kernel.deadletters import (
    DeadLetterClosed,
    DeadLetterRow,
    State,
    find_dead_letter,
    list_dead_letters,
    list_streams,
    waiting_behind,
)
from kernel.edge import Edge, EdgeDep
from kernel.pagination import Page, PageDep, make_page
from kernel.routes import ServiceRouter

if TYPE_CHECKING:
    from kernel.runtime import ServiceDefinition

Number = Annotated[int, Path(ge=1, le=2**62, description="死信编号 / number of the dead letter")]


class DeadLetterOut(BaseModel):
    """A dead letter: facts and a digest, never the payload."""

    id: int
    state: str
    source: str
    topic: str
    partition: int
    key: str
    epoch: str | None
    sequence: int | None
    event_id: str | None
    type: str
    reason: str
    sqlstate: str
    attempts: int
    payload_sha256: str
    size: int
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None
    closed_by: str


class DeadLetterDetail(DeadLetterOut):
    """A dead letter and how many events wait at its key, itself included."""

    waiting: int


class ReplayOut(BaseModel):
    """How many events of the key were applied, and how many still wait."""

    applied: int
    waiting: int


class DiscardIn(BaseModel):
    """Why the event is given up; the reason goes into the audit log."""

    reason: str = Field(min_length=2, max_length=500)


class StreamOut(BaseModel):
    """A stream: every number up to ``watermark`` of ``epoch`` is settled."""

    source: str
    topic: str
    partition: int
    epoch: str | None
    watermark: int
    parked: int
    held: int


class SkipIn(BaseModel):
    """The stream whose missing numbers are given up, and why."""

    source: str = Field(pattern=r"^/nodes/[0-9A-Za-z]{1,32}/[a-z][a-z-]{0,31}$")
    topic: str = Field(max_length=200)
    partition: int = Field(ge=0, le=10_000)
    reason: str = Field(min_length=2, max_length=500)


class SkipOut(BaseModel):
    """Whether anything was waiting for missing numbers."""

    skipped: bool


def make_router(definition: "ServiceDefinition") -> ServiceRouter:
    """Return the router of a service."""
    router = ServiceRouter(tags=["bus"])
    _add_looks(router)
    _add_decisions(router, definition)
    return router


def _add_looks(router: ServiceRouter) -> None:
    @router.get("/dead-letters")
    async def list_letters(
        page: PageDep, edge: EdgeDep, state: Annotated[State | None, Query()] = "open"
    ) -> Page[DeadLetterOut]:
        """List dead letters, newest first."""
        edge.allow("deadletter.read", node=edge.runtime.node)
        after = page.after(int)
        rows = await list_dead_letters(
            edge.tx.connection,
            state=state,
            before=after[0] if after else None,
            limit=page.limit + 1,
        )
        return make_page(rows, page, item=_out, key=lambda row: (row.id,))

    @router.get("/dead-letters/{number}")
    async def show_letter(number: Number, edge: EdgeDep) -> DeadLetterDetail:
        """Show one dead letter."""
        edge.allow("deadletter.read", node=edge.runtime.node)
        row = await find_dead_letter(edge.tx.connection, number)
        waiting = await waiting_behind(edge.tx.connection, row.case)
        return DeadLetterDetail(**_out(row).model_dump(), waiting=waiting)

    @router.get("/streams")
    async def streams(edge: EdgeDep) -> list[StreamOut]:
        """List how far each stream is."""
        edge.allow("bus.read", node=edge.runtime.node)
        return [StreamOut(**row) for row in await list_streams(edge.tx.connection)]


def _add_decisions(router: ServiceRouter, definition: "ServiceDefinition") -> None:
    @router.post("/dead-letters/{number}/replay")
    async def replay_letter(number: Number, edge: EdgeDep) -> ReplayOut:
        """Run the event again, and what waits behind it, in order."""
        edge.allow("deadletter.replay", node=edge.runtime.node)
        return await _release(definition, edge, number, discard_first=False)

    @router.post("/dead-letters/{number}/discard")
    async def discard_letter(number: Number, command: DiscardIn, edge: EdgeDep) -> ReplayOut:
        """Give the event up, and run what waits behind it, in order."""
        edge.allow("deadletter.discard", node=edge.runtime.node)
        return await _release(definition, edge, number, discard_first=True, reason=command.reason)

    @router.post("/streams/skip")
    async def skip(command: SkipIn, edge: EdgeDep) -> SkipOut:
        """Give up numbers that nobody can send again, so that the stream goes on."""
        edge.allow("deadletter.discard", node=edge.runtime.node)
        consumer = bus_parts.make_consumer(definition, operator=edge.principal)
        stream = StreamKey(command.source, command.topic, command.partition)
        return SkipOut(skipped=await consumer.skip_gap(stream, reason=command.reason))


def _out(row: DeadLetterRow) -> DeadLetterOut:
    return DeadLetterOut(**{name: getattr(row, name) for name in DeadLetterOut.model_fields})


async def _release(
    definition: "ServiceDefinition",
    edge: Edge,
    number: int,
    *,
    discard_first: bool,
    reason: str = "",
) -> ReplayOut:
    row = await find_dead_letter(edge.tx.connection, number)
    if row.state != "open":
        raise DeadLetterClosed(state=row.state)
    consumer = bus_parts.make_consumer(definition, operator=edge.principal)
    applied = await consumer.replay(row.case, discard_first=discard_first, reason=reason)
    return ReplayOut(applied=applied, waiting=await waiting_behind(edge.tx.connection, row.case))
