"""A service's worker in a world: the loops around the kernel's relay, consumer and sealer.

The loops do what ``kernel.worker`` and ``kernel.bus`` do around the same objects: back off when a
step fails, seek to the positions in the database on assignment, stop while the database is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from contracts.topics import topic_name
from kernel.consumer import Consumer, Record, UnavailableError
from kernel.consuming import BatchResult
from kernel.outbox import instant, local_transport
from kernel.relay import LockLostError, Message, PublishError, Relay
from kernel.sealing import seal_pending
from kernel.signing import BatchSigner, Keyring
from tests.simulation.bus import BusRecord, BusUnavailableError, Member
from tests.simulation.db import DatabaseError
from tests.simulation.federation import MAILBOXES, Service, node_key, registry
from tests.simulation.handed import grant_is_active
from tests.simulation.receiving import WorldConsumerStore
from tests.simulation.sealer import WorldSealing
from tests.simulation.sending import BusPublisher, DoorPublisher, WorldRelayStore, reading, transaction

TROUBLES = (PublishError, LockLostError, DatabaseError, UnavailableError, BusUnavailableError)


class Worker:
    """One worker of a service; ``start`` makes a new process after each death."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.bus = service.bus
        self.start()

    def start(self) -> None:
        service = self.service
        self.process = service.new_process("worker")
        self.consumer = Consumer(
            store=WorldConsumerStore(
                service.database,
                self.process,
                node=service.node,
                service=service.name,
                ids=self.process.ids,
            ),
            keyring=Keyring(registry()),
            handlers=service.handlers,
            node=service.node,
            clock=self.process,
        )
        self.relays = [self._relay(name) for name in ("kafka", *map(local_transport, MAILBOXES))]
        for relay in self.relays:
            self.process.spawn(self._relaying(relay), f"relay-{relay.store.transport}")
        self.process.spawn(self._consuming(), "consume")
        self.process.spawn(self._every(1.5, self._retrying), "retry")
        self.process.spawn(self._every(6.0, self._sealing), "seal")

    def _relay(self, transport: str) -> Any:
        service = self.service
        store = WorldRelayStore(
            service.database,
            self.process,
            transport,
            source=service.source,
            observer=service.observer,
            guards={"grant": grant_is_active},
        )
        publisher: Any
        if transport == "kafka":
            publisher = BusPublisher(self.bus, self.process)
        else:
            sibling = service.siblings[transport.removeprefix("local:")]
            publisher = DoorPublisher(self.process, sibling.door, observer=service.observer)
        return Relay(
            store=store,
            publisher=publisher,
            signer=BatchSigner(node_key(service.node)),
            ids=self.process.ids,
            source=service.source,
            limit=20,
        )

    # -- loops --------------------------------------------------------------------------------

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds * (0.5 + self.service.rng.random()))
        await self.process.step("rest")

    async def _every(self, seconds: float, work: Callable[[], Awaitable[Any]]) -> None:
        while True:
            await self.rest(seconds)
            try:
                await work()
            except TROUBLES:
                await self.rest(0.5)

    async def _relaying(self, relay: Relay) -> None:
        while True:
            try:
                sent = await relay.step()
            except TROUBLES:
                await self.rest(0.5)
                continue
            if not sent:
                await self.service.wait_for_work(self.process, 8.0)

    async def _consuming(self) -> None:
        while True:
            member = self.bus.join(self.service.who, self.topics(), self.process)
            try:
                while True:
                    await self._seek(member)
                    records = await self.bus.poll(member, self.service.rng.randint(1, 30), 10.0)
                    if records:
                        await self._process(member, records)
            except TROUBLES:
                self.bus.leave(member)
                await self.rest(0.5)

    def topics(self) -> tuple[str, ...]:
        return (topic_name(MAILBOXES[self.service.name], self.service.node),)

    async def _seek(self, member: Member) -> None:
        unsought = [key for key, position in member.assigned.items() if position is None]
        if not unsought:
            return
        async with reading(self.service.database, self.process) as connection:
            rows = {key: connection.get("consumer_positions", key) for key in unsought}
        for key, row in rows.items():
            if key in member.assigned:
                member.assigned[key] = row["next"] if row else 0

    async def _process(self, member: Member, records: Sequence[BusRecord]) -> None:
        await self.process_batch([from_bus(record) for record in records])
        for record in records:
            key = (record.topic, record.partition)
            if member.assigned.get(key) is not None:
                member.assigned[key] = record.offset + 1

    async def process_batch(self, records: Sequence[Record]) -> BatchResult:
        """Hand a batch to the consumer; a mutant may do something else here."""
        return await self.consumer.process(records)

    async def _retrying(self) -> None:
        await self.consumer.retry_due()
        await self.consumer.resume()

    async def _sealing(self) -> None:
        if not self.service.database.tables["audit_pending"].rows:
            return
        async with transaction(self.service.database, self.process) as connection:
            sealing = WorldSealing(connection, node=self.service.node, service=self.service.name)
            await seal_pending(
                sealing, node_key(self.service.node), now=self.process.now(), limit=20
            )

    # -- the internal door --------------------------------------------------------------------

    def take(self, messages: Sequence[Message], entered: str) -> "asyncio.Task[str | None]":
        return self.process.spawn(self._answer(messages, entered), "door")

    async def _answer(self, messages: Sequence[Message], entered: str) -> str:
        await self.process.step("door.in")
        records = [
            Record(m.topic, m.partition, -1, m.key, m.headers, m.value, entered) for m in messages
        ]
        await self.process_batch(records)
        await self.process.step("door.out")
        if self.service.lost_answers:
            self.service.lost_answers -= 1
            raise BusUnavailableError("the answer got lost")
        return entered


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
