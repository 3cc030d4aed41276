"""The sent log: what a source has published and can send again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from kernel.db import Database
from kernel.relay_store import EVENT_COLUMNS, NUMBER_COLUMNS, to_numbered
from kernel.relaying import OutboxRow

SENT_LOG_DAYS = 90
"""How long a sent event can be sent again, and how long an inbox knows it; a policy."""

_RANGE = f"""
    SELECT id, {EVENT_COLUMNS}, {NUMBER_COLUMNS} FROM kernel.sent_log
    WHERE transport = $1 AND topic = $2 AND partition = $3 AND epoch = $4
      AND sequence BETWEEN $5 AND $6
    ORDER BY sequence LIMIT $7
"""
_AFTER = f"""
    SELECT id, {EVENT_COLUMNS}, {NUMBER_COLUMNS} FROM kernel.sent_log
    WHERE transport = $1 AND topic = $2 AND partition = $3 AND epoch > $4
    ORDER BY epoch, sequence LIMIT $5
"""
_HEADS = """
    SELECT r.topic, r.partition, r.epoch, s.first, s.last, n.previous_epoch, n.previous_last
    FROM kernel.relay_streams AS r
    CROSS JOIN LATERAL (
        SELECT min(sequence) AS first, max(sequence) AS last FROM kernel.sent_log AS s
        WHERE s.topic = r.topic AND s.partition = r.partition AND s.epoch = r.epoch
    ) AS s
    LEFT JOIN LATERAL (
        SELECT previous_epoch, previous_last FROM kernel.sent_log AS f
        WHERE f.topic = r.topic AND f.partition = r.partition AND f.epoch = r.epoch
          AND f.sequence = 1
    ) AS n ON true
    WHERE r.transport = $1 AND s.last IS NOT NULL
    ORDER BY r.topic, r.partition
"""
_PRUNE = (
    "DELETE FROM kernel.sent_log WHERE published_at < $1",
    "DELETE FROM kernel.inbox WHERE received_at < $1",
)


class SourceHead(NamedTuple):
    """What a source has published on one stream in its current epoch, and can send again."""

    topic: str
    partition: int
    epoch: str
    first: int
    last: int
    previous_epoch: str = ""
    previous_last: int = 0


class SentLog:
    """Reads a service's sent log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(
        self,
        transport: str,
        topic: str,
        partition: int,
        *,
        epoch: str,
        first: int,
        last: int,
        limit: int,
    ) -> list[OutboxRow]:
        """Return what was sent of a range, in order."""
        arguments = (transport, topic, partition, UUID(epoch), first, last, limit)
        return [to_numbered(r) for r in await self._database.hot.fetch(_RANGE, arguments)]

    async def after(
        self, transport: str, topic: str, partition: int, *, epoch: str, limit: int
    ) -> list[OutboxRow]:
        """Return what was sent in later epochs, in order; ``epoch`` empty means from the start."""
        start = UUID(epoch) if epoch else UUID(int=0)
        arguments = (transport, topic, partition, start, limit)
        return [to_numbered(r) for r in await self._database.hot.fetch(_AFTER, arguments)]

    async def heads(self, transport: str) -> list[SourceHead]:
        """Return the head of every stream of a transport."""
        rows = await self._database.hot.fetch(_HEADS, (transport,))
        return [
            SourceHead(
                topic=row["topic"],
                partition=row["partition"],
                epoch=str(row["epoch"]),
                first=row["first"],
                last=row["last"],
                previous_epoch=str(row["previous_epoch"]) if row["previous_epoch"] else "",
                previous_last=row["previous_last"] or 0,
            )
            for row in rows
        ]

    async def prune(self, now: datetime, *, days: int = SENT_LOG_DAYS) -> None:
        """Forget what is older than ``days``; the inbox is kept as long as the sent log."""
        for statement in _PRUNE:
            await self._database.hot.fetch(statement, (now - timedelta(days=days),))


def covers(rows: Sequence[OutboxRow], first: int, last: int) -> bool:
    """Tell whether the rows are the whole range."""
    return [row.sequence for row in rows] == list(range(first, last + 1))
