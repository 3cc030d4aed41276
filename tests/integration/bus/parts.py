"""Senders and receivers on real databases for the behaviour suite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from kernel.consumer import Consumer
from kernel.consumer_store import PostgresConsumerStore
from kernel.consuming import BatchResult, Record
from kernel.db import Database
from kernel.handlers import Handlers
from kernel.ids import Uuid7Source
from kernel.ports import ReceivedEvent
from kernel.relay import Ack, Message, PublishError, Relay
from kernel.relay_store import Guard, PostgresRelayStore
from kernel.signing import BatchSigner, Keyring
from tests.support.buskit import ENTERED, HAIFENG, LUFENG, Keys, TestClock

CONFIRMED = "yiwang.sharing.request.confirmed.v1"
WITHDRAWN = "yiwang.sharing.request.withdrawn.v1"


@dataclass
class Receiver:
    """Lufeng's sharing service: a consumer whose handlers write to a table ``seen``."""

    database: Database
    keys: Keys
    clock: TestClock
    handlers: Handlers = field(default_factory=Handlers)
    consumer: Consumer = field(init=False)
    store: PostgresConsumerStore = field(init=False)

    def __post_init__(self) -> None:
        self.use(self.keys)

    def use(self, keys: Keys, **options: Any) -> None:
        self.store = PostgresConsumerStore(self.database, **options)
        self.consumer = Consumer(
            store=self.store,
            keyring=Keyring(keys.registry()),
            handlers=self.handlers,
            node=LUFENG,
            clock=self.clock,
        )

    async def process(self, *records: Record) -> BatchResult:
        return await self.consumer.process(list(records))

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.transaction(read_only=True) as tx:
            return list((await tx.connection.execute(text(query), values)).all())

    async def scalar(self, query: str, **values: Any) -> Any:
        return (await self.rows(query, **values))[0][0]

    async def seen(self) -> list[str]:
        """What the handlers applied, in order."""
        return [row[0] for row in await self.rows("SELECT what FROM seen ORDER BY id")]

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.database.transaction() as tx:
            await tx.connection.execute(text(statement), values)


async def note(tx: Any, event: ReceivedEvent) -> None:
    """A handler: note who confirmed or withdrew."""
    payload: Any = event.payload
    what = getattr(payload, "confirmed_by", None) or payload.withdrawn_by
    await tx.connection.execute(text("INSERT INTO seen (what) VALUES (:what)"), {"what": what})


@asynccontextmanager
async def receiver(url: str, keys: Keys, **options: Any) -> AsyncIterator[Receiver]:
    clock = TestClock()
    database = Database(
        url, node=LUFENG, service="sharing", clock=clock, ids=Uuid7Source(clock), pool_size=5
    )
    try:
        made = Receiver(database, keys, clock)
        if options:
            made.use(keys, **options)
        made.handlers.on(CONFIRMED, WITHDRAWN)(note)
        await empty(database)
        await made.execute("DROP TABLE IF EXISTS seen")
        await made.execute("CREATE TABLE seen (id bigserial PRIMARY KEY, what text NOT NULL)")
        yield made
    finally:
        await database.close()


async def empty(database: Database) -> None:
    """Empty the kernel's tables: one database serves a module's tests."""
    async with database.transaction() as tx:
        # the audit log refuses every change; here its rows are another test's
        await tx.connection.execute(text("SET LOCAL session_replication_role = replica"))
        found = await tx.connection.execute(
            text(
                "SELECT string_agg(format('kernel.%I', tablename), ', ') FROM pg_tables"
                " WHERE schemaname = 'kernel' AND tablename NOT LIKE 'alembic%'"
            )
        )
        await tx.connection.execute(text(f"TRUNCATE {found.scalar_one()} RESTART IDENTITY"))


class Wire:
    """A publisher that keeps what it was given, until it is told to be away."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.away = False
        self.refuse_larger_than = 1 << 30

    async def publish(self, messages: list[Message]) -> list[Ack]:
        if self.away:
            raise PublishError("away")
        acks = []
        for message in messages:
            if len(message.value) > self.refuse_larger_than:
                acks.append(Ack("", "MessageSizeTooLargeError"))
                continue
            acks.append(Ack(ENTERED))
            self.records.append(
                Record(
                    message.topic,
                    message.partition,
                    len(self.records),
                    message.key,
                    message.headers,
                    message.value,
                    ENTERED,
                )
            )
        return acks


@dataclass
class SenderNode:
    """Haifeng's sharing service: a database with an outbox, and its relay on a wire."""

    database: Database
    keys: Keys
    wire: Wire = field(default_factory=Wire)
    guards: dict[str, Guard] = field(default_factory=dict)
    relays: list[Relay] = field(default_factory=list)

    def relay(self, transport: str = "kafka", *, limit: int = 100, **shard: int) -> Relay:
        made = Relay(
            store=PostgresRelayStore(
                self.database,
                transport,
                guards=self.guards,
                source="/nodes/441521/sharing",
                **shard,
            ),
            publisher=self.wire,
            signer=BatchSigner(self.keys.keys[HAIFENG]),
            ids=self.database.ids,
            source="/nodes/441521/sharing",
            limit=limit,
        )
        self.relays.append(made)
        return made

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.transaction(read_only=True) as tx:
            return list((await tx.connection.execute(text(query), values)).all())

    async def scalar(self, query: str, **values: Any) -> Any:
        return (await self.rows(query, **values))[0][0]


@asynccontextmanager
async def sender(url: str, keys: Keys) -> AsyncIterator[SenderNode]:
    database = Database(url, node=HAIFENG, service="sharing", pool_size=5)
    try:
        await empty(database)
        made = SenderNode(database, keys)
        yield made
    finally:
        for relay in made.relays:
            await relay.stop()
        await database.close()


async def drain(relay: Relay) -> None:
    while await relay.step():
        pass
