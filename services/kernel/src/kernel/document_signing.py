"""Documents that leave the node are signed from ``to_sign``: only the worker reads the node's key.

A slice inserts the exact bytes with a purpose; the worker fills in key id and signature.
"""

from sqlalchemy import select, update

from kernel.bus_tables import to_sign
from kernel.db import Database
from kernel.signing import NodeKey

PORTION = 100


async def sign_waiting(database: Database, key: NodeKey) -> int:
    """Sign the documents that wait, oldest first, a portion at a time; return how many."""
    signed = 0
    while True:
        async with database.transaction() as tx:
            waiting = await tx.connection.execute(
                select(to_sign.c.id, to_sign.c.document)
                .where(to_sign.c.signature.is_(None))
                .order_by(to_sign.c.created_at)
                .limit(PORTION)
                .with_for_update(skip_locked=True)
            )
            rows = waiting.all()
            for row in rows:
                values = {
                    "key_id": key.id,
                    "signature": key.sign(row.document),
                    "signed_at": tx.clock.now(),
                }
                await tx.connection.execute(
                    update(to_sign).where(to_sign.c.id == row.id).values(values)
                )
        signed += len(rows)
        if len(rows) < PORTION:
            return signed
