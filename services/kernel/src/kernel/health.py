"""Health that tells the truth: ready means that a request would be served now.

The database and its migrations decide; a bus that is away or a relay that lags makes the service
*degraded*, because requests within the node go on without them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

if TYPE_CHECKING:
    from kernel.runtime import Runtime

State = Literal["ok", "degraded", "down"]
RELAY_LAG_SECONDS = 30.0
_TIMEOUT = 2.0


class Check(BaseModel):
    """One thing that was looked at; ``detail`` is a figure or an error's class."""

    name: str
    state: State
    detail: str = ""


class Health(BaseModel):
    """The whole answer: the worst state of all checks."""

    node: str
    service: str
    state: State
    checks: list[Check]


Reporter = Callable[[], Awaitable[Check]]


@dataclass(slots=True)
class HealthBoard:
    """Who reports on what; the worker adds the bus (``add``) and takes it off when it stops."""

    reporters: dict[str, Reporter]

    def add(self, name: str, reporter: Reporter) -> None:
        """Ask ``reporter`` from now on."""
        self.reporters[name] = reporter

    def remove(self, name: str) -> None:
        """Ask it no more."""
        self.reporters.pop(name, None)

    async def look(self) -> list[Check]:
        """Ask everybody at once, two seconds each at most."""
        return list(await asyncio.gather(*(_asked(*item) for item in self.reporters.items())))


async def _asked(name: str, reporter: Reporter) -> Check:
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await reporter()
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its answer
        return Check(name=name, state="down", detail=type(error).__name__)


def database_reporter(runtime: "Runtime") -> Reporter:
    """Ask the database, and whether its tables are those of this program."""

    async def look() -> Check:
        async with runtime.database.transaction(read_only=True) as tx:
            found = await tx.connection.execute(
                text("SELECT version_num FROM kernel.alembic_version_kernel")
            )
            versions = set(found.scalars())
        missing = sorted(runtime.kernel_heads - versions)
        if missing:
            return Check(name="database", state="down", detail="migrations are pending")
        return Check(name="database", state="ok")

    return look


def relay_reporter(runtime: "Runtime") -> Reporter:
    """Tell how long the oldest unsent event has waited."""

    async def look() -> Check:
        async with runtime.database.transaction(read_only=True) as tx:
            found = await tx.connection.execute(
                text("SELECT time FROM kernel.outbox ORDER BY id LIMIT 1")
            )
            oldest = found.scalar()
        if oldest is None:
            return Check(name="outbox", state="ok", detail="0 s")
        age = (runtime.clock.now() - datetime.fromisoformat(oldest).astimezone(UTC)).total_seconds()
        state: State = "ok" if age < RELAY_LAG_SECONDS else "degraded"
        return Check(name="outbox", state=state, detail=f"{age:.0f} s")

    return look


def worst(checks: list[Check]) -> State:
    """Return the worst state."""
    states = {check.state for check in checks}
    return "down" if "down" in states else "degraded" if "degraded" in states else "ok"


def health_router(runtime: "Runtime") -> APIRouter:
    """Return ``/health/live`` (the process answers) and ``/health/ready`` (503 when down)."""
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"state": "ok"}

    @router.get("/ready")
    async def ready(response: Response) -> Health:
        checks = await runtime.health.look()
        state = worst(checks)
        response.status_code = 503 if state == "down" else 200
        response.headers["Cache-Control"] = "no-store"
        return Health(node=runtime.node, service=runtime.service, state=state, checks=checks)

    return router
