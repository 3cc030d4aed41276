"""What a use case or handler gets in a world: ``SharingTx`` over the world's store.

Every method spends a round trip before it acts, so that a crash or a pause may come between any
two statements, and takes the locks that ``sharing.store`` takes on PostgreSQL.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from contracts.events.catalog import EntryState
from kernel.audit_rows import audit_row, pending_row
from kernel.clock import Clock
from kernel.db import system_principal
from kernel.ids import IdSource
from kernel.outbox import CaseVersionTaken, outbox_values
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.principal import Principal
from sharing.errors import DuplicateSubmission
from sharing.filings.domain import Filing
from sharing.grants.domain import Grant, GrantSide, GrantState
from sharing.requests.domain import OPEN_STATES, ShareRequest, Side
from sharing.requests.ports import Facts
from tests.simulation.db import Connection, Row, UniqueViolationError


class WorldTransaction:
    """Implements ``kernel.ports.Outgoing`` and ``sharing.requests.ports.SharingTx``."""

    def __init__(
        self, connection: Connection, *, node: str, service: str, clock: Clock, ids: IdSource
    ) -> None:
        self.connection = connection
        self.node = node
        self.service = service
        self.clock = clock
        self.ids = ids
        self.principal: Principal = system_principal(node, service)
        self.traceparent: str | None = None
        self._audit: list[dict[str, Any]] = []

    # -- kernel.ports.Outgoing ----------------------------------------------------------------

    async def emit(self, event: OutgoingEvent) -> str:
        event_id = self.ids.uuid7()
        rows = outbox_values(
            event,
            node=self.node,
            service=self.service,
            event_id=event_id,
            now=self.clock.now(),
            traceparent=self.traceparent,
        )
        await self.connection.statement("emit")
        for row in rows:
            await self.insert_outbox(row)
        return str(event_id)

    async def insert_outbox(self, row: dict[str, Any]) -> None:
        number = self.outbox_number()
        try:
            await self.connection.insert("outbox", number, {"id": number, **row})
        except UniqueViolationError:
            raise CaseVersionTaken from None

    def outbox_number(self) -> int:
        """Draw the row's id: at its INSERT, when its case is locked already."""
        return self.connection.database.next_number("outbox")

    async def record(self, entry: AuditEntry) -> None:
        row = audit_row(
            entry,
            row_id=self.ids.uuid7(),
            at=self.clock.now(),
            node=self.node,
            service=self.service,
            traceparent=self.traceparent,
        )
        self._audit.append(row)

    async def flush(self) -> None:
        if self._audit:
            rows, self._audit = self._audit, []
            await self.connection.statement("audit")
            for row in rows:
                await self.connection.insert("audit", row["id"], row)
                await self.connection.insert("audit_pending", row["id"], pending_row(row))

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        writes, notes = self.connection.savepoint(), len(self.connection.notes)
        audit = len(self._audit)
        await self.connection.statement("savepoint")
        try:
            yield
        except Exception:
            self.connection.rollback_to(writes, notes)
            del self._audit[audit:]
            raise

    # -- sharing.requests.ports.SharingTx -----------------------------------------------------

    async def facts(self, entry_id: str, requester_org: str) -> Facts:
        await self.connection.statement("facts")
        entry = self._newest(entry_id)
        requester = self.connection.get("agencies", requester_org)
        providing = entry.providing_org.org_id if entry else ""
        source = self.connection.get("agencies", providing)
        return Facts(
            entry=entry,
            requester=requester["value"] if requester else None,
            source=source["value"] if source else None,
        )

    def _newest(self, entry_id: str) -> EntryState | None:
        row = self.connection.get("known_entries", (entry_id, 0))
        return row["value"] if row else None

    async def entry_version(self, entry_id: str, version: int) -> EntryState | None:
        await self.connection.statement("entry_version")
        row = self.connection.get("known_entries", (entry_id, version))
        return row["value"] if row else None

    async def _lock(self, table: str, key: Any) -> Any:
        await self.connection.statement(f"lock.{table}")
        row = await self.connection.lock(table, key)
        return row["value"] if row else None

    async def _insert(self, table: str, key: Any, row: Row) -> None:
        await self.connection.statement(f"insert.{table}")
        await self.connection.insert(table, key, row)

    async def _update(self, table: str, key: Any, row: Row) -> None:
        await self.connection.statement(f"update.{table}")
        if self.connection.get(table, key) is None:
            return
        await self.connection.write(table, key, row)

    async def lock_request(self, request_id: str, side: Side) -> ShareRequest | None:
        return await self._lock("requests", (request_id, side))  # type: ignore[no-any-return]

    async def insert_request(self, request: ShareRequest) -> None:
        try:
            await self._insert(
                "requests", (request.request_id, request.side), _request_row(request)
            )
        except UniqueViolationError:
            if request.submission_digest is None:
                raise
            raise DuplicateSubmission(kind="policy") from None

    async def update_request(self, request: ShareRequest) -> None:
        key = (request.request_id, request.side)
        await self._update("requests", key, _request_row(request))

    async def request_of_grant(self, grant_id: str, side: GrantSide) -> str | None:
        await self.connection.statement("request_of_grant")
        row = self.connection.get("grants", (grant_id, side))
        return row["value"].request_id if row else None

    async def active_grants(self, entry_id: str) -> Sequence[str]:
        await self.connection.statement("active_grants")
        found = [
            row["value"]
            for row in self.connection.scan("grants")
            if row["value"].side == "issued"
            and row["value"].entry_id == entry_id
            and row["value"].state is GrantState.ACTIVE
        ]
        return [grant.grant_id for grant in sorted(found, key=lambda grant: grant.request_id)]

    async def lock_grant(self, grant_id: str, side: GrantSide) -> Grant | None:
        return await self._lock("grants", (grant_id, side))  # type: ignore[no-any-return]

    async def insert_grant(self, grant: Grant) -> None:
        await self._insert("grants", (grant.grant_id, grant.side), {"value": grant})

    async def update_grant(self, grant: Grant) -> None:
        await self._update("grants", (grant.grant_id, grant.side), {"value": grant})

    async def insert_filing(self, filing: Filing) -> None:
        await self._insert("filings", filing.filing_id, {"value": filing})

    async def lock_filing(self, filing_id: str) -> Filing | None:
        return await self._lock("filings", filing_id)  # type: ignore[no-any-return]

    async def update_filing(self, filing: Filing) -> None:
        await self._update("filings", filing.filing_id, {"value": filing})

    async def filings_of(self, request_id: str) -> Sequence[Filing]:
        await self.connection.statement("filings_of")
        found = [row["value"] for row in self.connection.scan("filings")]
        mine = (filing for filing in found if filing.request_id == request_id)
        return sorted(mine, key=lambda filing: filing.rule)

    async def dataset_ready(self, entry_id: str) -> bool:
        await self.connection.statement("dataset_ready")
        return True

    async def revoked_grants(self, holder_org: str, since: datetime) -> int:
        await self.connection.statement("revoked_grants")
        issued = (row["value"] for row in self.connection.scan("grants"))
        return sum(
            1
            for grant in issued
            if grant.side == "issued"
            and grant.holder.org_id == holder_org
            and grant.end_reason == "revoked"
            and grant.ended_at is not None
            and grant.ended_at >= since
        )


def _request_row(request: ShareRequest) -> Row:
    is_open = request.side == "sent" and request.state in OPEN_STATES
    return {
        "value": request,
        "open_submission": request.submission_digest if is_open else None,
    }


async def grant_is_active(connection: Connection, grant_id: str) -> bool:
    """The relay's guard, as ``sharing.grants.repository.still_active`` asks it."""
    row = await connection.lock("grants", (grant_id, "issued"))
    return row is not None and row["value"].state is GrantState.ACTIVE
