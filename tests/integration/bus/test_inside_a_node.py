"""Local delivery: the same events from outbox to inbox, and no broker anywhere."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from kernel.handlers import NotYet
from kernel.local import decode, encode
from tests.integration.bus.nodes import Place, Service, note, place
from tests.support.buskit import HAIFENG, LUFENG, Keys, Source, agency, confirmed
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres
CONFIRMED = "yiwang.sharing.request.confirmed.v1"
AGENCY = "yiwang.catalog.agency.announced.v1"
CASE = "01940000-0000-7000-8000-00000000ca5e"


@pytest.fixture(scope="module")
def urls(postgres_url: Callable[..., str]) -> tuple[str, str]:
    return postgres_url("kernel"), postgres_url("kernel")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as made:
        yield made


def announced(source: Source, org_id: str, version: int = 1) -> Any:
    return source.event(
        agency(org_id, HAIFENG, version=version),
        key=org_id,
        type=AGENCY,
        topic="agencies.441521.v1",
        destination="*",
    )


async def start_two(node: Place, urls: tuple[str, str]) -> tuple[Service, Service]:
    catalog = await node.start(HAIFENG, "catalog", urls[0], handles=[AGENCY])
    sharing = await node.start(HAIFENG, "sharing", urls[1], handles=[AGENCY, CONFIRMED])
    return catalog, sharing


async def test_a_service_reaches_its_sibling_and_itself_without_a_broker(
    node: Place, urls: tuple[str, str]
) -> None:
    catalog, sharing = await start_two(node, urls)
    source = Source(node.keys)
    async with catalog.runtime.database.transaction() as tx:
        await tx.emit(announced(Source(node.keys, service="catalog"), "org-1"))
    await sharing.emit(source, "own", key=CASE, topic="sharing.441521.v1", destination=HAIFENG)

    async def both() -> bool:
        return sorted(await sharing.seen()) == ["own", "机构 org-1"]

    await eventually(both)
    assert await sharing.scalar("SELECT node FROM kernel.organisations") == HAIFENG
    # what goes to the bus waits for one, and holds nobody up
    assert await catalog.scalar("SELECT count(*) FROM kernel.outbox WHERE transport = 'kafka'") == 1


async def test_a_thousand_local_events_arrive_in_order(node: Place, urls: tuple[str, str]) -> None:
    _, sharing = await start_two(node, urls)
    names = [f"e{n}" for n in range(300)]
    source = Source(node.keys)
    for name in names:
        event = source.event(
            confirmed(CASE, name), key=CASE, topic="sharing.441521.v1", destination=HAIFENG
        )
        async with sharing.runtime.database.transaction() as tx:
            await tx.emit(event)

    async def all_seen() -> bool:
        return await sharing.seen() == names

    await eventually(all_seen, within=30)


async def test_a_receipt_comes_back_inside_the_node(node: Place, urls: tuple[str, str]) -> None:
    kind = "yiwang.sharing.request.withdrawn.v1"
    sharing = await node.start(HAIFENG, "sharing", urls[1], handles=[kind])
    source = Source(node.keys, node=HAIFENG)
    from contracts.events.sharing import RequestWithdrawn  # noqa: PLC0415

    payload = RequestWithdrawn(
        request_id=CASE, withdrawn_by="u", withdrawn_at="2026-02-13T08:30:00Z", reason=""
    )
    async with sharing.runtime.database.transaction() as tx:
        event_id = await tx.emit(
            source.event(
                payload,
                key=CASE,
                type=kind,
                topic="sharing.441521.v1",
                destination=HAIFENG,
            )
        )

    async def returned() -> bool:
        rows = await sharing.rows("SELECT event_id::text, receiver_node FROM kernel.receipts")
        return rows == [(event_id, HAIFENG)]

    await eventually(returned)


async def test_a_waiting_event_is_tried_again_by_itself(node: Place, urls: tuple[str, str]) -> None:
    tries: list[int] = []

    async def late(tx: Any, event: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise NotYet
        await note(tx, event)

    sharing = await node.start(HAIFENG, "sharing", urls[1], handles=[CONFIRMED], handler=late)
    await sharing.emit(
        Source(node.keys), "a", key=CASE, topic="sharing.441521.v1", destination=HAIFENG
    )

    async def seen() -> bool:
        return await sharing.seen() == ["a"]

    await eventually(seen)


async def test_a_sibling_that_lost_events_gets_them_again_with_the_next_one(
    node: Place, urls: tuple[str, str]
) -> None:
    catalog, sharing = await start_two(node, urls)
    source = Source(node.keys, service="catalog")
    for number in range(3):
        async with catalog.runtime.database.transaction() as tx:
            await tx.emit(announced(source, f"org-{number}"))

    async def arrived() -> bool:
        return len(await sharing.seen()) == 3

    await eventually(arrived)
    # a mailbox, because broadcasts have no gaps: the receiver's state of yesterday is restored
    mail = Source(node.keys)
    for name in ("a", "b", "c"):
        await sharing.emit(mail, name, key=CASE, topic="sharing.441521.v1", destination=HAIFENG)

    async def mailed() -> bool:
        return (await sharing.seen())[3:] == ["a", "b", "c"]

    await eventually(mailed)
    async with sharing.runtime.database.transaction() as tx:
        from sqlalchemy import text  # noqa: PLC0415

        for statement in (
            "DELETE FROM seen WHERE what IN ('b', 'c')",
            "DELETE FROM kernel.inbox",
            "UPDATE kernel.consumer_streams SET watermark = 1 WHERE topic = 'sharing.441521.v1' AND watermark > 0",
        ):
            await tx.connection.execute(text(statement))
    await sharing.emit(mail, "d", key=CASE, topic="sharing.441521.v1", destination=HAIFENG)

    async def restored() -> bool:
        return (await sharing.seen())[3:] == ["a", "b", "c", "d"]

    await eventually(restored)


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        ("", b"[]", 401),
        ("another", b"[]", 401),
        ("a token of services", b"{", 400),
        ("a token of services", b'[{"topic":1}]', 400),
        ("a token of services", b" " * 5_000_000, 413),
        ("a token of services", b"[]", 200),
    ],
)
async def test_the_door_opens_to_siblings_only(
    node: Place, urls: tuple[str, str], token: str, body: bytes, status: int
) -> None:
    sharing = await node.start(HAIFENG, "sharing", urls[1], handles=[CONFIRMED])
    answer = await sharing.runtime.http.request(
        "POST",
        "http://sharing.sibling/sharing/internal/events",
        headers={"authorization": f"Bearer {token}"},
        content=body,
    )
    assert answer.status == status


async def test_a_forged_record_at_the_door_changes_nothing(
    node: Place, urls: tuple[str, str]
) -> None:
    sharing = await node.start(LUFENG, "sharing", urls[1], handles=[CONFIRMED])
    record = Source(node.keys).send()
    forged = record._replace(value=record.value + b" ")
    answer = await sharing.runtime.http.request(
        "POST",
        "http://sharing.sibling/sharing/internal/events",
        headers={"authorization": "Bearer a token of services"},
        content=encode([forged]),
    )
    assert answer.status == 200
    assert await sharing.seen() == []
    assert await sharing.scalar("SELECT count(*) FROM kernel.inbox") == 0


def test_what_is_posted_is_what_was_signed() -> None:
    records = [Source(Keys()).send() for _ in range(3)]
    again = decode(encode(records))
    assert [r._replace(offset=-1, headers=[tuple(h) for h in r.headers]) for r in records] == [
        r._replace(headers=[tuple(h) for h in r.headers]) for r in again
    ]
