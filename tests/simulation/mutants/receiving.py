"""Bugs on the way in: of the inbox, of acknowledgements, of order."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import kernel.batch
from contracts.stream import Verdict, classify
from kernel.consuming import BatchResult, CaseKey, ReceiptDue, Record, Stored
from tests.simulation.db import Connection
from tests.simulation.handed import WorldTransaction
from tests.simulation.receiving import WorldConsumerTransaction
from tests.simulation.sending import transaction
from tests.simulation.worker import Worker


@contextmanager
def no_inbox() -> Iterator[None]:
    """Nothing remembers which events have come: only the numbers tell duplicates."""

    async def insert_inbox(
        self: WorldConsumerTransaction, events: Sequence[Stored]
    ) -> Collection[tuple[str, str]]:
        return {event.identity for event in events}

    with patch.object(WorldConsumerTransaction, "insert_inbox", insert_inbox):
        yield


@contextmanager
def commit_before_inbox() -> Iterator[None]:
    """Effects are committed first, inbox and watermarks in a transaction after them."""
    real_inbox = WorldConsumerTransaction.insert_inbox
    real_save = WorldConsumerTransaction.save_streams

    async def insert_inbox(
        self: WorldConsumerTransaction, events: Sequence[Stored]
    ) -> Collection[tuple[str, str]]:
        self.late = list(events)  # type: ignore[attr-defined]
        known = self.handed.connection
        return {e.identity for e in events if known.get("inbox", e.identity) is None}

    async def save_streams(self: WorldConsumerTransaction, rows: Any) -> None:
        await self.handed.flush()
        await self.handed.connection.commit()
        await real_inbox(self, getattr(self, "late", []))
        await real_save(self, rows)

    with (
        patch.object(WorldConsumerTransaction, "insert_inbox", insert_inbox),
        patch.object(WorldConsumerTransaction, "save_streams", save_streams),
    ):
        yield


@contextmanager
def ack_before_commit() -> Iterator[None]:
    """The door answers, and the position is kept, before the batch is committed."""
    real_deliver, real_from_bus = Worker.deliver, Worker.from_bus

    async def deliver(self: Worker, records: Sequence[Record]) -> BatchResult:
        self.process.spawn(_quiet(real_deliver(self, records)), "late")
        return BatchResult()

    async def from_bus(self: Worker, records: Sequence[Record]) -> None:
        async with self.store.transaction() as tx:
            places = {(r.topic, r.partition): r.offset + 1 for r in records}
            await tx.save_positions(places)
        await real_from_bus(self, records)

    with (
        patch.object(Worker, "deliver", deliver),
        patch.object(Worker, "from_bus", from_bus),
    ):
        yield


async def _quiet(work: Any) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - that is the bug: nobody hears of the failure
        return


@contextmanager
def skipped_gap() -> Iterator[None]:
    """What is missing is passed over: the next number that comes is the next."""

    def forgiving(state: Any, number: Any) -> Verdict:
        verdict = classify(state, number)
        return Verdict.NEXT if verdict is Verdict.GAP else verdict

    with patch.object(kernel.batch, "classify", forgiving):
        yield


@contextmanager
def dead_letter_does_not_hold_its_key() -> Iterator[None]:
    """Later events of a key run although a dead letter of it waits for an operator."""

    async def held_keys(
        self: WorldConsumerTransaction, cases: Sequence[CaseKey]
    ) -> Collection[CaseKey]:
        return ()

    with patch.object(WorldConsumerTransaction, "held_keys", held_keys):
        yield


@contextmanager
def receipt_before_store() -> Iterator[None]:
    """Receipts are committed by themselves, before the events that they are for."""
    real_receipts = WorldConsumerTransaction.send_receipts

    async def send_receipts(self: WorldConsumerTransaction, receipts: Sequence[ReceiptDue]) -> None:
        mine: Connection = self.handed.connection
        async with transaction(mine.database, mine.process) as apart:
            handed = WorldTransaction(
                apart,
                node=self.handed.node,
                service=self.handed.service,
                clock=self.handed.clock,
                ids=self.handed.ids,
            )
            await real_receipts(WorldConsumerTransaction(handed), receipts)

    with patch.object(WorldConsumerTransaction, "send_receipts", send_receipts):
        yield
