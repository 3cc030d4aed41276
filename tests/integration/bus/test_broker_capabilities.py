"""What production relies on and a workshop's broker may lack: each a capability, skipped by name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from federation.embedded_broker import create_topics
from federation.topics import federation_topics
from tests.integration.bus.nodes import NODES, Place, Service, place
from tests.support import providers
from tests.support.buskit import HAIFENG, LUFENG, Source, agency
from tests.support.waiting import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.broker]
CONFIRMED = "yiwang.sharing.request.confirmed.v1"
AGENCY = "yiwang.catalog.agency.announced.v1"
CASE = "01940000-0000-7000-8000-00000000ca5e"
TOPIC = "sharing.441581.v1"
WITHIN = 60


def needs(capability: str) -> pytest.MarkDecorator:
    """Run the test only where the broker can do it."""
    title = providers.choose_broker().title
    lacks = "Kafka" not in title
    return pytest.mark.skipif(lacks, reason=f"capability {capability}: not with {title}")


@pytest.fixture(scope="module")
def urls(postgres_url: Callable[..., str]) -> tuple[str, str]:
    return postgres_url("kernel"), postgres_url("kernel")


@pytest.fixture
async def counties(tmp_path: Path, fresh_broker: Callable[[], str]) -> AsyncIterator[Place]:
    bootstrap = fresh_broker()
    await create_topics(bootstrap, federation_topics(NODES), within=120)
    async with place(tmp_path, bootstrap=bootstrap) as made:
        yield made


def saw(service: Service, *names: str) -> Callable[[], Any]:
    async def check() -> bool:
        return await service.seen() == list(names)

    return check


async def configure(bootstrap: str, topic: str, **settings: str) -> None:
    """Make a topic anew with other settings."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        found = await admin.describe_topics([topic])
        count = len(found[0]["partitions"])
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await eventually(gone, within=WITHIN)
        config = {name.replace("_", "."): value for name, value in settings.items()}
        await create_topics(bootstrap, [NewTopic(topic, count, 1, topic_configs=config)])
    finally:
        await admin.close()


@needs("idempotence")
async def test_the_relay_works_with_an_idempotent_producer(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng = await counties.start(
        HAIFENG, "sharing", urls[0], handles=[CONFIRMED], idempotent_producer=True
    )
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED])
    names = [f"e{number}" for number in range(50)]
    await haifeng.emit(Source(counties.keys), *names, key=CASE)
    await eventually(saw(lufeng, *names), within=WITHIN)


@needs("size limit")
async def test_a_record_that_the_broker_refuses_for_good_becomes_void_and_the_stream_goes_on(
    counties: Place, urls: tuple[str, str]
) -> None:
    await configure(counties.bootstrap, TOPIC, max_message_bytes="20000")
    haifeng = await counties.start(HAIFENG, "sharing", urls[0], handles=[CONFIRMED])
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED])
    await haifeng.emit(Source(counties.keys), "a", "x" * 30_000, "c", key=CASE)
    await eventually(saw(lufeng, "a", "c"), within=WITHIN)
    letters = await haifeng.rows("SELECT state, reason FROM kernel.dead_letters")
    assert [tuple(row) for row in letters] == [("void", "refused:MessageSizeTooLargeError")]


@needs("size limit")
async def test_the_largest_event_of_each_topic_passes_the_limit_that_its_contract_sets(
    counties: Place, urls: tuple[str, str]
) -> None:
    """Topics are made as the federation makes them; the limit of a broker is one for batches."""
    haifeng = await counties.start(HAIFENG, "sharing", urls[0], handles=[CONFIRMED])
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED])
    largest = "大" * ((524_288 - 1_000) // 3)
    await haifeng.emit(Source(counties.keys), largest, "b", largest, key=CASE)
    await eventually(saw(lufeng, largest, "b", largest), within=WITHIN)


@needs("compaction")
async def test_a_replica_is_whole_although_the_broker_has_compacted_its_source(
    counties: Place, urls: tuple[str, str]
) -> None:
    topic = "agencies.441521.v1"
    await configure(
        counties.bootstrap,
        topic,
        cleanup_policy="compact",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.001",
        max_compaction_lag_ms="100",
    )
    catalog = await counties.start(HAIFENG, "catalog", urls[0], handles=[AGENCY])
    source = Source(counties.keys, service="catalog")

    async def announce(org_id: str, version: int) -> None:
        event = source.event(
            agency(org_id, HAIFENG, version=version),
            key=org_id,
            type=AGENCY,
            topic=topic,
            destination="*",
            case_version=version,
        )
        async with catalog.runtime.database.transaction() as tx:
            await tx.emit(event)

    for version in range(1, 6):
        for org_id in ("org-1", "org-2"):
            await announce(org_id, version)
            await asyncio.sleep(0.15)  # segments are rolled by time
    last = 6

    async def compacted() -> bool:
        # a new segment must follow before the one before it is cleaned
        nonlocal last
        await announce("org-3", last)
        last += 1
        return await _records(counties.bootstrap, topic) < 10

    await eventually(compacted, within=WITHIN, every=2)
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=[AGENCY])

    async def whole() -> bool:
        rows = await lufeng.rows(
            "SELECT org_id, record_version FROM kernel.organisations ORDER BY org_id"
        )
        return [tuple(row) for row in rows][:2] == [("org-1", 5), ("org-2", 5)]

    await eventually(whole, within=WITHIN)
    assert await lufeng.scalar("SELECT count(*) FROM kernel.parked_events") == 0


async def _records(bootstrap: str, topic: str) -> int:
    """Count the records of a topic's only partition as a new reader would."""
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    client.assign([TopicPartition(topic, 0)])
    await client.start()
    try:
        count = 0
        while found := await client.getmany(timeout_ms=1500):
            count += sum(len(records) for records in found.values())
        return count
    finally:
        await client.stop()
