"""One transaction of the consumer on PostgreSQL.

Everything runs on the connection of the handlers' own transaction, by asyncpg itself: arrays in,
one round trip a step.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import asyncpg

from contracts.stream import Number, StreamKey, StreamState
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
    ReceiptDue,
    Refusal,
    Stored,
    StreamRow,
    Waiting,
)
from kernel.db import Transaction
from kernel.dlq import copy_event
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.receipts import receipt_rows

TRUST_LIMIT = 1000
"""Records kept of unknown keys; more are found again by their numbers."""
SAMPLE_LIMIT = 20
"""Refused records kept per topic and reason."""
_SAMPLE_OF_BATCH = 5


class PostgresConsumerTransaction:
    """One transaction; implements ``kernel.consuming.ConsumerTransaction``."""

    def __init__(
        self,
        tx: Transaction,
        driver: Any,
        *,
        dead_letter_limit: int,
        operator: Principal | None = None,
    ) -> None:
        self._tx = tx
        self._operator = operator or tx.principal
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

    async def note_skip(
        self, stream: StreamKey, *, before: StreamState | None, after: Number, reason: str
    ) -> None:
        last = {"epoch": before.epoch, "last": before.watermark} if before else None
        await self._tx.record(
            AuditEntry(
                act="stream.skipped",
                object_kind="stream",
                object_id=f"{stream.source} {stream.topic} {stream.partition}",
                principal=self._operator,
                reason=reason,
                details={"before": last, "epoch": after.epoch, "next": after.sequence},
            )
        )

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
        found = await self._driver.fetch(sql.ADD_DEAD_LETTERS, *columns(lines), self._now)
        new = {(row["source"], row["event_id"]): row["id"] for row in found if row["attempts"] == 1}
        for letter in letters:
            number = new.get(letter.event.identity)
            if number is not None:
                tx = self._tx
                await tx.emit(
                    copy_event(letter, number, node=tx.node, service=tx.service, now=self._now)
                )

    async def close_dead_letter(self, event: Stored, outcome: str, reason: str = "") -> None:
        who = self._operator.subject
        done = await self._driver.execute(
            sql.CLOSE_DEAD_LETTER, event.source, event.event_id, outcome, self._now, who
        )
        if not done.endswith(" 0"):
            await self._tx.record(
                AuditEntry(
                    act=f"deadletter.{outcome}",
                    object_kind="event",
                    object_id=event.event_id,
                    principal=self._operator,
                    reason=reason,
                    details={"source": event.source, "topic": event.topic, "type": event.type},
                )
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
