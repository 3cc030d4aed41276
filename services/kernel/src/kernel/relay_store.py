"""The relay's database side on PostgreSQL: plain asyncpg, everything in batches.

Two connections: one holds the advisory lock for as long as the relay runs, one does the work.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.stream import Number
from kernel.db import Database
from kernel.relay import Counter, OutboxRow, Sent

Guard = Callable[[AsyncConnection, str], Awaitable[bool]]
"""Tells whether what it names (``grant:<id>``: the id) still holds; locks it ``FOR SHARE``."""

ROUND_BYTES = 16 << 20
"""Payload bytes that one round takes at most."""

EVENT_COLUMNS = (
    "topic, partition, key, event_id, type, subject, time, dataschema, case_version, payload,"
    " traceparent, guard"
)
NUMBER_COLUMNS = "epoch, sequence, previous_epoch, previous_last"
_MINE = "transport = $1 AND ($3 = 1 OR abs(hashtext(topic)) % $3 = $4)"
_ORDER = "topic, partition, epoch, sequence"
# as many rows as asked for, but no more than fit into memory; the first one always
_UNNUMBERED = f"""
    SELECT id, {EVENT_COLUMNS} FROM (
        SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS before
        FROM (
            SELECT * FROM kernel.outbox AS o
            WHERE {_MINE} AND NOT EXISTS (SELECT FROM kernel.outbox_numbers AS n WHERE n.id = o.id)
            ORDER BY id LIMIT $2
        ) AS next
    ) AS chosen WHERE before < $5 ORDER BY id
"""
_NUMBERED = f"""
    SELECT id, {EVENT_COLUMNS}, {NUMBER_COLUMNS} FROM (
        SELECT *,
            sum(octet_length(payload)) OVER (ORDER BY {_ORDER}) - octet_length(payload) AS before
        FROM (
            SELECT * FROM kernel.outbox_numbers JOIN kernel.outbox USING (id) WHERE {_MINE}
            ORDER BY {_ORDER} LIMIT $2
        ) AS next
    ) AS chosen WHERE before < $5 ORDER BY {_ORDER}
"""
_LOCK_COUNTERS = """
    SELECT topic, partition, epoch, last FROM kernel.relay_streams
    WHERE transport = $1
      AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::integer[]))
    ORDER BY topic, partition FOR UPDATE
"""
_MAKE_COUNTERS = """
    INSERT INTO kernel.relay_streams (transport, topic, partition)
    SELECT $1, s.* FROM unnest($2::text[], $3::integer[]) AS s ON CONFLICT DO NOTHING
"""
_SAVE = """
    WITH counters AS (
        UPDATE kernel.relay_streams AS r SET epoch = $2, last = n.last
        FROM unnest($3::text[], $4::integer[], $5::bigint[]) AS n(topic, partition, last)
        WHERE r.transport = $1 AND r.topic = n.topic AND r.partition = n.partition
    )
    INSERT INTO kernel.outbox_numbers (id, epoch, sequence, previous_epoch, previous_last)
    SELECT n.id, $2, n.sequence, n.previous_epoch, n.previous_last
    FROM unnest($6::bigint[], $7::bigint[], $8::uuid[], $9::bigint[])
        AS n(id, sequence, previous_epoch, previous_last)
"""
_KEPT = (
    "id, transport, topic, partition, key, event_id, subject, time, case_space, case_version,"
    f" traceparent, guard, {NUMBER_COLUMNS}"
)
_FINISH = f"""
    WITH numbers AS (
        DELETE FROM kernel.outbox_numbers WHERE id = ANY($1) RETURNING *
    ), events AS (
        DELETE FROM kernel.outbox WHERE id = ANY($1) RETURNING *
    )
    INSERT INTO kernel.sent_log
        ({_KEPT}, type, dataschema, payload, entered_at, void, published_at)
    SELECT {_KEPT}, kind, CASE void WHEN '' THEN dataschema ELSE '' END,
        CASE void WHEN '' THEN payload ELSE '{{}}'::bytea END, at, void, $5
    FROM events JOIN numbers USING (id)
        JOIN unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS s(id, at, void, kind)
        USING (id)
    ON CONFLICT DO NOTHING
"""
_NOTE_VOIDS = """
    INSERT INTO kernel.dead_letters (state, source, topic, partition, key, epoch, sequence,
        event_id, type, reason, first_at, last_at)
    SELECT 'void', $1, v.*, $2, $2 FROM unnest($3::text[], $4::integer[], $5::text[], $6::uuid[],
        $7::bigint[], $8::uuid[], $9::text[], $10::text[]) AS v
"""


def plain_url(url: str) -> str:
    """Return the address of an SQLAlchemy URL as asyncpg reads it."""
    return re.sub(r"^postgresql\+\w+://", "postgresql://", url)


def to_row(record: Mapping[str, Any]) -> OutboxRow:
    """Make a row of an outbox or sent-log record."""
    return OutboxRow(
        id=record["id"],
        topic=record["topic"],
        partition=record["partition"],
        key=record["key"],
        event_id=str(record["event_id"]),
        type=record["type"],
        subject=record["subject"],
        time=record["time"],
        dataschema=record["dataschema"],
        case_version=record["case_version"],
        payload=record["payload"],
        traceparent=record["traceparent"],
        guard=record["guard"],
    )


def to_numbered(record: Mapping[str, Any]) -> OutboxRow:
    """Make a row that carries its number."""
    previous = record["previous_epoch"]
    number = Number(
        str(record["epoch"]),
        record["sequence"],
        str(previous) if previous else "",
        record["previous_last"] or 0,
    )
    return to_row(record).numbered(number)


class _Numbering:
    def __init__(self, store: "PostgresRelayStore", connection: "asyncpg.Connection[Any]") -> None:
        self._store = store
        self._connection = connection

    async def unnumbered(self, limit: int) -> Sequence[OutboxRow]:
        records = await self._connection.fetch(_UNNUMBERED, *self._store.scope(limit))
        return [to_row(record) for record in records]

    async def lock_counters(
        self, streams: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Counter]:
        which = [topic for topic, _ in streams], [partition for _, partition in streams]
        transport = self._store.transport
        found = await self._connection.fetch(_LOCK_COUNTERS, transport, *which)
        if len(found) < len(streams):
            await self._connection.execute(_MAKE_COUNTERS, transport, *which)
            found = await self._connection.fetch(_LOCK_COUNTERS, transport, *which)
        return {
            (r["topic"], r["partition"]): Counter(
                r["topic"], r["partition"], str(r["epoch"]) if r["epoch"] else "", r["last"]
            )
            for r in found
        }

    async def save(self, rows: Sequence[OutboxRow], counters: Sequence[Counter]) -> None:
        await self._connection.execute(
            _SAVE,
            self._store.transport,
            UUID(rows[0].epoch),
            [counter.topic for counter in counters],
            [counter.partition for counter in counters],
            [counter.last for counter in counters],
            [row.id for row in rows],
            [row.sequence for row in rows],
            [UUID(row.previous_epoch) if row.previous_epoch else None for row in rows],
            [row.previous_last or None for row in rows],
        )


class PostgresRelayStore:
    """The store of one relay: one transport, and of its topics one shard."""

    def __init__(
        self,
        database: Database,
        transport: str,
        *,
        guards: Mapping[str, Guard] | None = None,
        source: str = "",
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        self.transport = transport
        self._database = database
        self._guards = guards or {}
        self._source = source
        self._shard = shard
        self._shards = shards
        self._lock: asyncpg.Connection[Any] | None = None
        self._work: asyncpg.Connection[Any] | None = None

    def scope(self, limit: int) -> tuple[str, int, int, int, int]:
        """Return the first arguments of every query over the outbox."""
        return self.transport, limit, self._shards, self._shard, ROUND_BYTES

    async def acquire(self) -> bool:
        if self._lock is None or self._lock.is_closed():
            self._lock = await self._connect("lock")
        name = f"relay {self.transport} {self._shard} of {self._shards}".encode()
        key = int.from_bytes(sha256(name).digest()[:8], "big", signed=True)
        return bool(await self._lock.fetchval("SELECT pg_try_advisory_lock($1)", key))

    async def holds(self) -> bool:
        return self._lock is not None and not self._lock.is_closed()

    async def release(self) -> None:
        for connection in (self._lock, self._work):
            if connection is not None and not connection.is_closed():
                await connection.close(timeout=5)
        self._lock = self._work = None

    async def latest_epoch(self) -> str:
        connection = await self._connection()
        found = await connection.fetchval(
            "SELECT epoch FROM kernel.relay_streams WHERE epoch IS NOT NULL"
            " ORDER BY epoch DESC LIMIT 1"
        )
        return str(found) if found else ""

    @asynccontextmanager
    async def numbering(self) -> AsyncIterator[_Numbering]:
        connection = await self._connection()
        async with connection.transaction():
            yield _Numbering(self, connection)

    async def numbered(self, limit: int) -> Sequence[OutboxRow]:
        connection = await self._connection()
        records = await connection.fetch(_NUMBERED, *self.scope(limit))
        return [to_numbered(record) for record in records]

    @asynccontextmanager
    async def guarded(self, guards: Sequence[str]) -> AsyncIterator[frozenset[str]]:
        async with self._database.transaction() as tx:
            ended = []
            for guard in guards:
                kind, _, name = guard.partition(":")
                check = self._guards.get(kind)
                if check is None or not await check(tx.connection, name):
                    ended.append(guard)
            yield frozenset(ended)

    async def finish(self, sent: Sequence[Sent]) -> None:
        now = self._database.clock.now()
        connection = await self._connection()
        voids = [item for item in sent if item.void]
        async with connection.transaction():
            await connection.execute(
                _FINISH,
                [item.row.id for item in sent],
                [item.entered_at for item in sent],
                [item.void for item in sent],
                [item.row.type for item in sent],
                now,
            )
            if voids:
                await connection.execute(
                    _NOTE_VOIDS,
                    self._source,
                    now,
                    *_columns_of([item.row for item in voids]),
                    [item.void for item in voids],
                )

    async def _connection(self) -> "asyncpg.Connection[Any]":
        if self._work is None or self._work.is_closed():
            self._work = await self._connect("relay")
        return self._work

    async def _connect(self, role: str) -> "asyncpg.Connection[Any]":
        url = self._database.engine.url.render_as_string(hide_password=False)
        name = f"yiwang-{self._database.service}-{role}"
        return await asyncpg.connect(
            plain_url(url), timeout=5, server_settings={"application_name": name, "jit": "off"}
        )


def _columns_of(rows: Sequence[OutboxRow]) -> tuple[list[Any], ...]:
    return (
        [row.topic for row in rows],
        [row.partition for row in rows],
        [row.key for row in rows],
        [UUID(row.epoch) for row in rows],
        [row.sequence for row in rows],
        [UUID(row.event_id) for row in rows],
        [row.type for row in rows],
    )
