"""The database of one service and the only commit there is.

A use case gets a ``Transaction`` and never commits; the edge (route or batch consumer) leaves the
``async with`` block, and that commits.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from kernel.clock import Clock
from kernel.ids import IdSource
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.principal import Principal


class Transaction:
    """One database transaction as a use case sees it; implements ``kernel.ports.Outgoing``."""

    connection: AsyncConnection
    clock: Clock
    ids: IdSource
    principal: Principal
    traceparent: str | None
    node: str
    service: str

    @property
    def session(self) -> AsyncSession:
        """An ORM session on the same connection, made when first asked for."""
        raise NotImplementedError

    async def emit(self, event: OutgoingEvent) -> str:
        """Insert the event into the outbox and return its id."""
        raise NotImplementedError

    async def record(self, entry: AuditEntry) -> None:
        """Append an audit row; it is written with the commit."""
        raise NotImplementedError

    def savepoint(self) -> Any:
        """Return an async context manager: a savepoint."""
        raise NotImplementedError

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something quick and harmless once the commit has succeeded (a wake-up)."""
        raise NotImplementedError


class Database:
    """Engine and pools of one service's database."""

    engine: AsyncEngine

    @asynccontextmanager
    async def transaction(
        self,
        *,
        principal: Principal | None = None,
        traceparent: str | None = None,
        read_only: bool = False,
    ) -> AsyncGenerator[Transaction]:
        """Open a transaction; commit on leaving it, roll back when the block raises."""
        raise NotImplementedError
        yield

    async def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError
