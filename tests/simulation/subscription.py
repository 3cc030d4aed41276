"""What a service reads from the world's bus, with the interface of ``kernel.bus.Subscription``."""

import asyncio
from typing import Any

from kernel.consuming import Record
from kernel.outbox import instant
from tests.simulation.bus import Bus, BusRecord, BusUnavailableError, Member
from tests.simulation.processes import Killed, Process
from tests.simulation.sending import reading


class WorldSubscription:
    """Seeks to the database's positions on assignment; ``failed`` is set when a batch has failed."""

    def __init__(self, bus: Bus, process: Process, worker: Any) -> None:
        self.failed = asyncio.Event()
        self.error: Exception | None = None
        self._bus = bus
        self._process = process
        self._worker = worker
        self._member: Member | None = None
        self._task: asyncio.Task[Any] | None = None

    async def start(self) -> None:
        await self._process.step("subscribe")
        if not self._bus.reachable(self._process.node):
            raise BusUnavailableError("no broker answers")
        service = self._worker.service
        self._member = self._bus.join(service.who, self._worker.topics(), self._process)
        self._task = self._process.spawn(self._run(self._member), "subscription")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._member is not None and self._process.alive:
            self._bus.leave(self._member)

    async def _run(self, member: Member) -> None:
        rng = self._worker.service.rng
        try:
            while True:
                await self._seek(member)
                records = await self._bus.poll(member, rng.randint(1, 30), 15.0)
                if records:
                    await self._worker.from_bus([from_bus(record) for record in records])
                for record in records:
                    key = (record.topic, record.partition)
                    if member.assigned.get(key) is not None:
                        member.assigned[key] = record.offset + 1
        except (Killed, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the loop that runs us judges it
            self.error = error
            self.failed.set()

    async def _seek(self, member: Member) -> None:
        unsought = [key for key, position in member.assigned.items() if position is None]
        if not unsought:
            return
        async with reading(self._worker.service.database, self._process) as connection:
            rows = {key: connection.get("consumer_positions", key) for key in unsought}
        for key, row in rows.items():
            if key in member.assigned:
                member.assigned[key] = row["next"] if row else 0


def from_bus(record: BusRecord) -> Record:
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.headers,
        record.value,
        instant(record.timestamp),
    )
