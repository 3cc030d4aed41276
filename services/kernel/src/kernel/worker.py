"""A service's worker: relays, consumers, control, jobs.

While the database is away it stops its subscribers, asks the database with a growing pause, and
starts them again (protocol §3). A dead broker never delays delivery inside the node: each
transport has a loop of its own.
"""

from collections.abc import Sequence
from datetime import timedelta

from contracts.topics import load_topics
from kernel import bus_parts
from kernel.bus import Subscription, topics_read
from kernel.consumer_store import PostgresConsumerStore
from kernel.control import Control
from kernel.control_sender import ControlSender
from kernel.health import Check
from kernel.jobs import kernel_jobs
from kernel.local import DirectPublisher
from kernel.loops import Loop, Round
from kernel.outbox import KAFKA, local_transport, source_of
from kernel.publishers import KafkaPublisher
from kernel.receiving import BusLoop, Receiving
from kernel.relaying import OutboxRow, Publisher
from kernel.runtime import Job, ServiceDefinition
from kernel.sending import OutboxWatch, RelayLoop
from kernel.sent_log import SentLog
from kernel.signing import BatchSigner, NodeKey, Signer, SigningError

PRUNE_EVERY = timedelta(hours=6)


class Worker:
    """Everything of a service that is not HTTP; started and stopped by ``kernel.serve``."""

    def __init__(self, definition: ServiceDefinition) -> None:
        self.definition = definition
        self.runtime = definition.runtime
        self._logger = self.runtime.logger
        self._store = PostgresConsumerStore(self.runtime.database)
        self._sent_log = SentLog(self.runtime.database)
        self._loops: list[Loop] = []
        self._relays: list[RelayLoop] = []
        self._watch: OutboxWatch | None = None
        self._bus: BusLoop | None = None
        self._kafka: KafkaPublisher | None = None
        self.receiving: Receiving | None = None

    async def start(self) -> None:
        """Start all loops; raises ``SigningError`` when the node's key is missing."""
        file = self.runtime.settings.node_key_file
        if file is None:
            raise SigningError("a worker needs the node's key: set node_key_file")
        signer = BatchSigner(NodeKey.load(file))
        if self.runtime.settings.bootstrap:
            self._kafka = bus_parts.kafka_publisher(self.runtime)
        self.receiving = self._make_receiving(signer)
        self._make_relays(signer)
        self._loops += self.receiving.loops()
        if self._kafka is not None:
            self._bus = BusLoop(self._make_subscription, self._store, logger=self._logger)
            self.runtime.health.add("bus", self._bus_health)
        for job in (*kernel_jobs(self.runtime), self._pruning(), *self.definition.jobs):
            self._loops.append(Loop(f"job {job.name}", self._round_of(job), self._logger))
        for loop in (*self._loops, *(relay.loop for relay in self._relays)):
            loop.start()
        if self._bus is not None:
            self._bus.loop.start()
        if self._watch is not None:
            self._watch.start()

    async def stop(self) -> None:
        """Take nothing new, let what is in flight end, and stop all loops."""
        self.runtime.health.remove("bus")
        if self._bus is not None:
            await self._bus.stop()
        for loop in self._loops:
            await loop.stop()
        if self._watch is not None:
            await self._watch.stop()
        for relay in self._relays:
            await relay.stop()
        if self._kafka is not None:
            await self._kafka.stop()

    # -- making -------------------------------------------------------------------------------

    def _make_receiving(self, signer: Signer) -> Receiving:
        consumer = bus_parts.make_consumer(self.definition)
        control = None
        if self._kafka is not None:
            sender = ControlSender(
                node=self.runtime.node,
                source=source_of(self.runtime.node, self.runtime.service),
                signer=signer,
                publisher=self._kafka,
                ids=self.runtime.ids,
                clock=self.runtime.clock,
            )
            control = Control(
                consumer=consumer,
                sent_log=self._sent_log,
                sender=sender,
                republish=self._republish,
                clock=self.runtime.clock,
                logger=self._logger,
            )
        return Receiving(consumer, self._store, control=control, logger=self._logger)

    def _make_relays(self, signer: Signer) -> None:
        if self._kafka is not None:
            self._add_relay(KAFKA, self._kafka, signer)
        for service in bus_parts.siblings():
            self._add_local_relay(service, signer)
        settings = self.runtime.settings
        self._watch = OutboxWatch(
            self.runtime.database,
            self._relays,
            notify=settings.relay_wakeup == "notify",
            every=settings.relay_poll_seconds,
            logger=self._logger,
        )

    def _add_relay(self, transport: str, publisher: Publisher, signer: Signer) -> RelayLoop:
        relay = bus_parts.make_relay(self.definition, transport, publisher, signer)
        made = RelayLoop(relay, transport, sent_log=self._sent_log, logger=self._logger)
        self._relays.append(made)
        return made

    def _add_local_relay(self, service: str, signer: Signer) -> None:
        assert self.receiving is not None  # noqa: S101 -- start() makes it first
        way = bus_parts.LateTeller()
        publisher: Publisher
        if service == self.runtime.service:
            publisher = DirectPublisher(self.receiving.deliver, self.runtime.clock, way)
        else:
            publisher = bus_parts.sibling_publisher(self.runtime, service, way)
        way.hear = self._add_relay(local_transport(service), publisher, signer).hear_missing

    def _make_subscription(self) -> Subscription:
        assert self.receiving is not None  # noqa: S101 -- start() makes it first
        settings = self.runtime.settings
        mailboxes, broadcasts = topics_read(
            load_topics(),
            self.runtime.registry,
            node=self.runtime.node,
            service=self.runtime.service,
        )
        return Subscription(
            settings.bootstrap,
            name=f"{settings.node}.{settings.service}",
            groups={"mail": mailboxes, "broadcasts": broadcasts},
            process=self.receiving.from_bus,
            positions=self._store.positions,
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
            consumer_groups=settings.consumer_groups,
        )

    async def _republish(self, rows: Sequence[OutboxRow]) -> None:
        for relay in self._relays:
            if relay.transport == KAFKA:
                await relay.relay.send_again(rows)

    # -- jobs and health ----------------------------------------------------------------------

    def _round_of(self, job: Job) -> Round:
        async def run() -> float:
            await job.run(self.runtime)
            return job.every.total_seconds()

        return run

    def _pruning(self) -> Job:
        async def prune(_: object) -> None:
            await self._sent_log.prune(self.runtime.clock.now())

        return Job(name="prune-sent-log", every=PRUNE_EVERY, run=prune)

    async def _bus_health(self) -> Check:
        if self._kafka is None or not await self._kafka.ping():
            return Check(name="bus", state="degraded", detail="no broker answers")
        if self._bus is None or self._bus.subscription is None:
            return Check(name="bus", state="degraded", detail="not subscribed")
        return Check(name="bus", state="ok")
