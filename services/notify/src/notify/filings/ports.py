"""What the desk's use cases need of a transaction: PostgreSQL offers it, and so may a world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from contracts.events.clock import ClockStarted
from contracts.events.sharing import RequestStatus
from kernel.ports import Outgoing
from notify.filings.document import FilingDocument
from notify.filings.domain import Filing
from notify.inbox.domain import Message


class DeskTx(Outgoing, Protocol):
    """One transaction of the filing desk."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        ...

    async def next_serial(self) -> int:
        """Draw the next filing serial; it may leave gaps and never comes twice."""
        ...

    async def lock_filing(self, filing_id: str) -> Filing | None:
        """Return a filing and hold its row to the end of the transaction."""
        ...

    async def insert_filing(self, filing: Filing) -> None:
        """Store a new filing."""
        ...

    async def update_filing(self, filing: Filing) -> None:
        """Store a locked filing."""
        ...

    async def add_step(
        self, filing: Filing, act: str, *, before: str | None, actor: str, reason: str, at: datetime
    ) -> None:
        """Append to the filing's history."""
        ...

    async def keep_status(self, status: RequestStatus, *, source_node: str, version: int) -> None:
        """Keep the latest copy of the subject's state."""
        ...

    async def ask_signature(self, document: FilingDocument) -> None:
        """Have a document signed with the node's key."""
        ...

    async def start_clock(self, clock: ClockStarted) -> None:
        """Let a deadline of the desk run."""
        ...

    async def end_clock(self, clock_id: str, *, end_event: str, at: datetime) -> None:
        """End a deadline of the desk; one that never ran is left alone."""
        ...

    async def post(self, messages: Sequence[Message]) -> None:
        """Put messages into inboxes."""
        ...
