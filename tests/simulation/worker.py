"""A service's worker in a world: the loops of ``kernel.worker`` over the world's stores and bus.

Relay, consumer, control, sealer and the loops around them are production's own objects; only what
``kernel.worker`` wires to PostgreSQL, Kafka and HTTP is wired to the world here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.stream import Missing, StreamKey
from contracts.topics import topic_name
from kernel.consumer import Consumer, UnavailableError
from kernel.consuming import BatchResult, Record
from kernel.control import Control
from kernel.control_sender import ControlSender
from kernel.local import DirectPublisher, to_records
from kernel.loops import Loop
from kernel.outbox import instant, local_transport
from kernel.receiving import BusLoop, Receiving
from kernel.relay import LockLostError, Message, PublishError, Relay
from kernel.sealing import seal_pending
from kernel.sending import RelayLoop
from kernel.signing import BatchSigner, Keyring
from tests.simulation.bus import BusUnavailableError
from tests.simulation.control_room import WorldSentLog
from tests.simulation.db import DatabaseError
from tests.simulation.federation import MAILBOXES, Service, node_key
from tests.simulation.handed import grant_is_active
from tests.simulation.receiving import WorldConsumerStore
from tests.simulation.sealer import WorldSealing
from tests.simulation.sending import (
    BusPublisher,
    DoorPublisher,
    SelfPublisher,
    WorldRelayStore,
    transaction,
)
from tests.simulation.subscription import WorldSubscription

TROUBLES = (PublishError, LockLostError, DatabaseError, UnavailableError, BusUnavailableError)
SEAL_SECONDS = 6.0
SENDS_TO = {
    "sharing": ("sharing", "notify", "catalog"),
    "notify": ("sharing", "catalog"),
    "catalog": ("notify",),
}
"""The siblings to which a service of a world has anything to send."""


class Worker:
    """One worker of a service; ``start`` makes a new process after each death."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.bus = service.bus
        self.downtime = 1.0
        self.logger: Any = WorldLogger(service)
        self.start()

    def start(self) -> None:
        service = self.service
        self.process = service.new_process("worker")
        self.process.on_death.append(self._died)
        self.store: Any = WorldConsumerStore(
            service.database,
            self.process,
            node=service.node,
            service=service.name,
            ids=self.process.ids,
        )
        self.consumer = Consumer(
            store=self.store,
            keyring=Keyring(service.registry),
            topics=service.topics,
            handlers=service.handlers,
            node=service.node,
            clock=self.process,
        )
        signer = BatchSigner(node_key(service.node))
        self.sent_log: Any = WorldSentLog(service.database, self.process)
        self.kafka: Any = BusPublisher(self.bus, self.process)
        self.receiving = Receiving(
            self.consumer, self.store, control=self._control(signer), logger=self.logger
        )
        self.relays = {"kafka": self._relay_loop("kafka", self.kafka, signer)}
        for name in SENDS_TO[service.name]:
            self._add_local(name, signer)
        self._run_loops()

    def _control(self, signer: BatchSigner) -> Control:
        service = self.service
        sender = ControlSender(
            node=service.node,
            source=service.source,
            signer=signer,
            publisher=self.kafka,
            ids=self.process.ids,
            clock=self.process,
        )
        return Control(
            consumer=self.consumer,
            sent_log=self.sent_log,
            sender=sender,
            republish=self._republish,
            clock=self.process,
            logger=self.logger,
        )

    def _add_local(self, name: str, signer: BatchSigner) -> None:
        transport = local_transport(name)

        def tell(missing: Mapping[StreamKey, Missing]) -> None:
            self.relays[transport].hear_missing(missing)

        publisher: Any
        if name == self.service.name:
            direct = DirectPublisher(self.deliver, self.process, tell)
            publisher = SelfPublisher(direct, self.process, self.service.observer)
        else:
            door = self.service.siblings[name].door
            publisher = DoorPublisher(self.process, door, observer=self.service.observer, tell=tell)
        self.relays[transport] = self._relay_loop(transport, publisher, signer)

    def _relay_loop(self, transport: str, publisher: Any, signer: BatchSigner) -> RelayLoop:
        service = self.service
        store = WorldRelayStore(
            service.database,
            self.process,
            transport,
            source=service.source,
            observer=service.observer,
            guards={"grant": grant_is_active},
        )
        relay = Relay(
            store=store,
            publisher=publisher,
            signer=signer,
            ids=self.process.ids,
            source=service.source,
            limit=20,
        )
        return RelayLoop(relay, transport, sent_log=self.sent_log, logger=self.logger)

    def _run_loops(self) -> None:
        subscription = BusLoop(self._subscription, self.store, logger=self.logger)
        loops = [
            *self.receiving.loops(),
            *(relay.loop for relay in self.relays.values()),
            subscription.loop,
            Loop("seal", self._seal, self.logger),
        ]
        for loop in loops:
            loop.start()
            assert loop._task is not None
            self.process.tasks.append(loop._task)

    def _subscription(self) -> Any:
        return WorldSubscription(self.bus, self.process, self)

    def _died(self) -> None:
        if not self.service.machine.closing:
            self.service.machine.loop.call_later(self.downtime, self.start)

    def wake(self) -> None:
        """Something was committed to the outbox; the relays hear of it a moment later."""
        for relay in self.relays.values():
            relay.loop.wake.set()

    def topics(self) -> tuple[str, ...]:
        mailbox = MAILBOXES[self.service.name]
        return topic_name(mailbox, self.service.node), topic_name("control", self.service.node)

    async def from_bus(self, records: Sequence[Record]) -> None:
        """Take a batch of the subscription; a mutant may do something else here."""
        await self.receiving.from_bus(records)

    async def deliver(self, records: Sequence[Record]) -> BatchResult:
        """Take a batch at the door; a mutant may do something else here."""
        return await self.receiving.deliver(records)

    async def _republish(self, rows: Sequence[Any]) -> None:
        await self.relays["kafka"].relay.send_again(rows)

    async def _seal(self) -> float:
        if self.service.database.tables["audit_pending"].rows:
            async with transaction(self.service.database, self.process) as connection:
                node = self.service.node
                sealing = WorldSealing(connection, node=node, service=self.service.name)
                await seal_pending(sealing, node_key(node), now=self.process.now(), limit=20)
        return SEAL_SECONDS * (0.5 + self.service.rng.random())

    # -- the internal door --------------------------------------------------------------------

    def take(self, messages: Sequence[Message]) -> "asyncio.Task[Any]":
        return self.process.spawn(self._answer(messages), "door")

    async def _answer(self, messages: Sequence[Message]) -> tuple[str, BatchResult]:
        await self.process.step("door.in")
        entered = instant(self.service.machine.instant())
        result = await self.deliver(to_records(messages, entered))
        await self.process.step("door.out")
        if self.service.lost_answers:
            self.service.lost_answers -= 1
            raise BusUnavailableError("the answer got lost")
        return entered, result


class WorldLogger:
    """A logger that says nothing; a loop that fails for no planned reason is a finding."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def warning(self, text: str, **facts: Any) -> None:
        error = facts.get("exc_info")
        if error is not None and not isinstance(error, TROUBLES):
            found = f"{self._service.who}: {facts.get('loop')}: {error!r}"
            self._service.observer.found("loop_failed", found)

    def debug(self, text: str, **facts: Any) -> None:
        return

    info = error = debug
