"""Relay and consumer over a durable PostgreSQL and a real broker, each beside a bare peer.

``bus.relay``: committed outbox rows numbered, signed, published and moved to the sent log. Its
floor is the simplest relay there is: select a batch, publish it, delete it; no numbers, no
signature, no sent log. ``bus.consumer``: records fetched from the broker, signature and sender's
right checked, payload parsed, inbox, evidence, watermark and position written, handler called; its
floor fetches the same records and writes their ids. Runs alternate.
"""

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from contracts.topics import load_topics
from federation import embedded_broker, embedded_postgres
from kernel.bus import MAX_RECORDS, to_record
from kernel.clock import SystemClock
from kernel.consumer import Consumer
from kernel.consumer_store import PostgresConsumerStore
from kernel.db import Database
from kernel.handlers import Handlers
from kernel.ids import Uuid7Source
from kernel.migrate import upgrade
from kernel.outbox import outbox_values
from kernel.publishers import KafkaPublisher
from kernel.relay import Message, Relay
from kernel.relay_store import PostgresRelayStore, plain_url
from kernel.signing import BatchSigner, Keyring
from tests.bench.report import Figure, median_figure, show
from tests.support.buskit import HAIFENG, LUFENG, Keys, Source, confirmed

TOPIC = "sharing.441581.v1"
CONFIRMED = "yiwang.sharing.request.confirmed.v1"
EVENTS = 20_000
CASES = 2_000
RUNS = 7
BATCH = 1_000
TEXT = "申请单位已确认收到数据。" * 26  # some 940 bytes of payload


@dataclass
class Bench:
    """Two databases and a broker."""

    sending: str
    receiving: str
    bootstrap: str
    keys: Keys
    clock: SystemClock
    ids: Uuid7Source
    offsets: dict[int, int]
    peer_offsets: dict[int, int]


def figures() -> list[Figure]:
    """Measure both sides."""
    with _infrastructure() as (server, bootstrap):
        return asyncio.run(_measure(server, bootstrap))


@contextmanager
def _infrastructure() -> Iterator[tuple[embedded_postgres.PostgresServer, str]]:
    place = Path(tempfile.mkdtemp(prefix="yiwang-bench-"))
    place.chmod(0o755)
    with (
        embedded_postgres.running(place / "db") as server,
        embedded_broker.running(place / "broker.log") as bootstrap,
    ):
        yield server, bootstrap
    embedded_postgres.remove(place / "db")


async def _measure(server: embedded_postgres.PostgresServer, bootstrap: str) -> list[Figure]:
    bench = await _prepare(server, bootstrap)
    relay, relay_floor, consumer, consumer_floor = [], [], [], []
    for run in range(RUNS + 1):
        measured = (
            await _relay_rate(bench),
            await _peer_relay_rate(bench),
            await _consumer_rate(bench),
            await _peer_consumer_rate(bench),
        )
        if run:  # the first warms caches and pools
            for values, value in zip(
                (relay, relay_floor, consumer, consumer_floor), measured, strict=True
            ):
                values.append(value)
    return [
        median_figure(
            "bus.relay",
            relay,
            unit="events/s",
            target=10_000,
            better="higher",
            floors=relay_floor,
        ),
        median_figure(
            "bus.consumer",
            consumer,
            unit="events/s",
            target=5_000,
            better="higher",
            floors=consumer_floor,
        ),
    ]


async def _prepare(server: embedded_postgres.PostgresServer, bootstrap: str) -> Bench:
    admin = await asyncpg.connect(plain_url(server.url()))
    for name in ("sending", "receiving"):
        await admin.execute(f"CREATE DATABASE {name}")
        await upgrade(server.url(name), "kernel")
    await admin.close()
    peer = await asyncpg.connect(plain_url(server.url("sending")))
    await peer.execute(
        "CREATE TABLE peer_outbox (id bigserial PRIMARY KEY, partition integer, key text,"
        " payload bytea)"
    )
    await peer.close()
    peer = await asyncpg.connect(plain_url(server.url("receiving")))
    await peer.execute("CREATE TABLE peer_inbox (id uuid PRIMARY KEY)")
    await peer.close()
    partitions = load_topics().spec_of(TOPIC).partitions
    await embedded_broker.create_topics(
        bootstrap, [NewTopic(TOPIC, partitions, 1), NewTopic("peer", partitions, 1)]
    )
    clock = SystemClock()
    start = dict.fromkeys(range(partitions), 0)
    return Bench(
        server.url("sending"),
        server.url("receiving"),
        bootstrap,
        Keys(),
        clock,
        Uuid7Source(clock),
        dict(start),
        dict(start),
    )


# -- sending --------------------------------------------------------------------------------------


