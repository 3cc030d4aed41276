"""A ``SubmissionTx`` that collects what ``submit`` writes, for one statement at the end.

Submitting only makes a case, so nothing has to be locked: the use case runs on facts that were
read before, and ``kernel.hot`` writes request, filings, outbox, audit and idempotency at once.
"""

from dataclasses import dataclass, field

from kernel.ports import AuditEntry, OutgoingEvent
from sharing.filings.domain import Filing
from sharing.requests.domain import ShareRequest
from sharing.requests.ports import Facts


@dataclass(slots=True)
class Collected:
    """The facts and the writes of one submission."""

    known: Facts
    request: ShareRequest | None = None
    filings: list[Filing] = field(default_factory=list)
    events: list[OutgoingEvent] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)

    async def emit(self, event: OutgoingEvent) -> str:
        """Keep the event for the statement, which draws its id."""
        self.events.append(event)
        return ""

    async def record(self, entry: AuditEntry) -> None:
        """Keep the audit entry for the statement."""
        self.audit.append(entry)

    async def facts(self, entry_id: str, requester_org: str) -> Facts:  # noqa: ARG002
        """Return what was read before."""
        return self.known

    async def insert_request(self, request: ShareRequest) -> None:
        """Keep the request for the statement."""
        self.request = request

    async def insert_filing(self, filing: Filing) -> None:
        """Keep the filing for the statement."""
        self.filings.append(filing)
