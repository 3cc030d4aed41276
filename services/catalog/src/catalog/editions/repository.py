"""Every query of editions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.editions.models import editions

Row = RowMapping
_SHOWN = tuple(
    column for column in editions.columns if column.name not in ("added", "changed", "removed")
)


async def lock_last(connection: AsyncConnection, node: str) -> Row | None:
    """Return a node's last edition; its next one is this transaction's to make.

    Publications of one node follow each other: an edition's number and digest build on the one
    before. Publishing is an authority's act, a few hundred a day or one batch at a time.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"editions:{node}"))))
    query = select(editions).where(editions.c.node == node)
    found = await connection.execute(query.order_by(editions.c.edition.desc()).limit(1))
    return found.mappings().one_or_none()


async def add(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert an edition; one that is held already stays."""
    await connection.execute(insert(editions).values(values).on_conflict_do_nothing())


async def latest(connection: AsyncConnection) -> Sequence[Row]:
    """Return the last edition of every node. # unscoped: editions are public in the federation."""
    query = select(*_SHOWN).ext(distinct_on(editions.c.node))
    found = await connection.execute(query.order_by(editions.c.node, editions.c.edition.desc()))
    return found.mappings().all()


async def page(
    connection: AsyncConnection, node: str, *, before: int | None, limit: int
) -> Sequence[Row]:
    """Return a node's editions, newest first. # unscoped: editions are public."""
    query = select(*_SHOWN).where(editions.c.node == node)
    if before is not None:
        query = query.where(editions.c.edition < before)
    found = await connection.execute(query.order_by(editions.c.edition.desc()).limit(limit))
    return found.mappings().all()


async def one(connection: AsyncConnection, node: str, edition: int) -> Row | None:
    """Return one edition with what it lists anew. # unscoped: editions are public."""
    query = select(editions).where(editions.c.node == node, editions.c.edition == edition)
    return (await connection.execute(query)).mappings().one_or_none()
