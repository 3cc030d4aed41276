"""Bugs on the way out: of numbers and of ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from kernel.relay import Relay, assign_numbers, next_epoch
from tests.simulation.handed import WorldTransaction


@contextmanager
def numbering_after_publishing() -> Iterator[None]:
    """The relay publishes first and commits the numbers afterwards.

    A row with a lower id that commits in between takes, after a crash, a number that the receiver
    has seen under another event.
    """
    with patch.object(Relay, "step", _publish_then_number):
        yield


async def _publish_then_number(self: Relay) -> int:
    if not await self._own_lock():
        return 0
    left_over = await self.store.numbered(self.limit)
    if left_over:
        return await self._send(left_over)
    if not self.epoch:
        self.epoch = next_epoch(self._ids.uuid7(), await self.store.latest_epoch())
    async with self.store.numbering() as transaction:
        rows = await transaction.unnumbered(self.limit)
        if not rows:
            return 0
        streams = sorted({(row.topic, row.partition) for row in rows})
        counters = await transaction.lock_counters(streams)
        numbered, after, _ = assign_numbers(rows, counters, self.epoch)
        sent = await self._publish(numbered)
        await transaction.save(numbered, after)
    await self.store.finish(sent)
    return len(sent)


@contextmanager
def id_before_row_lock() -> Iterator[None]:
    """A use case draws the ids of its outbox rows before it has locked its case's row."""
    real_init = WorldTransaction.__init__

    def init(self: WorldTransaction, connection: Any, **given: Any) -> None:
        real_init(self, connection, **given)
        self.drawn = [  # type: ignore[attr-defined]
            connection.database.next_number("outbox") for _ in range(12)
        ]

    def outbox_number(self: WorldTransaction) -> int:
        drawn: list[int] = self.drawn  # type: ignore[attr-defined]
        return drawn.pop(0) if drawn else self.connection.database.next_number("outbox")

    with (
        patch.object(WorldTransaction, "__init__", init),
        patch.object(WorldTransaction, "outbox_number", outbox_number),
    ):
        yield
