"""What operators see of the bus over HTTP, and what they decide."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from kernel.bus_parts import make_consumer
from kernel.handlers import Handlers, Poison
from kernel.runtime import Runtime, ServiceDefinition
from tests.integration.bus.parts import CONFIRMED, empty, note
from tests.support.buskit import LUFENG, Keys, Source, confirmed
from tests.support.http import Caller, NodeFiles, ServedNode, serving

pytestmark = pytest.mark.postgres
CASE = "01940000-0000-7000-8000-00000000ca5e"
SOURCE = "/nodes/441521/sharing"
BASE = "/sharing/v1"


@dataclass
class Office:
    """Lufeng's sharing service with a handler that refuses what stands in ``refused``."""

    node: ServedNode
    source: Source
    refused: set[str]

    @property
    def operator(self) -> Caller:
        return self.node.caller("node_operator", subject="operator-1")

    async def take(self, *names: str, skip: int = -1) -> None:
        """Let events of one case come in, without the one at ``skip``."""
        records = [self.source.send(confirmed(CASE, name), key=CASE) for name in names]
        kept = [record for place, record in enumerate(records) if place != skip]
        await make_consumer(self.node.definition).process(kept)

    async def seen(self) -> list[str]:
        return [row["what"] for row in await self.node.query("SELECT what FROM seen ORDER BY id")]


@pytest.fixture(scope="module")
def url(postgres_url: Callable[..., str]) -> str:
    return postgres_url("kernel")


@pytest.fixture
async def office(url: str, node_files: NodeFiles) -> AsyncIterator[Office]:
    refused: set[str] = set()

    def define(runtime: Runtime) -> ServiceDefinition:
        handlers = Handlers()

        @handlers.on(CONFIRMED)
        async def handle(tx: Any, event: Any) -> None:
            await note(tx, event)
            if event.payload.confirmed_by in refused:
                raise Poison("refused_by_test")

        return ServiceDefinition(name="sharing", runtime=runtime, routers=(), handlers=handlers)

    async with serving(define, "sharing", url, node_files, node=LUFENG) as node:
        await empty(node.runtime.database)
        async with node.runtime.database.transaction() as tx:
            await tx.connection.execute(text("DROP TABLE IF EXISTS seen"))
            await tx.connection.execute(text("CREATE TABLE seen (id bigserial, what text)"))
        yield Office(node, Source(Keys(dict(node_files.keys))), refused)


async def letter(office: Office) -> dict[str, Any]:
    page = (await office.operator.get(f"{BASE}/dead-letters")).json()
    (found,) = page["items"]
    return dict(found)


async def test_a_dead_letter_is_listed_with_its_reason_and_without_its_content(
    office: Office,
) -> None:
    office.refused.add("990000190001010016")
    await office.take("a", "990000190001010016", "c")
    found = await letter(office)
    assert (found["state"], found["reason"], found["type"]) == (
        "open",
        "refused_by_test",
        CONFIRMED,
    )
    detail = await office.operator.get(f"{BASE}/dead-letters/{found['id']}")
    assert detail.json()["waiting"] == 2
    assert "990000190001010016" not in detail.text


async def test_an_operator_replays_and_the_audit_names_him(office: Office) -> None:
    office.refused.add("b")
    await office.take("a", "b", "c")
    found = await letter(office)
    path = f"{BASE}/dead-letters/{found['id']}/replay"
    answer = await office.operator.post(path)
    assert answer.json() == {"applied": 0, "waiting": 2}
    office.refused.clear()
    answer = await office.operator.post(path)
    assert answer.json() == {"applied": 2, "waiting": 0}
    assert await office.seen() == ["a", "b", "c"]
    rows = await office.node.query("SELECT act, subject FROM kernel.audit")
    assert {"act": "deadletter.replayed", "subject": "operator-1"} in rows
    again = await office.operator.post(path)
    assert (again.status_code, again.json()["type"]) == (
        409,
        "urn:yiwang:problem:dead-letter-closed",
    )


async def test_an_operator_discards_with_a_reason(office: Office) -> None:
    office.refused.add("b")
    await office.take("a", "b", "c")
    found = await letter(office)
    path = f"{BASE}/dead-letters/{found['id']}/discard"
    assert (await office.operator.post(path, {})).status_code == 422
    answer = await office.operator.post(path, {"reason": "发送方已更正"})
    assert answer.json() == {"applied": 1, "waiting": 0}
    assert await office.seen() == ["a", "c"]
    rows = await office.node.query("SELECT reason FROM kernel.audit WHERE act LIKE 'deadletter%'")
    assert rows == [{"reason": "发送方已更正"}]


async def test_an_operator_gives_up_what_nobody_can_send_again(office: Office) -> None:
    await office.take("a", "lost", "c", skip=1)
    assert await office.seen() == ["a"]
    streams = (await office.operator.get(f"{BASE}/streams")).json()
    (stream,) = [found for found in streams if found["parked"]]
    assert (stream["source"], stream["watermark"], stream["parked"]) == (SOURCE, 1, 1)
    command = {name: stream[name] for name in ("source", "topic", "partition")}
    answer = await office.operator.post(
        f"{BASE}/streams/skip", {**command, "reason": "对方磁盘损坏"}
    )
    assert answer.json() == {"skipped": True}
    assert await office.seen() == ["a", "c"]


@pytest.mark.parametrize("role", ["agency_clerk", "authority_reviewer", "auditor"])
async def test_only_a_node_operator_decides(office: Office, role: str) -> None:
    office.refused.add("a")
    await office.take("a")
    found = await letter(office)
    caller = office.node.caller(role)
    answer = await caller.post(f"{BASE}/dead-letters/{found['id']}/replay")
    assert answer.status_code == 403
    assert await office.seen() == []


async def test_an_auditor_may_look(office: Office) -> None:
    office.refused.add("a")
    await office.take("a")
    answer = await office.node.caller("auditor").get(f"{BASE}/dead-letters")
    assert len(answer.json()["items"]) == 1
    assert (await office.node.caller("agency_clerk").get(f"{BASE}/dead-letters")).status_code == 403


async def test_an_unknown_dead_letter_is_not_found(office: Office) -> None:
    answer = await office.operator.get(f"{BASE}/dead-letters/4711")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:yiwang:problem:dead-letter-unknown"


async def test_pages_of_dead_letters_are_whole(office: Office) -> None:
    office.refused.add("bad")
    records = []
    for _ in range(5):
        key = str(office.source.ids.uuid7())
        records.append(office.source.send(confirmed(key, "bad"), key=key))
    await make_consumer(office.node.definition).process(records)
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await office.operator.get(f"{BASE}/dead-letters", **query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
