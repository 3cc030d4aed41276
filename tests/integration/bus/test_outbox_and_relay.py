"""Outbox, relay and sent log on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import text

from contracts.envelope import VOID_TYPE, from_record
from contracts.stream import Number
from kernel.outbox import CaseVersionTaken
from kernel.relay import LockLostError, PublishError
from kernel.sent_log import SentLog, covers
from tests.integration.bus.parts import Receiver, SenderNode, drain, receiver, sender
from tests.support.buskit import HAIFENG, LUFENG, Keys, Source, agency, confirmed

pytestmark = pytest.mark.postgres
CASE = "01940000-0000-7000-8000-00000000ca5e"


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def urls(postgres_url: Callable[..., str]) -> tuple[str, str]:
    return postgres_url("kernel"), postgres_url("kernel")


@pytest.fixture
async def haifeng(urls: tuple[str, str], keys: Keys) -> AsyncIterator[SenderNode]:
    async with sender(urls[0], keys) as made:
        yield made


@pytest.fixture
async def lufeng(urls: tuple[str, str], keys: Keys) -> AsyncIterator[Receiver]:
    async with receiver(urls[1], keys) as made:
        yield made


async def emit(node: SenderNode, *names: str, key: str = CASE, **changed: Any) -> None:
    """Emit one event a name, each in a transaction of its own."""
    for name in names:
        version = await node.scalar(
            "SELECT (SELECT count(*) FROM kernel.outbox) + (SELECT count(*) FROM kernel.sent_log)"
        )
        event = Source(node.keys).event(
            confirmed(key, name), key=key, case_version=version + 1, **changed
        )
        async with node.database.transaction() as tx:
            await tx.emit(event)


def numbers(node: SenderNode) -> list[Number]:
    return [_read(record).number for record in node.wire.records]


def _read(record: Any) -> Any:
    return from_record(
        record.headers,
        record.topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
    ).envelope


async def test_what_is_emitted_arrives_once_and_in_order(
    haifeng: SenderNode, lufeng: Receiver
) -> None:
    names = [f"e{n}" for n in range(25)]
    await emit(haifeng, *names)
    await drain(haifeng.relay(limit=7))
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == names
    assert await haifeng.scalar("SELECT count(*) FROM kernel.outbox") == 0
    assert await haifeng.scalar("SELECT count(*) FROM kernel.outbox_numbers") == 0
    assert await haifeng.scalar("SELECT count(*) FROM kernel.sent_log") == 25


async def test_a_rolled_back_change_sends_nothing(haifeng: SenderNode) -> None:
    async def change_and_fail() -> None:
        async with haifeng.database.transaction() as tx:
            await tx.emit(Source(haifeng.keys).event(confirmed(CASE), key=CASE))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    await drain(haifeng.relay())
    assert haifeng.wire.records == []


async def test_a_change_without_the_lock_of_its_case_fails_at_once(haifeng: SenderNode) -> None:
    event = Source(haifeng.keys).event(confirmed(CASE), key=CASE)
    async with haifeng.database.transaction() as tx:
        await tx.emit(event)
    with pytest.raises(CaseVersionTaken):
        async with haifeng.database.transaction() as tx:
            await tx.emit(event)


async def test_two_sides_of_one_case_are_counted_apart(haifeng: SenderNode) -> None:
    source = Source(haifeng.keys)
    event = source.event(confirmed(CASE), key=CASE, case_space="sent")
    other = source.event(confirmed(CASE), key=CASE, case_space="received", case_version=1)
    async with haifeng.database.transaction() as tx:
        await tx.emit(event)
        await tx.emit(other)
    assert await haifeng.scalar("SELECT count(*) FROM kernel.outbox") == 2


async def test_a_row_with_a_lower_id_that_commits_late_is_not_lost(
    haifeng: SenderNode, lufeng: Receiver
) -> None:
    relay = haifeng.relay()
    source = Source(haifeng.keys)
    async with haifeng.database.transaction() as slow:
        await slow.emit(source.event(confirmed("case-1", "slow"), key="case-1", case_version=90))
        await emit(haifeng, "fast", key="case-1")
        await drain(relay)
    await drain(relay)
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == ["fast", "slow"]
    assert [number.sequence for number in numbers(haifeng)] == [1, 2]


async def test_a_crash_between_numbering_and_publishing_keeps_every_number(
    haifeng: SenderNode, lufeng: Receiver
) -> None:
    source = Source(haifeng.keys)
    crashed = haifeng.relay()
    async with haifeng.database.transaction() as slow:
        await slow.emit(source.event(confirmed("case-1", "late"), key="case-1", case_version=90))
        await emit(haifeng, "early", key="case-1")
        haifeng.wire.away = True
        with pytest.raises(PublishError):
            await crashed.step()
    await crashed.stop()
    haifeng.wire.away = False
    await drain(haifeng.relay())
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == ["early", "late"]


async def test_a_crash_between_publishing_and_the_sent_log_sends_copies_only(
    haifeng: SenderNode, lufeng: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await emit(haifeng, "a", "b")
    crashed = haifeng.relay()
    published = crashed.publisher.publish

    async def publish_and_die(messages: Any) -> Any:
        await published(messages)
        raise ConnectionError

    monkeypatch.setattr(crashed.publisher, "publish", publish_and_die)
    with pytest.raises(ConnectionError):
        await crashed.step()
    monkeypatch.undo()
    await crashed.stop()
    await emit(haifeng, "c")
    await drain(haifeng.relay())
    assert len(haifeng.wire.records) == 5
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == ["a", "b", "c"]


async def test_one_relay_works_and_a_standby_takes_over(haifeng: SenderNode) -> None:
    first, standby = haifeng.relay(), haifeng.relay()
    await emit(haifeng, "a")
    await drain(first)
    await emit(haifeng, "b")
    assert await standby.step() == 0
    await first.stop()
    await drain(standby)
    one, two = numbers(haifeng)
    assert two == Number(two.epoch, 1, one.epoch, 1)
    assert two.epoch > one.epoch
    await standby.stop()


async def test_a_relay_whose_lock_was_taken_away_cannot_number_any_more(
    haifeng: SenderNode,
) -> None:
    zombie, successor = haifeng.relay(), haifeng.relay()
    await emit(haifeng, "a")
    await drain(zombie)
    # its connection breaks on the server's side; it has not noticed yet
    await haifeng.rows(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l"
        " WHERE l.locktype = 'advisory' AND l.database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    await emit(haifeng, "b")
    await drain(successor)
    await emit(haifeng, "c")
    zombie._held = True
    zombie.store.holds = _yes  # type: ignore[method-assign]
    with pytest.raises(LockLostError):
        await zombie.step()
    assert await haifeng.scalar("SELECT count(*) FROM kernel.outbox_numbers") == 0
    await drain(successor)
    assert [number.sequence for number in numbers(haifeng)] == [1, 1, 2]
    await successor.stop()


async def _yes() -> bool:
    return True


async def test_an_event_whose_grant_has_ended_goes_out_as_void(haifeng: SenderNode) -> None:
    haifeng.guards["grant"] = _grant_holds
    async with haifeng.database.transaction() as tx:
        await tx.connection.execute(text("CREATE TABLE grants (id text PRIMARY KEY, active bool)"))
        await tx.connection.execute(text("INSERT INTO grants VALUES ('g1', true), ('g2', false)"))
    await emit(haifeng, "kept", guard="grant:g1")
    await emit(haifeng, "ended", guard="grant:g2")
    await emit(haifeng, "unknown", guard="grant:g3")
    await emit(haifeng, "free")
    await drain(haifeng.relay())
    kinds = [_read(record).type == VOID_TYPE for record in haifeng.wire.records]
    assert kinds == [False, True, True, False]
    assert [number.sequence for number in numbers(haifeng)] == [1, 2, 3, 4]
    assert await haifeng.scalar("SELECT count(*) FROM kernel.sent_log WHERE void <> ''") == 2
    assert b"ended" not in b"".join(
        row[0] for row in await haifeng.rows("SELECT payload FROM kernel.sent_log")
    )


async def _grant_holds(connection: Any, name: str) -> bool:
    found = await connection.scalar(
        text("SELECT active FROM grants WHERE id = :id FOR SHARE"), {"id": name}
    )
    return bool(found)


async def test_a_revocation_waits_for_a_publication_that_has_begun(
    haifeng: SenderNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    haifeng.guards["grant"] = _grant_holds
    async with haifeng.database.transaction() as tx:
        await tx.connection.execute(text("DROP TABLE IF EXISTS grants"))
        await tx.connection.execute(text("CREATE TABLE grants (id text PRIMARY KEY, active bool)"))
        await tx.connection.execute(text("INSERT INTO grants VALUES ('g1', true)"))
    await emit(haifeng, "kept", guard="grant:g1")
    relay = haifeng.relay()
    order: list[str] = []
    publish = relay.publisher.publish
    publishing = asyncio.Event()

    async def slowly(messages: Any) -> Any:
        publishing.set()
        await asyncio.sleep(0.2)
        order.append("published")
        return await publish(messages)

    monkeypatch.setattr(relay.publisher, "publish", slowly)

    async def revoke() -> None:
        await publishing.wait()
        async with haifeng.database.transaction() as tx:
            await tx.connection.execute(text("UPDATE grants SET active = false"))
        order.append("revoked")

    await asyncio.gather(relay.step(), revoke())
    assert order == ["published", "revoked"]


async def test_what_the_bus_refuses_for_good_becomes_void_and_a_dead_letter_of_the_sender(
    haifeng: SenderNode, lufeng: Receiver
) -> None:
    haifeng.wire.refuse_larger_than = 5_000
    await emit(haifeng, "a", "x" * 6_000, "c")
    await drain(haifeng.relay())
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == ["a", "c"]
    letters = await haifeng.rows("SELECT state, reason, event_id FROM kernel.dead_letters")
    assert [row[:2] for row in letters] == [("void", "refused:MessageSizeTooLargeError")]


async def test_transports_do_not_wait_for_each_other(haifeng: SenderNode) -> None:
    await emit(haifeng, "far")
    await emit(haifeng, "near", topic="sharing.441521.v1", destination=HAIFENG)
    haifeng.wire.away = True
    with pytest.raises(PublishError):
        await haifeng.relay("kafka").step()
    haifeng.wire.away = False
    await drain(haifeng.relay("local:sharing"))
    assert [record.topic for record in haifeng.wire.records] == ["sharing.441521.v1"]
    assert await haifeng.scalar("SELECT transport FROM kernel.outbox") == "kafka"


async def test_transports_never_share_an_epoch(haifeng: SenderNode) -> None:
    announced = Source(haifeng.keys, service="catalog").event(
        agency("org-1", HAIFENG),
        key="org-1",
        type="yiwang.catalog.agency.announced.v1",
        topic="agencies.441521.v1",
        destination="*",
    )
    async with haifeng.database.transaction() as tx:
        await tx.emit(announced)
    for transport in ("kafka", "local:catalog", "local:notify"):
        await drain(haifeng.relay(transport))
    epochs = {number.epoch for number in numbers(haifeng)}
    assert len(epochs) == len(haifeng.wire.records) == 3
    assert await haifeng.scalar("SELECT node FROM kernel.organisations") == HAIFENG


async def test_shards_divide_the_topics_between_them(haifeng: SenderNode) -> None:
    for node in ("441500", "441581", "441502", "441523"):
        await emit(haifeng, "a", topic=f"sharing.{node}.v1", destination=node)
    shards = [haifeng.relay(shard=n, shards=2) for n in range(2)]
    done = [await _count(relay) for relay in shards]
    assert sum(done) == 4
    assert await haifeng.scalar("SELECT count(*) FROM kernel.outbox") == 0


async def _count(relay: Any) -> int:
    total = 0
    while done := await relay.step():
        total += done
    return total


async def test_the_sent_log_gives_a_range_again_with_new_signatures(
    haifeng: SenderNode, lufeng: Receiver
) -> None:
    await emit(haifeng, "a", "b", "c", "d")
    relay = haifeng.relay()
    await drain(relay)
    first, _, _, last = haifeng.wire.records
    await lufeng.process(first, last)
    haifeng.wire.records.clear()
    log = SentLog(haifeng.database)
    place = ("kafka", first.topic, first.partition)
    rows = await log.between(*place, epoch=relay.epoch, first=2, last=3, limit=10)
    assert covers(rows, 2, 3)
    assert not covers(rows, 2, 4)
    await relay.send_again(rows)
    await lufeng.process(*haifeng.wire.records)
    assert await lufeng.seen() == ["a", "b", "c", "d"]


async def test_a_head_tells_what_can_be_sent_again_and_where_the_epoch_began(
    haifeng: SenderNode,
) -> None:
    first = haifeng.relay()
    await emit(haifeng, "a", "b")
    await drain(first)
    await first.stop()
    second = haifeng.relay()
    await emit(haifeng, "c")
    await drain(second)
    (head,) = await SentLog(haifeng.database).heads("kafka")
    assert (head.epoch, head.first, head.last) == (second.epoch, 1, 1)
    assert head.previous_last == 2
    assert head.previous_epoch < head.epoch
    assert LUFENG in head.topic


async def test_the_sent_log_forgets_what_is_older_than_its_days(haifeng: SenderNode) -> None:
    await emit(haifeng, "a")
    await drain(haifeng.relay())
    log = SentLog(haifeng.database)
    now = haifeng.database.clock.now()
    await log.prune(now)
    assert await haifeng.scalar("SELECT count(*) FROM kernel.sent_log") == 1
    await log.prune(now, days=-1)
    assert await haifeng.scalar("SELECT count(*) FROM kernel.sent_log") == 0
