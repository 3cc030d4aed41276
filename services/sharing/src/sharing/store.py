"""``SharingTx`` on PostgreSQL: the ports of the use cases over one kernel transaction."""

from collections.abc import Sequence
from datetime import datetime

from contracts.events.catalog import EntryState
from kernel.db import Transaction
from kernel.ports import AuditEntry, OutgoingEvent
from sharing.datasets import repository as datasets
from sharing.filings import repository as filings
from sharing.filings.domain import Filing
from sharing.grants import repository as grants
from sharing.grants.domain import Grant, GrantSide
from sharing.known import repository as known
from sharing.requests import repository as requests
from sharing.requests.domain import ShareRequest, Side
from sharing.requests.ports import Facts


class PostgresSharingTx:
    """The transaction of an HTTP request, a batch or a job, as the use cases see it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    async def emit(self, event: OutgoingEvent) -> str:
        """See ``kernel.ports.Outgoing``."""
        return await self._tx.emit(event)

    async def record(self, entry: AuditEntry) -> None:
        """See ``kernel.ports.Outgoing``."""
        await self._tx.record(entry)

    async def facts(self, entry_id: str, requester_org: str) -> Facts:
        """See ``SharingTx``."""
        return await known.facts(self._connection, entry_id, requester_org)

    async def entry_version(self, entry_id: str, version: int) -> EntryState | None:
        """See ``SharingTx``."""
        return await known.entry_version(self._connection, entry_id, version)

    async def lock_request(self, request_id: str, side: Side) -> ShareRequest | None:
        """See ``SharingTx``."""
        return await requests.lock(self._connection, request_id, side)

    async def insert_request(self, request: ShareRequest) -> None:
        """See ``SharingTx``."""
        await requests.add(self._connection, request)

    async def update_request(self, request: ShareRequest) -> None:
        """See ``SharingTx``."""
        await requests.save(self._connection, request)

    async def request_of_grant(self, grant_id: str, side: GrantSide) -> str | None:
        """See ``SharingTx``."""
        return await grants.request_of(self._connection, grant_id, side)

    async def active_grants(self, entry_id: str) -> Sequence[str]:
        """See ``SharingTx``."""
        return await grants.active_of_entry(self._connection, entry_id)

    async def lock_grant(self, grant_id: str, side: GrantSide) -> Grant | None:
        """See ``SharingTx``."""
        return await grants.lock(self._connection, grant_id, side)

    async def insert_grant(self, grant: Grant) -> None:
        """See ``SharingTx``."""
        await grants.add(self._connection, grant)

    async def update_grant(self, grant: Grant) -> None:
        """See ``SharingTx``."""
        await grants.save(self._connection, grant)

    async def insert_filing(self, filing: Filing) -> None:
        """See ``SharingTx``."""
        await filings.add(self._connection, filing)

    async def lock_filing(self, filing_id: str) -> Filing | None:
        """See ``SharingTx``."""
        return await filings.lock(self._connection, filing_id)

    async def update_filing(self, filing: Filing) -> None:
        """See ``SharingTx``."""
        await filings.save(self._connection, filing)

    async def filings_of(self, request_id: str) -> Sequence[Filing]:
        """See ``SharingTx``."""
        return await filings.of_request(self._connection, request_id)

    async def dataset_ready(self, entry_id: str) -> bool:
        """See ``SharingTx``."""
        return await datasets.current(self._connection, entry_id) is not None

    async def revoked_grants(self, holder_org: str, since: datetime) -> int:
        """See ``SharingTx``."""
        return await grants.revoked_since(self._connection, holder_org, since)
