"""The consumer's database side on PostgreSQL.

Everything runs on the connection of the handlers' own transaction, by asyncpg itself: arrays in,
one round trip a step.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from contracts.envelope import read_signed
from contracts.stream import StreamKey
from kernel import consumer_sql as sql
from kernel.consumer_rows import (
    columns,
    dead_line,
    held_key,
    parked_line,
    refusal_line,
    stream_key,
    stream_line,
    stream_row,
    to_stored,
)
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
from kernel.db import Database, Transaction
from kernel.receipts import receipt_rows

DEAD_LETTER_LIMIT = 100
"""Open dead letters of one source before it is parked; a policy."""
TRUST_LIMIT = 1000
"""Records kept of unknown keys; more are found again by their numbers."""
SAMPLE_LIMIT = 20
"""Refused records kept per topic and reason."""
_SAMPLE_OF_BATCH = 5
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '15s'"


class PostgresConsumerTransaction:
    """One transaction; implements ``kernel.consuming.ConsumerTransaction``."""

    def __init__(self, tx: Transaction, driver: Any, *, dead_letter_limit: int) -> None:
        self._tx = tx
        self._driver: asyncpg.Connection[Any] = driver
        self._limit = dead_letter_limit
        self._loaded: dict[StreamKey, StreamRow] = {}
        self._now = tx.clock.now()

    def carry(self, traceparent: str | None) -> Transaction:
        self._tx.traceparent = traceparent
        return self._tx

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._tx.savepoint()

    # -- streams and positions ----------------------------------------------------------------

    async def lock_streams(self, keys: Sequence[StreamKey]) -> Mapping[StreamKey, StreamRow]:
        which = columns(keys)
        found = await self._driver.fetch(sql.LOCK_STREAMS, *which)
        if len(found) < len(keys):
            await self._driver.execute(sql.MAKE_STREAMS, *which)
            found = await self._driver.fetch(sql.LOCK_STREAMS, *which)
        rows = {stream_key(row): stream_row(row) for row in found}
        self._loaded |= rows
        return rows

    async def save_streams(self, rows: Mapping[StreamKey, StreamRow]) -> None:
        changed = [(key, row) for key, row in rows.items() if self._loaded.get(key) != row]
        if not changed:
            return
        lines = [stream_line(key, row) for key, row in changed]
        await self._driver.execute(sql.SAVE_STREAMS, *columns(lines))
        self._loaded |= dict(changed)

    async def save_positions(self, positions: Mapping[tuple[str, int], int]) -> None:
        lines = [(topic, partition, offset) for (topic, partition), offset in positions.items()]
        await self._driver.execute(sql.SAVE_POSITIONS, *columns(sorted(lines)))

    # -- new events ---------------------------------------------------------------------------

    async def insert_inbox(self, events: Sequence[Stored]) -> Collection[tuple[str, str]]:
        ids = [event.event_id for event in events]
        sources = [event.source for event in events]
        found = await self._driver.fetch(sql.INSERT_INBOX, ids, sources, self._now)
        return {(row[0], row[1]) for row in found}

    async def keep_evidence(self, events: Sequence[Stored]) -> None:
        lines = [
            (e.event_id, e.source, e.signed, e.signature, e.payload, e.entered_at, e.received_at)
            for e in events
        ]
        await self._driver.execute(sql.KEEP_EVIDENCE, *columns(lines))

    async def send_receipts(self, receipts: Sequence[ReceiptDue]) -> None:
        rows = [
            row
            for due in receipts
            for row in receipt_rows(
                due,
                node=self._tx.node,
                service=self._tx.service,
                event_id=self._tx.ids.uuid7(),
                now=self._now,
            )
        ]
        await self._driver.execute(sql.INSERT_OUTBOX, *columns([tuple(r.values()) for r in rows]))
        self._tx.emitted += len(rows)

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]:
        found = await self._driver.fetch(sql.ORGANISATIONS, list(ids))
        return {row[0]: row[1] for row in found}

    async def sources_over_limit(self, sources: Sequence[str]) -> Collection[str]:
        found = await self._driver.fetch(sql.OVER_LIMIT, list(sources), self._limit)
        return {row[0] for row in found}

    # -- held keys ----------------------------------------------------------------------------

    async def held_keys(self, cases: Sequence[CaseKey]) -> Collection[CaseKey]:
        found = await self._driver.fetch(sql.HELD_KEYS, *columns(cases))
        return {CaseKey(*row) for row in found}

    async def hold_key(self, held: HeldKey, *, reason: str, retry_at: str | None) -> None:
        again = datetime.fromisoformat(retry_at) if retry_at else None
        await self._driver.execute(
            sql.HOLD_KEY,
            *held.case,
            held.partition,
            held.hold.value,
            reason,
            held.attempts,
            self._now,
            again,
        )

    async def lock_held(self, case: CaseKey) -> HeldKey | None:
        row = await self._driver.fetchrow(sql.LOCK_HELD, *case)
        return held_key(row) if row else None

    async def release_key(self, case: CaseKey) -> None:
        await self._driver.execute(sql.RELEASE_KEY, *case)

    # -- parked events ------------------------------------------------------------------------

    async def park(self, events: Sequence[Stored], why: Waiting) -> Sequence[Stored]:
        lines = [parked_line(event) for event in events]
        found = await self._driver.fetch(sql.PARK, why.value, *columns(lines), TRUST_LIMIT)
        new = {tuple(row) for row in found}
        kept = []
        for e in events:
            number = (e.number.epoch or None, e.number.sequence)
            mark = (e.source, e.topic, e.partition, *number, e.event_id)
            if mark in new:
                new.discard(mark)
                kept.append(e)
        return kept

    async def parked_in_stream(self, stream: StreamKey, limit: int) -> Sequence[Stored]:
        return [
            to_stored(r) for r in await self._driver.fetch(sql.PARKED_IN_STREAM, *stream, limit)
        ]

    async def parked_behind(self, case: CaseKey, limit: int) -> Sequence[Stored]:
        return [to_stored(r) for r in await self._driver.fetch(sql.PARKED_BEHIND, *case, limit)]

    async def unpark(self, events: Sequence[Stored], why: Waiting) -> None:
        if not events:
            return
        if why is Waiting.GAP:
            lines = [(*e.stream, e.number.epoch, e.number.sequence) for e in events]
            await self._driver.execute(sql.UNPARK_NUMBERS, *columns(lines))
        else:
            pairs = columns([e.identity for e in events])
            await self._driver.execute(sql.UNPARK_EVENTS, why.value, *pairs)

    # -- dead letters and refusals ------------------------------------------------------------

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        lines = [dead_line(letter) for letter in letters]
        await self._driver.execute(sql.ADD_DEAD_LETTERS, *columns(lines), self._now)

    async def close_dead_letter(self, event: Stored, outcome: str) -> None:
        who = self._tx.principal.subject
        await self._driver.execute(
            sql.CLOSE_DEAD_LETTER, event.source, event.event_id, outcome, self._now, who, ""
        )

    async def note_refusals(self, refusals: Sequence[Refusal]) -> None:
        counts = Counter((refusal.topic, refusal.reason) for refusal in refusals)
        totals = columns([(*kind, count) for kind, count in counts.items()])
        await self._driver.execute(sql.COUNT_REFUSALS, *totals, self._now.date())
        taken: Counter[tuple[str, str]] = Counter()
        lines = []
        for r in refusals:
            taken[(r.topic, r.reason)] += 1
            if taken[(r.topic, r.reason)] <= _SAMPLE_OF_BATCH:
                lines.append(refusal_line(r))
        await self._driver.execute(sql.SAMPLE_REFUSALS, *columns(lines), self._now, SAMPLE_LIMIT)


class PostgresConsumerStore:
    """Implements ``kernel.consuming.ConsumerStore`` over a service's database."""

    def __init__(self, database: Database, *, dead_letter_limit: int = DEAD_LETTER_LIMIT) -> None:
        self._database = database
        self._limit = dead_letter_limit

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresConsumerTransaction]:
        async with self._database.transaction() as tx:
            # the first statement by SQLAlchemy begins the transaction that asyncpg then runs in
            await tx.connection.exec_driver_sql(_LOCK_TIMEOUT)
            driver = (await tx.connection.get_raw_connection()).driver_connection
            yield PostgresConsumerTransaction(tx, driver, dead_letter_limit=self._limit)

    async def due_keys(self, now: str, limit: int) -> Sequence[HeldKey]:
        rows = await self._fetch(sql.DUE_KEYS, datetime.fromisoformat(now), limit)
        return [held_key(row) for row in rows]

    async def held(self, case: CaseKey) -> HeldKey | None:
        rows = await self._fetch(sql.HELD, *case)
        return held_key(rows[0]) if rows else None

    async def gaps(self, limit: int) -> Sequence[OpenGap]:
        rows = await self._fetch(sql.GAPS, limit)
        return [
            OpenGap(
                stream_key(row),
                stream_row(row).state,
                read_signed(row["signed"]).envelope.number,
            )
            for row in rows
        ]

    async def parked_for_trust(self, limit: int) -> Sequence[Stored]:
        return [to_stored(row) for row in await self._fetch(sql.PARKED_FOR_TRUST, limit)]

    async def positions(self) -> dict[tuple[str, int], int]:
        """Return the next offset to read, by topic and partition."""
        rows = await self._fetch("SELECT * FROM kernel.consumer_positions")
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def ping(self) -> None:
        """Ask for anything; raises when the database is away."""
        await self._fetch("SELECT 1")

    async def _fetch(self, text: str, *arguments: Any) -> list[Any]:
        return list(await self._database.hot.fetch(text, arguments))
