"""The relay's ports in a world: its store, the bus and a sibling's internal door."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from contracts.stream import Missing, StreamKey
from kernel.local import DirectPublisher
from kernel.outbox import instant
from kernel.relaying import Ack, Counter, Message, OutboxRow, PublishError, Sent
from tests.simulation.bus import Bus, BusUnavailableError
from tests.simulation.db import Connection, Database, Row
from tests.simulation.processes import Process

Guard = Callable[[Connection, str], Awaitable[bool]]


def to_row(row: Row, number: Row | None = None) -> OutboxRow:
    """Make the relay's row of an outbox or sent-log row."""
    made = OutboxRow(
        id=row["id"],
        topic=row["topic"],
        partition=row["partition"],
        key=row["key"],
        event_id=str(row["event_id"]),
        type=row["type"],
        subject=row["subject"],
        time=row["time"],
        dataschema=row["dataschema"],
        case_version=row["case_version"],
        payload=row["payload"],
        traceparent=row["traceparent"],
        guard=row["guard"],
    )
    if number is None:
        return made
    return replace(
        made,
        epoch=number["epoch"],
        sequence=number["sequence"],
        previous_epoch=number["previous_epoch"],
        previous_last=number["previous_last"],
    )


class WorldNumbering:
    """Step one of the relay; statement by statement what ``kernel.relay_store`` does."""

    def __init__(self, transport: str, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection

    async def unnumbered(self, limit: int) -> Sequence[OutboxRow]:
        await self._connection.statement("relay.unnumbered")
        found = [
            to_row(row)
            for row in self._connection.scan("outbox")
            if row["transport"] == self._transport
            and self._connection.get("outbox_numbers", row["id"]) is None
        ]
        return found[:limit]

    async def lock_counters(
        self, streams: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Counter]:
        await self._connection.statement("relay.lock_counters")
        found: dict[tuple[str, int], Counter] = {}
        for topic, partition in streams:
            key = (self._transport, topic, partition)
            row = await self._connection.lock("relay_streams", key)
            if row is None:
                fresh = {
                    "transport": self._transport,
                    "topic": topic,
                    "partition": partition,
                    "epoch": "",
                    "last": 0,
                }
                await self._connection.insert("relay_streams", key, fresh, or_ignore=True)
                row = await self._connection.lock("relay_streams", key)
            assert row is not None
            found[(topic, partition)] = Counter(topic, partition, row["epoch"], row["last"])
        return found

    async def save(self, rows: Sequence[OutboxRow], counters: Sequence[Counter]) -> None:
        await self._connection.statement("relay.save")
        for counter in counters:
            key = (self._transport, counter.topic, counter.partition)
            row_of = {"transport": self._transport, **counter._asdict()}
            await self._connection.write("relay_streams", key, row_of)
        for row in rows:
            number = {
                "id": row.id,
                "epoch": row.epoch,
                "sequence": row.sequence,
                "previous_epoch": row.previous_epoch,
                "previous_last": row.previous_last,
            }
            await self._connection.insert("outbox_numbers", row.id, number)


class WorldRelayStore:
    """The store of one relay: the outbox rows of one transport."""

    def __init__(
        self,
        database: Database,
        process: Process,
        transport: str,
        *,
        source: str,
        observer: Any,
        guards: Mapping[str, Guard],
    ) -> None:
        self.transport = transport
        self.source = source
        self.observer = observer
        self._database = database
        self._process = process
        self._guards = guards
        self._lock: Connection | None = None

    async def acquire(self) -> bool:
        if self._lock is None or self._lock.broken or self._lock.closed:
            await self._process.step("relay.connect")
            self._lock = self._database.connect(self._process)
        await self._lock.statement("relay.acquire")
        key = ("advisory", "relay", self.transport)
        holder = self._database.locks.get(key)
        if holder is not None and holder.owner is not self._lock:
            return False
        await self._lock.acquire(key, session=True)
        return True

    async def holds(self) -> bool:
        return self._lock is not None and not self._lock.known_broken

    async def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @asynccontextmanager
    async def _work(self) -> AsyncGenerator[Connection]:
        async with transaction(self._database, self._process) as connection:
            yield connection

    async def latest_epoch(self) -> str:
        async with reading(self._database, self._process) as connection:
            return max((row["epoch"] for row in connection.scan("relay_streams")), default="")

    @asynccontextmanager
    async def numbering(self) -> AsyncGenerator[WorldNumbering]:
        async with self._work() as connection:
            yield WorldNumbering(self.transport, connection)

    async def numbered(self, limit: int) -> Sequence[OutboxRow]:
        async with reading(self._database, self._process) as connection:
            found = []
            for number in connection.scan("outbox_numbers"):
                row = connection.get("outbox", number["id"])
                if row is not None and row["transport"] == self.transport:
                    found.append(to_row(row, number))
            found.sort(key=lambda row: (row.topic, row.partition, row.epoch, row.sequence))
            return found[:limit]

    @asynccontextmanager
    async def guarded(self, guards: Sequence[str]) -> AsyncGenerator[frozenset[str]]:
        async with self._work() as connection:
            ended = []
            for guard in guards:
                kind, _, name = guard.partition(":")
                check = self._guards.get(kind)
                await connection.statement("relay.guard")
                self.observer.guard_asked(self._process.name, name)
                if check is None or not await check(connection, name):
                    ended.append(guard)
            yield frozenset(ended)

    async def finish(self, sent: Sequence[Sent]) -> None:
        async with self._work() as connection:
            await connection.statement("relay.finish")
            for item in sorted(sent, key=lambda item: item.row.id):
                await self._move(connection, item)

    async def _move(self, connection: Connection, item: Sent) -> None:
        row, number = (connection.get(name, item.row.id) for name in ("outbox", "outbox_numbers"))
        numbered = await connection.delete("outbox_numbers", item.row.id)
        kept = await connection.delete("outbox", item.row.id)
        if not (numbered and kept and row and number):
            return
        moved = {**row, **number, "entered_at": item.entered_at, "void": item.void}
        if item.void:
            moved.update(type=item.row.type, dataschema="", payload=item.row.payload)
        key = (row["topic"], row["partition"], number["epoch"], number["sequence"])
        await connection.insert("sent_log", key, moved, or_ignore=True)


@asynccontextmanager
async def transaction(database: Database, process: Process) -> AsyncGenerator[Connection]:
    """A transaction on a connection of a pool: commit on leaving, roll back when it raises."""
    connection = database.connect(process)
    try:
        yield connection
        await connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


@asynccontextmanager
async def reading(database: Database, process: Process) -> AsyncGenerator[Connection]:
    """One reading statement outside any transaction: a single round trip."""
    await process.step("read", 0.001)
    connection = database.connect(process)
    try:
        yield connection
    finally:
        connection.close()


class BusPublisher:
    """Publishes like ``kernel.publishers``: partitions side by side, in order within each."""

    def __init__(self, bus: Bus, process: Process) -> None:
        self._bus = bus
        self._observer = bus.observer
        self._process = process

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        groups: dict[tuple[str, int], list[int]] = {}
        for index, message in enumerate(messages):
            groups.setdefault((message.topic, message.partition), []).append(index)
        acks: dict[int, Ack] = {}
        failed = False
        for group in groups.values():
            try:
                await self._process.step("publish.before", 0.003)
                batch = [messages[i] for i in group]
                self._observer.published(self._process.name, batch)
                entered = self._bus.take(self._process.node, batch)
            except BusUnavailableError:
                failed = True
                continue
            acks.update((index, Ack(instant(entered))) for index in group)
        await self._process.step("publish.after", 0.003)
        if failed:
            raise PublishError("BusUnavailable")
        return [acks[index] for index in range(len(messages))]


class DoorPublisher:
    """Posts batches to a sibling service; an answer that got lost is a failure like any other."""

    def __init__(
        self,
        process: Process,
        post: Callable[[Sequence[Message]], "asyncio.Future[Any] | None"],
        *,
        observer: Any,
        tell: Callable[[Mapping[StreamKey, Missing]], None],
        patience: float = 30.0,
    ) -> None:
        self._process = process
        self._observer = observer
        self._post = post
        self._tell = tell
        self._patience = patience

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        await self._process.step("door.before")
        self._observer.published(self._process.name, messages)
        work = self._post(messages)
        if work is None:
            raise PublishError("ConnectError")
        done, _ = await asyncio.wait([work], timeout=self._patience)
        await self._process.step("door.after")
        if not done or work.cancelled() or work.exception() or work.result() is None:
            raise PublishError("door")
        entered, result = work.result()
        self._tell(result.missing)
        return [Ack(entered)] * len(messages)


class SelfPublisher:
    """``kernel.local.DirectPublisher`` at the process's pace, under the observer's eyes."""

    def __init__(self, inner: DirectPublisher, process: Process, observer: Any) -> None:
        self._inner = inner
        self._process = process
        self._observer = observer

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        await self._process.step("door.before")
        self._observer.published(self._process.name, messages)
        return await self._inner.publish(messages)
