"""The consumer: one transaction a batch, watermarks read under their locks, nothing lost or doubled.

The rules are those of protocol §3; the SQL is in ``kernel.consumer_store``.
"""

from collections.abc import Sequence

from kernel.clock import Clock
from kernel.consuming import (
    BatchResult,
    CaseKey,
    ConsumerStore,
    ConsumerTransaction,
    Record,
    UnavailableError,
)
from kernel.handlers import Handlers, NotYet, Poison
from kernel.signing import Keyring

__all__ = [
    "BatchResult",
    "CaseKey",
    "Consumer",
    "ConsumerStore",
    "ConsumerTransaction",
    "Handlers",
    "NotYet",
    "Poison",
    "Record",
    "UnavailableError",
]


class Consumer:
    """The consumer of one service."""

    def __init__(
        self,
        *,
        store: ConsumerStore,
        keyring: Keyring,
        handlers: Handlers,
        node: str,
        service: str,
        clock: Clock,
    ) -> None:
        self.store = store
        self.keyring = keyring
        self.handlers = handlers
        self.node = node
        self.service = service
        self.clock = clock

    async def process(self, records: Sequence[Record], received_at: str = "") -> BatchResult:
        """Process a batch in one transaction; raises ``UnavailableError`` when nothing was done."""
        raise NotImplementedError

    async def retry_due(self, limit: int = 50) -> int:
        """Try held keys again whose time has come; return how many events were applied."""
        raise NotImplementedError

    async def replay(self, case: CaseKey) -> int:
        """Run the events behind a key in order; return how many were applied."""
        raise NotImplementedError
