"""The database of one service and the only commit there is.

A use case gets a ``Transaction`` and never commits; the edge (route or batch consumer) leaves the
``async with`` block, and that commits.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from kernel.audit_rows import audit_row, pending_row
from kernel.clock import Clock, SystemClock
from kernel.edge_tables import audit, audit_pending
from kernel.hot_pool import HotPool
from kernel.ids import IdSource, Uuid7Source
from kernel.inserts import InsertBuilder, Row
from kernel.outbox import insert_event
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.principal import Principal
from kernel.redact import scrub

SYSTEM = "system"
ONE_STATEMENT = 16
"""Audit rows that a transaction writes in one statement; the statement is kept for each count."""


def system_principal(node: str, service: str) -> Principal:
    """The service itself, as the one who acts in handlers and jobs."""
    return Principal(
        subject=f"{SYSTEM}:{service}", name=service, organisation="", node=node, kind="service"
    )


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One database transaction as a use case sees it; implements ``kernel.ports.Outgoing``.

    Whoever made it calls ``flush`` before committing: audit rows and ORM changes are written then.
    """

    connection: AsyncConnection
    clock: Clock
    ids: IdSource
    node: str
    service: str
    principal: Principal
    inserts: InsertBuilder
    traceparent: str | None = None
    emitted: int = 0
    _audit: list[Row] = field(default_factory=list)
    _session: AsyncSession | None = None
    _after: list[Callable[[], None]] = field(default_factory=list)

    @property
    def session(self) -> AsyncSession:
        """An ORM session on the same connection, made when first asked for."""
        if self._session is None:
            self._session = AsyncSession(
                self.connection, expire_on_commit=False, join_transaction_mode="rollback_only"
            )
        return self._session

    async def emit(self, event: OutgoingEvent) -> str:
        """Insert the event into the outbox and return its id; see ``kernel.ports.Outgoing``."""
        if self._session is not None:
            await self._session.flush()
        self.emitted += 1
        return await insert_event(
            self.connection,
            event,
            node=self.node,
            service=self.service,
            clock=self.clock,
            ids=self.ids,
            traceparent=self.traceparent,
        )

    async def record(self, entry: AuditEntry) -> None:
        """Append an audit row; it is written with ``flush``."""
        row = audit_row(
            entry,
            row_id=self.ids.uuid7(),
            at=self.clock.now(),
            node=self.node,
            service=self.service,
            traceparent=self.traceparent,
        )
        self._audit.append(row)

    async def insert(self, rows: dict[Any, Sequence[Row]]) -> None:
        """Insert rows of several tables in one round trip; see ``kernel.inserts``."""
        text, arguments = self.inserts.build(rows)
        await self.connection.exec_driver_sql(text, tuple(arguments))

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Roll back to here when the block raises: tables, audit rows, ORM objects and wake-ups.

        Deferred constraints are checked at the end of the block, so that they fail inside it.
        """
        await self.flush()
        waiting, emitted = len(self._after), self.emitted
        try:
            async with self.connection.begin_nested():
                yield
                await self.flush()
                await self.connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            await self.connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
        except BaseException:
            self._audit.clear()
            del self._after[waiting:]
            self.emitted = emitted
            if self._session is not None:
                self._session.expunge_all()
            raise

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call something quick and harmless once the commit has succeeded (a wake-up)."""
        self._after.append(call)

    async def flush(self) -> None:
        """Write what is still held in memory: ORM changes, then audit rows."""
        if self._session is not None:
            await self._session.flush()
        if self._audit:
            rows, self._audit = self._audit, []
            pending = [pending_row(row) for row in rows]
            if len(rows) <= ONE_STATEMENT:
                await self.insert({audit: rows, audit_pending: pending})
                return
            # a batch of thousands: one statement takes no more than 32767 arguments
            await self.connection.execute(audit.insert(), rows)
            await self.connection.execute(audit_pending.insert(), pending)

    async def close(self) -> None:
        """Let the ORM session go; the connection stays its maker's."""
        if self._session is not None:
            await self._session.close()

    def committed(self) -> None:
        """Run what waited for the commit."""
        for call in self._after:
            call()


class Database:
    """Engine and pools of one service's database.

    ``on_emit`` is called after each commit that wrote outbox rows: the relay's wake-up when it
    runs in the same process.
    """

    def __init__(
        self,
        url: str,
        *,
        node: str = "",
        service: str = "",
        clock: Clock | None = None,
        ids: IdSource | None = None,
        pool_size: int = 8,
        hot_pool_size: int = 8,
    ) -> None:
        self.clock = clock or SystemClock()
        self.ids = ids or Uuid7Source(self.clock)
        self.node = node
        self.service = service
        self.engine = _engine(url, pool_size=pool_size, name=f"yiwang-{service}")
        self._reading = self.engine.execution_options(postgresql_readonly=True)
        self.inserts = InsertBuilder()
        self.hot = HotPool(url, size=hot_pool_size, name=f"yiwang-{service}-hot")
        self.on_emit: list[Callable[[], None]] = []

    def wrap(
        self,
        connection: AsyncConnection,
        *,
        principal: Principal | None = None,
        traceparent: str | None = None,
    ) -> Transaction:
        """Make a ``Transaction`` on a connection whose owner flushes, closes and commits."""
        return Transaction(
            connection=connection,
            clock=self.clock,
            ids=self.ids,
            node=self.node,
            service=self.service,
            principal=principal or system_principal(self.node, self.service),
            inserts=self.inserts,
            traceparent=traceparent,
        )

    @asynccontextmanager
    async def transaction(
        self,
        *,
        principal: Principal | None = None,
        traceparent: str | None = None,
        read_only: bool = False,
    ) -> AsyncGenerator[Transaction]:
        """Open a transaction; commit on leaving it, roll back when the block raises."""
        engine = self._reading if read_only else self.engine
        async with engine.connect() as connection:
            outer = await connection.begin()
            tx = self.wrap(connection, principal=principal, traceparent=traceparent)
            try:
                yield tx
                await tx.flush()
                await outer.commit()
            except BaseException:
                # a session whose flush failed has rolled the transaction back itself
                if outer.is_active:
                    await outer.rollback()
                raise
            finally:
                await tx.close()
        tx.committed()
        if tx.emitted:
            self.emitted()

    def emitted(self) -> None:
        """Wake whoever waits for new outbox rows."""
        for wake in self.on_emit:
            wake()

    async def close(self) -> None:
        """Close all connections."""
        await self.hot.close()
        await self.engine.dispose()


def _engine(url: str, *, pool_size: int, name: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": name,
                "jit": "off",
                "idle_in_transaction_session_timeout": "60s",
            },
        },
    )

    @event.listens_for(engine.sync_engine, "handle_error")
    def _scrub(context: Any) -> None:
        for error in (context.original_exception, context.sqlalchemy_exception):
            if error is not None:
                scrub(error)

    return engine
