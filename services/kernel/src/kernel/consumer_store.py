"""The consumer's database on PostgreSQL: opens its transactions, finds what there is to do."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from contracts.envelope import read_signed
from contracts.stream import StreamKey, StreamState
from kernel import consumer_sql as sql
from kernel.consumer_rows import (
    held_key,
    stream_key,
    stream_row,
    to_stored,
)
from kernel.consumer_transaction import PostgresConsumerTransaction
from kernel.consuming import (
    CaseKey,
    HeldKey,
    OpenGap,
    Stored,
)
from kernel.db import Database
from kernel.principal import Principal

DEAD_LETTER_LIMIT = 100
"""Open dead letters of one source before it is parked; a policy."""
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '15s'"


class PostgresConsumerStore:
    """Implements ``kernel.consuming.ConsumerStore`` over a service's database."""

    def __init__(
        self,
        database: Database,
        *,
        dead_letter_limit: int = DEAD_LETTER_LIMIT,
        operator: Principal | None = None,
    ) -> None:
        """``operator`` is who replays, discards and skips; handlers run as the system."""
        self._database = database
        self._operator = operator
        self._limit = dead_letter_limit

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresConsumerTransaction]:
        async with self._database.transaction() as tx:
            # the first statement by SQLAlchemy begins the transaction that asyncpg then runs in
            await tx.connection.exec_driver_sql(_LOCK_TIMEOUT)
            driver = (await tx.connection.get_raw_connection()).driver_connection
            yield PostgresConsumerTransaction(
                tx, driver, dead_letter_limit=self._limit, operator=self._operator
            )

    async def due_keys(self, now: str, limit: int) -> Sequence[HeldKey]:
        rows = await self._fetch(sql.DUE_KEYS, datetime.fromisoformat(now), limit)
        return [held_key(row) for row in rows]

    async def held(self, case: CaseKey) -> HeldKey | None:
        rows = await self._fetch(sql.HELD, *case)
        return held_key(rows[0]) if rows else None

    async def stream_state(self, stream: StreamKey) -> StreamState | None:
        rows = await self._fetch(sql.STREAM, *stream)
        return stream_row(rows[0]).state if rows else None

    async def stream_states(self) -> dict[StreamKey, StreamState]:
        """Return how far this receiver is in every stream it has heard of."""
        rows = [(stream_key(row), stream_row(row)) for row in await self._fetch(sql.STREAMS)]
        return {key: row.state for key, row in rows if row.state is not None}

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
