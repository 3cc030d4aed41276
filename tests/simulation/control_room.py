"""Control's ports in a world: the sent log, and the ways of control messages."""

from collections.abc import Sequence
from typing import Any

from kernel.relaying import OutboxRow
from kernel.sent_log import SourceHead
from tests.simulation.db import Connection, Database, Row
from tests.simulation.processes import Process
from tests.simulation.sending import reading, to_row


class WorldSentLog:
    """Reads the sent log like ``kernel.sent_log.SentLog``."""

    def __init__(self, database: Database, process: Process) -> None:
        self._database = database
        self._process = process

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
        async with reading(self._database, self._process) as connection:
            rows = [
                row
                for row in _sent(connection, transport, topic, partition)
                if row["epoch"] == epoch and first <= row["sequence"] <= last
            ]
            return [to_row(row, row) for row in sorted(rows, key=_number)[:limit]]

    async def after(
        self, transport: str, topic: str, partition: int, *, epoch: str, limit: int
    ) -> list[OutboxRow]:
        async with reading(self._database, self._process) as connection:
            rows = _sent(connection, transport, topic, partition)
            later = [row for row in rows if row["epoch"] > epoch]
            return [to_row(row, row) for row in sorted(later, key=_number)[:limit]]

    async def heads(self, transport: str) -> list[SourceHead]:
        async with reading(self._database, self._process) as connection:
            found = []
            for stream in connection.scan("relay_streams"):
                if stream["transport"] == transport:
                    found += _head(connection, stream)
            return found


def _number(row: Row) -> Any:
    return row["epoch"], row["sequence"]


def _sent(connection: Connection, transport: str, topic: str, partition: int) -> list[Row]:
    return [
        row
        for row in connection.scan("sent_log")
        if (row["transport"], row["topic"], row["partition"]) == (transport, topic, partition)
    ]


def _head(connection: Connection, stream: Row) -> Sequence[SourceHead]:
    place = (stream["topic"], stream["partition"])
    rows = [
        row
        for row in _sent(connection, stream["transport"], *place)
        if row["epoch"] == stream["epoch"]
    ]
    if not rows:
        return []
    numbers = [row["sequence"] for row in rows]
    first = next((row for row in rows if row["sequence"] == 1), None)
    return [
        SourceHead(
            topic=stream["topic"],
            partition=stream["partition"],
            epoch=stream["epoch"],
            first=min(numbers),
            last=max(numbers),
            previous_epoch=first["previous_epoch"] if first else "",
            previous_last=first["previous_last"] if first else 0,
        )
    ]
