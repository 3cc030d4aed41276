"""Workers of two counties over a real Kafka-protocol broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer as OutsideConsumer
from confluent_kafka import TopicPartition

from contracts.events.sharing import RequestWithdrawn
from contracts.topics import load_topics
from kernel.bus import topics_read
from tests.integration.bus.nodes import Place, Service, make_topics, place
from tests.support.buskit import CITY, HAIFENG, LUFENG, Keys, Source, agency
from tests.support.waiting import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.broker]
CONFIRMED = "yiwang.sharing.request.confirmed.v1"
WITHDRAWN = "yiwang.sharing.request.withdrawn.v1"
CASE = "01940000-0000-7000-8000-00000000ca5e"
TOPIC = "sharing.441581.v1"
JOIN = 30  # seconds; a group of the wheel's broker takes some five


@pytest.fixture(scope="module")
def urls(postgres_url: Callable[..., str]) -> tuple[str, str]:
    return postgres_url("kernel"), postgres_url("kernel")


@pytest.fixture
async def counties(tmp_path: Path, fresh_broker: Callable[[], str]) -> AsyncIterator[Place]:
    bootstrap = fresh_broker()
    await make_topics(bootstrap)
    async with place(tmp_path, bootstrap=bootstrap) as made:
        yield made


async def start_two(
    counties: Place, urls: tuple[str, str], *handles: str
) -> tuple[Service, Service]:
    kinds = handles or (CONFIRMED, WITHDRAWN)
    haifeng = await counties.start(HAIFENG, "sharing", urls[0], handles=kinds)
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=kinds)
    return haifeng, lufeng


def saw(service: Service, *names: str) -> Callable[[], Any]:
    async def check() -> bool:
        return await service.seen() == list(names)

    return check


async def test_events_cross_the_bus_in_order_and_the_receipt_comes_back(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    source = Source(counties.keys)
    await haifeng.emit(source, "a", "b", "c", key=CASE)
    payload = RequestWithdrawn(
        request_id=CASE, withdrawn_by="u", withdrawn_at="2026-02-13T08:30:00Z", reason=""
    )
    async with haifeng.runtime.database.transaction() as tx:
        event_id = await tx.emit(source.event(payload, key=CASE, type=WITHDRAWN))
    await eventually(saw(lufeng, "a", "b", "c", WITHDRAWN), within=JOIN)

    async def receipt() -> list[Any]:
        return await haifeng.rows("SELECT event_id::text, receiver_node FROM kernel.receipts")

    await eventually(receipt, within=JOIN)
    assert await receipt() == [(event_id, LUFENG)]


async def test_events_cross_the_bus_by_consumer_groups_too(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng = await counties.start(HAIFENG, "sharing", urls[0], handles=[CONFIRMED])
    lufeng = await counties.start(
        LUFENG, "sharing", urls[1], handles=[CONFIRMED], consumer_groups=True
    )
    await haifeng.emit(Source(counties.keys), "a", "b", key=CASE)
    await eventually(saw(lufeng, "a", "b"), within=2 * JOIN)


async def test_an_outsider_reads_a_mailbox_with_its_attributes(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng = await counties.start(HAIFENG, "sharing", urls[0], handles=[CONFIRMED])
    await haifeng.emit(Source(counties.keys), "海丰", key=CASE)
    outside = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=counties.bootstrap, auto_offset_reset="earliest"
    )
    await outside.start()
    try:
        record = await asyncio.wait_for(outside.getone(), JOIN)
    finally:
        await outside.stop()
    headers = {name: content.decode() for name, content in record.headers}
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_source"] == "/nodes/441521/sharing"
    assert headers["ce_type"] == CONFIRMED
    assert headers["content-type"] == "application/json"
    assert headers["ce_sequence"] == "1"
    assert record.key == CASE.encode()
    assert json.loads(record.value)["confirmed_by"] == "海丰"
    seen = await asyncio.to_thread(_read_as_kcat_does, counties.bootstrap)
    assert seen == headers


def _read_as_kcat_does(bootstrap: str) -> dict[str, str]:
    """Read one record by librdkafka, the library under kcat."""
    consumer = OutsideConsumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "outsider",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in range(4)])
    try:
        for _ in range(60):
            message = consumer.poll(1)
            if message is not None and message.error() is None:
                return {name: content.decode() for name, content in message.headers()}
    finally:
        consumer.close()
    raise AssertionError("nothing came")


async def test_a_restarted_worker_goes_on_where_its_database_says(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    source = Source(counties.keys)
    await haifeng.emit(source, "a", "b", key=CASE)
    await eventually(saw(lufeng, "a", "b"), within=JOIN)
    before = await lufeng.worker._store.positions()
    await counties.stop(lufeng)
    await haifeng.emit(source, "c", key=CASE)
    again = await counties.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED], fresh=False)
    await eventually(saw(again, "a", "b", "c"), within=JOIN)
    after = await again.worker._store.positions()
    # heads on the control topic move their own position whenever they come
    read_before, read_after = (
        sum(n for (topic, _), n in p.items() if topic == TOPIC) for p in (before, after)
    )
    assert read_after == read_before + 1


async def test_a_database_restored_to_yesterday_reads_again_from_its_own_positions(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    await haifeng.emit(Source(counties.keys), "a", "b", key=CASE)
    await eventually(saw(lufeng, "a", "b"), within=JOIN)
    await counties.stop(lufeng)
    again = await counties.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED])
    await eventually(saw(again, "a", "b"), within=JOIN)


async def test_records_of_strangers_harm_nobody(counties: Place, urls: tuple[str, str]) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    stranger = AIOKafkaProducer(bootstrap_servers=counties.bootstrap)
    await stranger.start()
    try:
        for headers, value in (
            ([], b"{}"),
            ([("ce_id", b"\xff\xfe"), ("ce_type", b"\x00")], b"\xff"),
            ([("ce_id", b"x")] * 60, b""),
            ([], None),
        ):
            await stranger.send_and_wait(
                TOPIC, value, key=b"k", partition=1, headers=headers or None
            )
    finally:
        await stranger.stop()
    await haifeng.emit(Source(counties.keys), "a", key=CASE)
    await eventually(saw(lufeng, "a"), within=JOIN)

    async def counted() -> bool:
        return await lufeng.scalar("SELECT sum(records) FROM kernel.refused_records") == 4

    await eventually(counted, within=JOIN)


async def test_what_the_bus_lost_is_asked_for_and_sent_again(
    counties: Place, urls: tuple[str, str]
) -> None:
    """The relay has published and forgotten; the broker did not keep it."""
    haifeng, lufeng = await start_two(counties, urls)
    source = Source(counties.keys)
    await haifeng.emit(source, "a", key=CASE)
    await eventually(saw(lufeng, "a"), within=JOIN)
    relay = next(r for r in haifeng.worker._relays if r.transport == "kafka")
    publish = haifeng.worker._kafka.publish

    async def lose(messages: Any) -> Any:
        from kernel.relay import Ack  # noqa: PLC0415

        return [Ack("2026-02-13T08:30:01.000000Z")] * len(messages)

    relay.relay.publisher = type("Losing", (), {"publish": staticmethod(lose)})()
    await haifeng.emit(source, "lost", key=CASE)

    async def gone() -> bool:
        return await haifeng.scalar("SELECT count(*) FROM kernel.outbox") == 0

    await eventually(gone)
    relay.relay.publisher = type("Kept", (), {"publish": staticmethod(publish)})()
    await haifeng.emit(source, "b", key=CASE)
    await eventually(saw(lufeng, "a", "lost", "b"), within=JOIN)


async def test_a_lost_tail_is_noticed_by_the_head(counties: Place, urls: tuple[str, str]) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    source = Source(counties.keys)
    await haifeng.emit(source, "a", key=CASE)
    await eventually(saw(lufeng, "a"), within=JOIN)
    relay = next(r for r in haifeng.worker._relays if r.transport == "kafka")
    kept = relay.relay.publisher

    async def lose(messages: Any) -> Any:
        from kernel.relay import Ack  # noqa: PLC0415

        return [Ack("2026-02-13T08:30:01.000000Z")] * len(messages)

    relay.relay.publisher = type("Losing", (), {"publish": staticmethod(lose)})()
    await haifeng.emit(source, "lost", key=CASE)

    async def gone() -> bool:
        return await haifeng.scalar("SELECT count(*) FROM kernel.outbox") == 0

    await eventually(gone)
    relay.relay.publisher = kept
    haifeng.worker.receiving.heads.wake.set()
    await asyncio.sleep(0.5)

    async def asked() -> bool:
        lufeng.worker.receiving.gaps.wake.set()
        return await lufeng.seen() == ["a", "lost"]

    await eventually(asked, within=JOIN, every=0.5)


async def test_a_broker_that_lost_everything_is_filled_again(
    tmp_path: Path,
    urls: tuple[str, str],
    run_broker: Callable[[], AbstractContextManager[str]],
) -> None:
    """The broker of a workshop keeps nothing: a new one begins at offset nought."""
    with run_broker() as bootstrap:
        await make_topics(bootstrap)
        async with place(tmp_path, bootstrap=bootstrap) as counties:
            haifeng, lufeng = await start_two(counties, urls)
            source = Source(counties.keys)
            await haifeng.emit(source, *(f"e{n}" for n in range(5)), key=CASE)
            await eventually(saw(lufeng, *(f"e{n}" for n in range(5))), within=JOIN)
            keys = counties.keys
            versions = source.versions
    (tmp_path / "second").mkdir()
    with run_broker() as bootstrap:
        await make_topics(bootstrap)
        second = Place(tmp_path / "second", keys, bootstrap)
        async with second.stack:
            kinds = (CONFIRMED, WITHDRAWN)
            haifeng = await second.start(HAIFENG, "sharing", urls[0], handles=kinds, fresh=False)
            lufeng = await second.start(LUFENG, "sharing", urls[1], handles=kinds, fresh=False)
            source = Source(keys, versions=versions)
            await haifeng.emit(source, "after", key=CASE)
            await eventually(saw(lufeng, *(f"e{n}" for n in range(5)), "after"), within=60)


async def test_while_its_database_is_away_a_worker_takes_nothing_and_then_goes_on(
    counties: Place, urls: tuple[str, str]
) -> None:
    haifeng, lufeng = await start_two(counties, urls)
    source = Source(counties.keys)
    await haifeng.emit(source, "a", key=CASE)
    await eventually(saw(lufeng, "a"), within=JOIN)
    store = lufeng.worker._store
    pinged: list[bool] = []
    away = True

    async def ping() -> None:
        pinged.append(away)
        if away:
            raise ConnectionRefusedError

    fetch = lufeng.worker.receiving.consumer.process

    async def process(records: Any, *rest: Any) -> Any:
        from kernel.consuming import UnavailableError  # noqa: PLC0415

        if away:
            raise UnavailableError("database away")
        return await fetch(records, *rest)

    store.ping = ping  # type: ignore[method-assign]
    lufeng.worker.receiving.consumer.process = process  # type: ignore[method-assign]
    await haifeng.emit(source, "b", key=CASE)
    await eventually(lambda: len(pinged) >= 3, within=JOIN)
    assert lufeng.worker._bus is not None
    assert lufeng.worker._bus.subscription is None
    away = False
    await eventually(saw(lufeng, "a", "b"), within=JOIN)


async def test_a_broadcast_reaches_every_other_node_by_the_bus(
    counties: Place, urls: tuple[str, str]
) -> None:
    kind = "yiwang.catalog.agency.announced.v1"
    catalog = await counties.start(HAIFENG, "catalog", urls[0], handles=[kind])
    lufeng = await counties.start(LUFENG, "sharing", urls[1], handles=[kind])
    source = Source(counties.keys, service="catalog")
    async with catalog.runtime.database.transaction() as tx:
        await tx.emit(
            source.event(
                agency("org-1", HAIFENG),
                key="org-1",
                type=kind,
                topic="agencies.441521.v1",
                destination="*",
            )
        )
    await eventually(saw(lufeng, "机构 org-1"), within=JOIN)


async def test_with_the_broker_stopped_a_node_goes_on_and_the_bus_follows_later(
    tmp_path: Path, urls: tuple[str, str]
) -> None:
    from federation import embedded_broker, ports  # noqa: PLC0415

    port = ports.free_port()
    bootstrap = f"127.0.0.1:{port}"
    async with place(tmp_path, bootstrap=bootstrap) as made:
        haifeng, lufeng = await start_two(made, urls)
        source = Source(made.keys)
        await haifeng.emit(source, "far", key=CASE)
        await haifeng.emit(source, "near", key=CASE, topic="sharing.441521.v1", destination=HAIFENG)
        await eventually(saw(haifeng, "near"), within=5)
        health = {check.name: check for check in await haifeng.runtime.health.look()}
        assert health["bus"].state == "degraded"
        assert health["database"].state == "ok"
        broker = embedded_broker.start(port, log=tmp_path / "broker.log")
        try:
            await make_topics(bootstrap)
            await eventually(saw(lufeng, "far"), within=60)
        finally:
            embedded_broker.stop(broker)


async def test_a_relay_refuses_a_topic_whose_partitions_differ_from_the_contract(
    tmp_path: Path, urls: tuple[str, str], fresh_broker: Callable[[], str]
) -> None:
    from aiokafka.admin import NewTopic  # noqa: PLC0415

    from federation.embedded_broker import create_topics  # noqa: PLC0415

    bootstrap = fresh_broker()
    await create_topics(bootstrap, [NewTopic(TOPIC, 3, 1)])
    async with place(tmp_path, bootstrap=bootstrap) as made:
        haifeng = await made.start(HAIFENG, "sharing", urls[0], handles=[CONFIRMED])
        await haifeng.emit(Source(made.keys), "a", key=CASE)
        relay = next(r for r in haifeng.worker._relays if r.transport == "kafka")
        await eventually(lambda: relay.loop.failures > 1, within=JOIN)
        assert await haifeng.scalar("SELECT count(*) FROM kernel.sent_log") == 0


def test_a_service_reads_its_mailboxes_and_the_broadcasts_of_others() -> None:
    registry = Keys().registry()
    mailboxes, broadcasts = topics_read(load_topics(), registry, node=HAIFENG, service="sharing")
    assert mailboxes == ["control.441521.v1", "sharing.441521.v1"]
    assert "agencies.441581.v1" in broadcasts
    assert "agencies.441521.v1" not in broadcasts
    assert "federation.documents.v1" in broadcasts
    _, citys = topics_read(load_topics(), registry, node=CITY, service="sharing")
    assert "federation.documents.v1" not in citys
