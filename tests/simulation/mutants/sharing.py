"""Bugs of grants and of the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

import tests.simulation.worker
from kernel.audit_batches import GENESIS, Head
from sharing.grants.domain import Grant
from tests.simulation.db import Connection
from tests.simulation.sealer import WorldSealing


@contextmanager
def revocation_ignored() -> Iterator[None]:
    """Neither a delivery call nor the relay asks whether the grant has ended."""

    def usable_at(self: Grant, instant: datetime) -> bool:
        return self.valid_from <= instant < self.valid_until

    async def always(connection: Connection, grant_id: str) -> bool:
        return True

    with (
        patch.object(Grant, "usable_at", usable_at),
        patch.object(tests.simulation.worker, "grant_is_active", always),
    ):
        yield


@contextmanager
def audit_sealed_out_of_order() -> Iterator[None]:
    """Sealers do not wait for each other: numbers come from a sequence, the head as it looks."""

    async def try_lock(self: WorldSealing) -> bool:
        connection = self._connection
        await connection.statement("seal.number")
        self.number = connection.database.next_number("batches")  # type: ignore[attr-defined]
        return True

    async def newest_head(self: WorldSealing) -> Head:
        await self._connection.statement("seal.head")
        rows = list(self._connection.scan("audit_batches"))
        return Head(
            node=self._node,
            service=self._service,
            number=self.number - 1,  # type: ignore[attr-defined]
            hash=rows[-1]["hash"] if rows else GENESIS,
        )

    with (
        patch.object(WorldSealing, "try_lock", try_lock),
        patch.object(WorldSealing, "newest_head", newest_head),
    ):
        yield
