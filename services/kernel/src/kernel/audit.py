"""Sealing and verifying the audit log (protocol §7).

Writers append a row and its id in ``audit_pending`` and never wait for each other. The sealer
takes pending ids under an advisory lock and appends one signed batch; a row that commits late is
simply in a later batch.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from kernel.audit_batches import GENESIS, BrokenLink, Head, broken
from kernel.db import Database, Transaction
from kernel.edge_tables import audit, audit_batches, audit_peer_heads, audit_pending
from kernel.sealing import seal_pending
from kernel.signing import Keyring, NodeKey

SEALER_LOCK = 0x7365616C
BATCH_ROWS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a verification found; ``broken`` is the first broken link, ``None`` when all hold."""

    head: Head
    batches: int
    rows: int
    pending: int
    broken: BrokenLink | None = None


async def newest_head(tx: Transaction) -> Head:
    """Return the head of this service's chain; number 0 before the first batch."""
    columns = audit_batches.c
    query = select(columns.number, columns.hash).order_by(columns.number.desc()).limit(1)
    found = (await tx.connection.execute(query)).first()
    number, digest = (found[0], found[1]) if found else (0, GENESIS)
    return Head(node=tx.node, service=tx.service, number=number, hash=digest)


async def seal(
    database: Database, key: NodeKey, *, restored: Head | None = None, limit: int = BATCH_ROWS
) -> int:
    """Seal pending rows into one batch; return how many (0: nothing pending, or another seals).

    ``restored`` is the last own head that peers returned after a restore: the batch then says so
    and continues its numbers. Raises ``ValueError`` when the chain reaches further already.
    """
    async with database.transaction() as tx:
        return await seal_pending(
            _Sealing(tx), key, now=database.clock.now(), limit=limit, restored=restored
        )


class _Sealing:
    """``kernel.sealing.SealingTransaction`` on PostgreSQL."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def try_lock(self) -> bool:
        lock = text("SELECT pg_try_advisory_xact_lock(:key)")
        return bool((await self._tx.connection.execute(lock, {"key": SEALER_LOCK})).scalar())

    async def pending_rows(self, limit: int) -> Sequence[Mapping[str, Any]]:
        return await _pending_rows(self._tx, limit)

    async def newest_head(self) -> Head:
        return await newest_head(self._tx)

    async def append(self, batch: Mapping[str, Any]) -> None:
        await self._tx.connection.execute(audit_batches.insert().values(batch))
        await self._tx.connection.execute(
            delete(audit_pending).where(audit_pending.c.id.in_(batch["ids"]))
        )


async def seal_all(database: Database, key: NodeKey) -> int:
    """Seal until nothing is pending; return how many rows."""
    total = 0
    while sealed := await seal(database, key):
        total += sealed
    return total


async def verify(
    database: Database, keyring: Keyring, *, known: Head | None = None
) -> Verification:
    """Walk the whole chain and find the first broken link.

    ``known`` is a head of this chain that somebody else holds: a chain that does not contain it
    has been cut or written anew.
    """
    async with database.transaction(read_only=True) as tx:
        await tx.connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        walk = _Walk(head=Head(node=tx.node, service=tx.service, number=0, hash=GENESIS))
        async for batch in _batches(tx):
            fault = await _check(tx, batch, walk, keyring=keyring, known=known)
            if fault is not None:
                return await _report(tx, walk, fault)
        fault = await _check_whole(tx, walk, known)
        return await _report(tx, walk, fault)


async def note_peer_head(tx: Transaction, head: Head) -> None:
    """Keep a head that a peer told, so that it can be given back to it after its restore."""
    row = {
        "peer": head.node,
        "service": head.service,
        "number": head.number,
        "hash": head.hash,
        "received_at": tx.clock.now(),
    }
    await tx.connection.execute(insert(audit_peer_heads).values(row).on_conflict_do_nothing())


async def peer_head(tx: Transaction, peer: str, service: str) -> Head | None:
    """Return the newest head of a peer's chain that this service holds."""
    columns = audit_peer_heads.c
    query = (
        select(columns.number, columns.hash)
        .where(columns.peer == peer, columns.service == service)
        .order_by(columns.number.desc())
        .limit(1)
    )
    found = (await tx.connection.execute(query)).first()
    return Head(node=peer, service=service, number=found[0], hash=found[1]) if found else None


@dataclass(slots=True, kw_only=True)
class _Walk:
    head: Head
    batches: int = 0
    rows: int = 0
    met_known: bool = field(default=False)


async def _pending_rows(tx: Transaction, limit: int) -> list[Mapping[str, Any]]:
    ids = select(audit_pending.c.id).order_by(audit_pending.c.id).limit(limit)
    query = select(audit).where(audit.c.id.in_(ids)).order_by(audit.c.id)
    return [dict(row) for row in (await tx.connection.execute(query)).mappings()]


async def _batches(tx: Transaction) -> AsyncIterator[Mapping[str, Any]]:
    after = 0
    while True:
        query = (
            select(audit_batches)
            .where(audit_batches.c.number > after)
            .order_by(audit_batches.c.number)
            .limit(1)
        )
        found = (await tx.connection.execute(query)).mappings().first()
        if found is None:
            return
        after = found["number"]
        yield dict(found)


async def _check(
    tx: Transaction,
    batch: Mapping[str, Any],
    walk: _Walk,
    *,
    keyring: Keyring,
    known: Head | None,
) -> BrokenLink | None:
    query = select(audit).where(audit.c.id.in_(batch["ids"]))
    rows = [dict(row) for row in (await tx.connection.execute(query)).mappings()]
    fault = broken(batch, rows, before=walk.head)
    if fault is not None:
        return fault
    number = batch["number"]
    owner = keyring.registry.key(batch["key_id"])
    own = owner is not None and owner[0].node == tx.node
    if not own or not keyring.verify_bytes(batch["key_id"], batch["signature"], batch["hash"]):
        return BrokenLink(number=number, reason="signature_invalid")
    if known is not None and known.number == number:
        if known.hash != batch["hash"]:
            return BrokenLink(number=number, reason="differs_from_the_head_that_a_peer_holds")
        walk.met_known = True
    walk.head = Head(node=tx.node, service=tx.service, number=number, hash=batch["hash"])
    walk.batches += 1
    walk.rows += len(batch["ids"])
    return None


async def _check_whole(tx: Transaction, walk: _Walk, known: Head | None) -> BrokenLink | None:
    if known is not None and known.number > 0 and not walk.met_known:
        return BrokenLink(number=known.number, reason="chain_is_shorter_than_the_head_of_a_peer")
    outside = select(func.count()).select_from(audit)
    total = (await tx.connection.execute(outside)).scalar_one()
    if total != walk.rows + await _pending(tx):
        return BrokenLink(number=walk.head.number + 1, reason="rows_outside_the_chain")
    return None


async def _pending(tx: Transaction) -> int:
    counted = await tx.connection.execute(select(func.count()).select_from(audit_pending))
    return int(counted.scalar_one())


async def _report(tx: Transaction, walk: _Walk, fault: BrokenLink | None) -> Verification:
    return Verification(
        head=walk.head,
        batches=walk.batches,
        rows=walk.rows,
        pending=await _pending(tx),
        broken=fault,
    )
