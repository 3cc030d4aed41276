"""Health says what is so."""

import pytest

from kernel.db import Database
from kernel.health import Check
from tests.support.http import ServedNode, SteadyClock

pytestmark = pytest.mark.postgres
READY, LIVE = "/sample/health/ready", "/sample/health/live"


def states(answer: dict[str, object]) -> dict[str, str]:
    checks = answer["checks"]
    assert isinstance(checks, list)
    return {check["name"]: check["state"] for check in checks}


async def test_a_service_that_could_serve_is_ready(node: ServedNode) -> None:
    answer = await node.client.get(READY)
    assert answer.status_code == 200
    assert answer.json()["state"] == "ok"
    assert states(answer.json()) == {"database": "ok", "outbox": "ok"}


async def test_events_that_wait_too_long_make_it_degraded_and_still_ready(
    node: ServedNode, clock: SteadyClock
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    await clerk.post("/sample/v1/things", {"name": "a"})
    clock.advance(seconds=31)
    answer = await node.client.get(READY)
    assert answer.status_code == 200
    assert answer.json()["state"] == "degraded"
    assert states(answer.json())["outbox"] == "degraded"


async def test_a_bus_that_is_away_is_degraded_and_not_down(node: ServedNode) -> None:
    async def bus() -> Check:
        return Check(name="bus", state="degraded", detail="no broker answers")

    node.runtime.health.add("bus", bus)
    answer = await node.client.get(READY)
    assert (answer.status_code, answer.json()["state"]) == (200, "degraded")
    node.runtime.health.remove("bus")
    assert (await node.client.get(READY)).json()["state"] == "ok"


async def test_a_check_that_fails_or_hangs_is_down_by_its_class_alone(node: ServedNode) -> None:
    async def fails() -> Check:
        raise RuntimeError("990000190001010016")

    node.runtime.health.add("other", fails)
    answer = await node.client.get(READY)
    assert answer.status_code == 503
    assert "RuntimeError" in answer.text
    assert "990000190001010016" not in answer.text


async def test_pending_migrations_are_not_ready(node: ServedNode) -> None:
    node.runtime.kernel_heads = frozenset({"2099_01_01_0001"})
    answer = await node.client.get(READY)
    assert answer.status_code == 503
    assert states(answer.json())["database"] == "down"


async def test_without_its_database_a_service_lives_but_is_not_ready(node: ServedNode) -> None:
    present = node.runtime.database
    node.runtime.database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    try:
        assert (await node.client.get(LIVE)).status_code == 200
        answer = await node.client.get(READY)
        assert answer.status_code == 503
        assert states(answer.json())["database"] == "down"
        clerk = node.caller("agency_clerk", organisation="org-1")
        for route in ("/sample/v1/things", "/sample/v1/things/quick"):
            refused = await clerk.post(route, {"name": "a"})
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
    finally:
        await node.runtime.database.close()
        node.runtime.database = present