async def _relay_rate(bench: Bench) -> float:
    await _fill(bench)
    database = Database(bench.sending, node=HAIFENG, service="sharing")
    publisher = KafkaPublisher(bench.bootstrap, client_id="relay", clock=bench.clock)
    relay = Relay(
        store=PostgresRelayStore(database, "kafka"),
        publisher=publisher,
        signer=BatchSigner(bench.keys.keys[HAIFENG]),
        ids=bench.ids,
        source="/nodes/441521/sharing",
        limit=BATCH,
    )
    await publisher.start()
    begun = time.perf_counter()
    done = 0
    while done < EVENTS:
        done += await relay.step()
    took = time.perf_counter() - begun
    await relay.stop()
    await publisher.stop()
    await database.close()
    return done / took


async def _fill(bench: Bench) -> None:
    """Commit events as use cases would have; both peers send the same payloads."""
    source = Source(bench.keys)
    cases = [str(uuid.uuid4()) for _ in range(CASES)]
    names = "transport topic partition key event_id type subject time dataschema case_space"
    columns = [*names.split(), "case_version", "payload"]
    rows = []
    for number in range(EVENTS):
        key = cases[number % CASES]
        event = source.event(confirmed(key, TEXT), key=key)
        values = outbox_values(
            event,
            node=HAIFENG,
            service="sharing",
            event_id=bench.ids.uuid7(),
            now=bench.clock.now(),
        )[0]
        rows.append(tuple(values[column] for column in columns))
    connection = await asyncpg.connect(plain_url(bench.sending))
    await connection.copy_records_to_table(
        "outbox", schema_name="kernel", columns=columns, records=rows
    )
    peers = [(row[2], row[3], row[-1]) for row in rows]
    await connection.copy_records_to_table(
        "peer_outbox", columns=["partition", "key", "payload"], records=peers
    )
    await connection.execute("ANALYZE kernel.outbox, peer_outbox")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def _peer_relay_rate(bench: Bench) -> float:
    connection = await asyncpg.connect(plain_url(bench.sending))
    publisher = KafkaPublisher(bench.bootstrap, client_id="peer", clock=bench.clock)
    await publisher.start()
    begun = time.perf_counter()
    done = 0
    while done < EVENTS:
        async with connection.transaction():
            rows = await connection.fetch("SELECT * FROM peer_outbox ORDER BY id LIMIT $1", BATCH)
            await publisher.publish(
                [Message("peer", r["partition"], r["key"].encode(), [], r["payload"]) for r in rows]
            )
            await connection.execute(
                "DELETE FROM peer_outbox WHERE id = ANY($1)", [r["id"] for r in rows]
            )
        done += len(rows)
    took = time.perf_counter() - begun
    await publisher.stop()
    await connection.close()
    return done / took


# -- receiving ------------------------------------------------------------------------------------


async def _consumer_rate(bench: Bench) -> float:
    database = Database(bench.receiving, node=LUFENG, service="sharing")
    handlers = Handlers()
    seen: list[str] = []

    @handlers.on(CONFIRMED)
    async def note(tx: Any, event: Any) -> None:
        seen.append(event.id)

    consumer = Consumer(
        store=PostgresConsumerStore(database),
        keyring=Keyring(bench.keys.registry()),
        handlers=handlers,
        node=LUFENG,
        clock=bench.clock,
    )

    async def take(records: list[Any]) -> None:
        result = await consumer.process([to_record(record) for record in records])
        if result.applied != len(records):
            raise AssertionError(f"not everything was applied: {result}")

    rate = await _read(bench, TOPIC, bench.offsets, take)
    await database.close()
    return rate


async def _peer_consumer_rate(bench: Bench) -> float:
    connection = await asyncpg.connect(plain_url(bench.receiving))

    async def take(records: list[Any]) -> None:
        await connection.execute(
            "INSERT INTO peer_inbox SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING",
            [bench.ids.uuid7() for _ in records],
        )

    rate = await _read(bench, "peer", bench.peer_offsets, take)
    await connection.close()
    return rate


async def _read(bench: Bench, topic: str, offsets: dict[int, int], take: Any) -> float:
    client = AIOKafkaConsumer(bootstrap_servers=bench.bootstrap, fetch_max_wait_ms=20)
    places = [TopicPartition(topic, partition) for partition in offsets]
    client.assign(places)
    await client.start()
    for place in places:
        client.seek(place, offsets[place.partition])
    begun = time.perf_counter()
    done = 0
    while done < EVENTS:
        found = await client.getmany(timeout_ms=1000, max_records=MAX_RECORDS)
        records = [record for part in found.values() for record in part]
        if records:
            await take(records)
        for record in records:
            offsets[record.partition] = record.offset + 1
        done += len(records)
    took = time.perf_counter() - begun
    await client.stop()
    return done / took


if __name__ == "__main__":
    show(figures())
    sys.exit()
