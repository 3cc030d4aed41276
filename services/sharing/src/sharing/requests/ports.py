"""What the use cases of requests, grants and filings need of a transaction.

PostgreSQL implements it in ``sharing.store``; the simulation with its own store. A use case locks
the request's row before it emits, so that the events of a case leave in the order of its commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.events.catalog import AgencyState, EntryState
from kernel.ports import Outgoing
from sharing.filings.domain import Filing
from sharing.grants.domain import Grant, GrantSide
from sharing.requests.domain import ShareRequest, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a submission is judged by: the entry in force and both organisations, as known here."""

    entry: EntryState | None
    requester: AgencyState | None
    source: AgencyState | None


class SubmissionTx(Outgoing, Protocol):
    """What submitting a request needs: it only makes rows, so a collecting stand-in will do."""

    async def facts(self, entry_id: str, requester_org: str) -> Facts:
        """Return the entry in force, the requester and the entry's providing organisation."""
        ...

    async def insert_request(self, request: ShareRequest) -> None:
        """Store a new side; ``DuplicateSubmission`` when an equal one is still open."""
        ...

    async def insert_filing(self, filing: Filing) -> None:
        """Store a new filing."""
        ...


class SharingTx(SubmissionTx, Protocol):
    """One transaction over requests, grants, filings and what is known of the federation."""

    async def entry_version(self, entry_id: str, version: int) -> EntryState | None:
        """Return an entry as that version of it was published."""
        ...

    async def lock_request(self, request_id: str, side: Side) -> ShareRequest | None:
        """Return one side of a request and hold its row until the end of the transaction."""
        ...

    async def update_request(self, request: ShareRequest) -> None:
        """Store a locked side."""
        ...

    async def request_of_grant(self, grant_id: str, side: GrantSide) -> str | None:
        """Return the id of the request that a grant follows from; locks nothing.

        The request's row is always locked before the grant's.
        """
        ...

    async def active_grants(self, entry_id: str) -> Sequence[str]:
        """Return the ids of issued grants of an entry that are active."""
        ...

    async def lock_grant(self, grant_id: str, side: GrantSide) -> Grant | None:
        """Return one side of a grant and hold its row."""
        ...

    async def insert_grant(self, grant: Grant) -> None:
        """Store a new side."""
        ...

    async def update_grant(self, grant: Grant) -> None:
        """Store a locked side."""
        ...

    async def lock_filing(self, filing_id: str) -> Filing | None:
        """Return a filing and hold its row."""
        ...

    async def update_filing(self, filing: Filing) -> None:
        """Store a locked filing."""
        ...

    async def filings_of(self, request_id: str) -> Sequence[Filing]:
        """Return the filings of a request, by rule."""
        ...

    async def dataset_ready(self, entry_id: str) -> bool:
        """Tell whether there is something to deliver for the entry."""
        ...

    async def revoked_grants(self, holder_org: str, since: datetime) -> int:
        """Count the grants of an organisation that this node's sources revoked since then."""
        ...
