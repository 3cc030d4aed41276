"""The consumer's ports in a world: statement by statement what ``kernel.consumer_store`` does."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from contracts.stream import Number, StreamKey, StreamState
from kernel.clock import Clock
from kernel.consuming import (
    CaseKey,
    DeadLetter,
    HeldKey,
    OpenGap,
    ReceiptDue,
    Refusal,
    Stored,
    StreamRow,
    Waiting,
)
from kernel.ids import IdSource
from kernel.receipts import receipt_rows
from tests.simulation.db import Connection, Database
from tests.simulation.handed import WorldTransaction
from tests.simulation.processes import Process
from tests.simulation.sending import reading, transaction

DEAD_LETTER_LIMIT = 4
"""Far below production's, so that worlds reach it."""
LOCK_TIMEOUT = 15.0


class WorldConsumerTransaction:
    """One transaction of the consumer over the world's store."""

    def __init__(self, handed: WorldTransaction) -> None:
        self.handed = handed
        self._connection = handed.connection

    async def _statement(self, label: str) -> Connection:
        await self._connection.statement(f"consume.{label}")
        return self._connection

    def carry(self, traceparent: str | None) -> WorldTransaction:
        self.handed.traceparent = traceparent
        return self.handed

    def savepoint(self) -> AbstractAsyncContextManager[Any]:
        return self.handed.savepoint()

    # -- streams and positions ----------------------------------------------------------------

    async def lock_streams(self, keys: Sequence[StreamKey]) -> Mapping[StreamKey, StreamRow]:
        connection = await self._statement("lock_streams")
        found: dict[StreamKey, StreamRow] = {}
        for key in keys:
            row = await connection.lock("consumer_streams", tuple(key))
            if row is None:
                fresh = {"stream": key, "row": StreamRow(None)}
                await connection.insert("consumer_streams", tuple(key), fresh, or_ignore=True)
                row = await connection.lock("consumer_streams", tuple(key))
            assert row is not None
            found[key] = row["row"]
        return found

    async def save_streams(self, rows: Mapping[StreamKey, StreamRow]) -> None:
        connection = await self._statement("save_streams")
        for key, row in rows.items():
            await connection.write("consumer_streams", tuple(key), {"stream": key, "row": row})

    async def save_positions(self, positions: Mapping[tuple[str, int], int]) -> None:
        connection = await self._statement("save_positions")
        for key in sorted(positions):
            before = connection.get("consumer_positions", key)
            row = {"next": positions[key], "from": before["next"] if before else 0}
            await connection.write("consumer_positions", key, row)

    # -- what came ----------------------------------------------------------------------------

    async def insert_inbox(self, events: Sequence[Stored]) -> Collection[tuple[str, str]]:
        connection = await self._statement("inbox")
        fresh = set()
        for event in sorted(events, key=lambda event: event.identity):
            row = {"at": event.received_at}
            if await connection.insert("inbox", event.identity, row, or_ignore=True):
                fresh.add(event.identity)
        return fresh

    async def keep_evidence(self, events: Sequence[Stored]) -> None:
        connection = await self._statement("evidence")
        for event in events:
            row = {"event": event}
            await connection.insert("evidence", event.identity, row, or_ignore=True)
            connection.note("stored", by=self._who, event=event.event_id, source=event.source)

    @property
    def _who(self) -> str:
        return f"{self.handed.node}/{self.handed.service}"

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]:
        connection = await self._statement("organisations")
        rows = {org_id: connection.get("agencies", org_id) for org_id in ids}
        return {org_id: row["value"].node for org_id, row in rows.items() if row}

    async def sources_over_limit(self, sources: Sequence[str]) -> Collection[str]:
        connection = await self._statement("limit")
        counts: dict[str, int] = {}
        for row in connection.scan("dead_letters"):
            if row["state"] == "open":
                counts[row["source"]] = counts.get(row["source"], 0) + 1
        return [source for source in sources if counts.get(source, 0) >= DEAD_LETTER_LIMIT]

    # -- what waits ---------------------------------------------------------------------------

    async def held_keys(self, cases: Sequence[CaseKey]) -> Collection[CaseKey]:
        connection = await self._statement("held_keys")
        return [case for case in cases if connection.get("held_keys", tuple(case)) is not None]

    async def hold_key(self, held: HeldKey, *, reason: str, retry_at: str | None) -> None:
        connection = await self._statement("hold_key")
        row = {"held": held, "reason": reason, "retry_at": retry_at}
        await connection.write("held_keys", tuple(held.case), row)

    async def lock_held(self, case: CaseKey) -> HeldKey | None:
        connection = await self._statement("lock_held")
        row = await connection.lock("held_keys", tuple(case))
        return row["held"] if row else None

    async def release_key(self, case: CaseKey) -> None:
        connection = await self._statement("release_key")
        await connection.delete("held_keys", tuple(case))

    async def park(self, events: Sequence[Stored], why: Waiting) -> Sequence[Stored]:
        connection = await self._statement(f"park.{why}")
        new: list[Stored] = []
        for event in events:
            position = connection.database.next_number("parked")
            mark = (why.value, parked_mark(event, why))
            row = {"position": position, "why": why, "event": event, "mark": mark}
            if await connection.insert("parked", position, row, or_ignore=True):
                new.append(event)
                connection.note("parked", by=self._who, why=why.value, event=event.event_id)
        return new

    def _parked(self, why: Waiting) -> list[Any]:
        return [row for row in self._connection.scan("parked") if row["why"] is why]

    async def parked_in_stream(self, stream: StreamKey, limit: int) -> Sequence[Stored]:
        await self._statement("parked_in_stream")
        found = [row["event"] for row in self._parked(Waiting.GAP) if row["event"].stream == stream]
        found.sort(key=lambda event: (event.number.epoch, event.number.sequence))
        return found[:limit]

    async def parked_behind(self, case: CaseKey, limit: int) -> Sequence[Stored]:
        await self._statement("parked_behind")
        found = [row["event"] for row in self._parked(Waiting.KEY) if row["event"].case == case]
        return found[:limit]

    async def unpark(self, events: Sequence[Stored], why: Waiting) -> None:
        connection = await self._statement("unpark")
        gone = {parked_mark(event, why) for event in events}
        for row in self._parked(why):
            if parked_mark(row["event"], why) in gone:
                await connection.delete("parked", row["position"])

    # -- letters, refusals, receipts ----------------------------------------------------------

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        connection = await self._statement("dead_letters")
        for letter in letters:
            event = letter.event
            row = {"state": "open", "source": event.source, "reason": letter.reason, "event": event}
            await connection.write("dead_letters", event.identity, row)
            connection.note(
                "dead", by=self._who, event=event.event_id, key=event.key, reason=letter.reason
            )

    async def close_dead_letter(self, event: Stored, outcome: str) -> None:
        connection = await self._statement("close_letter")
        row = await connection.lock("dead_letters", event.identity)
        if row is not None:
            await connection.write("dead_letters", event.identity, {**row, "state": outcome})
            connection.note(f"letter.{outcome}", by=self._who, event=event.event_id)

    async def note_refusals(self, refusals: Sequence[Refusal]) -> None:
        connection = await self._statement("refusals")
        for refusal in refusals:
            number = connection.database.next_number("refused")
            await connection.insert("refused", number, {"refusal": refusal})

    async def send_receipts(self, receipts: Sequence[ReceiptDue]) -> None:
        connection = await self._statement("receipts")
        for due in receipts:
            rows = receipt_rows(
                due,
                node=self.handed.node,
                service=self.handed.service,
                event_id=self.handed.ids.uuid7(),
                now=self.handed.clock.now(),
            )
            for row in rows:
                number = connection.database.next_number("outbox")
                await connection.insert("outbox", number, {"id": number, **row}, or_ignore=True)


