"""``kernel.sealing``'s port over the world's store, and the verification of the whole chain."""

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.audit_batches import GENESIS, BrokenLink, Head, broken
from kernel.signing import Keyring
from tests.simulation.db import Connection, Database


class WorldSealing:
    """One transaction of the sealer; statement by statement what ``kernel.audit`` does."""

    def __init__(self, connection: Connection, *, node: str, service: str) -> None:
        self._connection = connection
        self._node = node
        self._service = service

    async def try_lock(self) -> bool:
        await self._connection.statement("seal.lock")
        key = ("advisory", "sealer")
        holder = self._connection.database.locks.get(key)
        if holder is not None and holder.owner is not self._connection:
            return False
        await self._connection.acquire(key)
        return True

    async def pending_rows(self, limit: int) -> Sequence[Mapping[str, Any]]:
        await self._connection.statement("seal.pending")
        ids = [row["id"] for row in self._connection.scan("audit_pending")][:limit]
        rows = (self._connection.get("audit", row_id) for row_id in ids)
        return [dict(row) for row in rows if row is not None]

    async def newest_head(self) -> Head:
        await self._connection.statement("seal.head")
        rows = list(self._connection.scan("audit_batches"))
        number, digest = (rows[-1]["number"], rows[-1]["hash"]) if rows else (0, GENESIS)
        return Head(node=self._node, service=self._service, number=number, hash=digest)

    async def append(self, batch: Mapping[str, Any]) -> None:
        await self._connection.statement("seal.append")
        await self._connection.insert("audit_batches", batch["number"], dict(batch))
        for row_id in batch["ids"]:
            await self._connection.delete("audit_pending", row_id)
        self._connection.note(
            "sealed",
            by=f"{self._node}/{self._service}",
            number=batch["number"],
            rows=len(batch["ids"]),
        )


def verify_chain(
    database: Database, keyring: Keyring, *, node: str, service: str
) -> BrokenLink | None:
    """Return the first broken link, by the kernel's own rules."""
    head = Head(node=node, service=service, number=0, hash=GENESIS)
    rows = database.tables["audit"].rows
    for batch in database.rows("audit_batches"):
        mine = [rows[row_id] for row_id in batch["ids"] if row_id in rows]
        fault = broken(batch, mine, before=head)
        if fault is not None:
            return fault
        if not keyring.verify_bytes(batch["key_id"], batch["signature"], batch["hash"]):
            return BrokenLink(number=batch["number"], reason="signature_invalid")
        head = Head(node=node, service=service, number=batch["number"], hash=batch["hash"])
    return None
