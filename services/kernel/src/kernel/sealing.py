"""Sealing: pending audit rows become the next signed batch of a service's chain (protocol §7).

The steps stand here over a port; the SQL is in ``kernel.audit``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from kernel.audit_batches import RESTORED, SEALED, Head, compose
from kernel.signing import NodeKey


class SealingTransaction(Protocol):
    """One transaction of the sealer; its edge commits."""

    async def try_lock(self) -> bool:
        """Take the sealer's lock until the end of the transaction; false when another holds it."""
        ...

    async def pending_rows(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return committed audit rows that no batch holds yet, in id order."""
        ...

    async def newest_head(self) -> Head:
        """Return the head of the chain; number 0 before the first batch."""
        ...

    async def append(self, batch: Mapping[str, Any]) -> None:
        """Insert the batch and take its ids from what is pending."""
        ...


async def seal_pending(
    tx: SealingTransaction,
    key: NodeKey,
    *,
    now: datetime,
    limit: int,
    restored: Head | None = None,
) -> int:
    """Seal pending rows into one batch; return how many (0: nothing pending, or another seals).

    The lock comes first: rows and head are read when no other sealer can append any more.
    """
    if not await tx.try_lock():
        return 0
    rows = await tx.pending_rows(limit)
    last = await tx.newest_head()
    if not rows and restored is None:
        return 0
    kind, restored_from = SEALED, ""
    if restored is not None:
        if restored.number < last.number:
            raise ValueError("the chain reaches further than the head that peers returned")
        kind, last = RESTORED, restored
        restored_from = f"{restored.number}:{restored.hash.hex()}"
    batch = compose(
        rows,
        last=last,
        sealed_at=now,
        key_id=key.id,
        kind=kind,
        restored_from=restored_from,
    )
    batch["signature"] = key.sign(batch["hash"])
    await tx.append(batch)
    return len(rows)