def parked_mark(event: Stored, why: Waiting) -> Any:
    """What makes it the same waiting event: for a gap its number, else its identity."""
    if why is Waiting.GAP:
        return (*event.stream, event.number.epoch, event.number.sequence)
    return event.identity


class WorldConsumerStore:
    """Opens the consumer's transactions over the world's store."""

    def __init__(
        self, database: Database, process: Process, *, node: str, service: str, ids: IdSource
    ) -> None:
        self._database = database
        self._process = process
        self._node = node
        self._service = service
        self._ids = ids
        self._clock: Clock = process

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[WorldConsumerTransaction]:
        async with transaction(self._database, self._process) as connection:
            connection.lock_timeout = LOCK_TIMEOUT
            handed = WorldTransaction(
                connection,
                node=self._node,
                service=self._service,
                clock=self._clock,
                ids=self._ids,
            )
            yield WorldConsumerTransaction(handed)
            await handed.flush()

    async def due_keys(self, now: str, limit: int) -> Sequence[HeldKey]:
        async with reading(self._database, self._process) as connection:
            due = [
                (row["retry_at"], row["held"])
                for row in connection.scan("held_keys")
                if row["retry_at"] is not None and row["retry_at"] <= now
            ]
        due.sort(key=lambda pair: pair[0])
        return [held for _, held in due[:limit]]

    async def held(self, case: CaseKey) -> HeldKey | None:
        async with reading(self._database, self._process) as connection:
            row = connection.get("held_keys", tuple(case))
            return row["held"] if row else None

    async def stream_state(self, stream: StreamKey) -> StreamState | None:
        async with reading(self._database, self._process) as connection:
            row = connection.get("consumer_streams", tuple(stream))
            return row["row"].state if row else None

    async def stream_states(self) -> dict[StreamKey, StreamState]:
        async with reading(self._database, self._process) as connection:
            rows = list(connection.scan("consumer_streams"))
            return {row["stream"]: row["row"].state for row in rows if row["row"].state}

    async def positions(self) -> dict[tuple[str, int], int]:
        async with reading(self._database, self._process) as connection:
            rows = self._database.tables["consumer_positions"].rows
            return {key: row["next"] for key, row in rows.items() if connection}

    async def ping(self) -> None:
        async with reading(self._database, self._process):
            return

    async def gaps(self, limit: int) -> Sequence[OpenGap]:
        async with reading(self._database, self._process) as connection:
            lowest: dict[StreamKey, Number] = {}
            for row in connection.scan("parked"):
                event: Stored = row["event"]
                if row["why"] is Waiting.GAP:
                    known = lowest.get(event.stream)
                    if known is None or event.number[:2] < known[:2]:
                        lowest[event.stream] = event.number
            found = []
            for stream in sorted(lowest)[:limit]:
                row = connection.get("consumer_streams", tuple(stream))
                state = row["row"].state if row else None
                found.append(OpenGap(stream, state, lowest[stream]))
            return found

    async def parked_for_trust(self, limit: int) -> Sequence[Stored]:
        async with reading(self._database, self._process) as connection:
            rows = [row for row in connection.scan("parked") if row["why"] is Waiting.TRUST]
            return [row["event"] for row in rows[:limit]]
