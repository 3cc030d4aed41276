"""Every query of the filings that this node's agencies made about entries."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.filings.models import entry_filings

Row = RowMapping


async def add(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert filings."""
    if rows:
        await connection.execute(entry_filings.insert(), list(rows))


async def lock(connection: AsyncConnection, filing_id: str) -> Row | None:
    """Return a filing and hold its row. # unscoped: handlers and acts check."""
    query = select(entry_filings).where(entry_filings.c.filing_id == filing_id)
    return (await connection.execute(query.with_for_update())).mappings().one_or_none()


async def change(connection: AsyncConnection, filing_id: str, values: dict[str, Any]) -> None:
    """Change a locked filing."""
    await connection.execute(
        update(entry_filings).where(entry_filings.c.filing_id == filing_id).values(values)
    )


async def page(
    connection: AsyncConnection,
    *,
    own_org: str | None,
    entry_id: str | None,
    state: str | None,
    before: str | None,
    limit: int,
) -> Sequence[Row]:
    """Return filings that the caller may see, newest first."""
    query = select(entry_filings)
    if own_org is not None:
        query = query.where(entry_filings.c.providing_org == own_org)
    if entry_id is not None:
        query = query.where(entry_filings.c.entry_id == entry_id)
    if state is not None:
        query = query.where(entry_filings.c.state == state)
    if before is not None:
        query = query.where(entry_filings.c.filing_id < before)
    found = await connection.execute(query.order_by(entry_filings.c.filing_id.desc()).limit(limit))
    return found.mappings().all()


async def find(connection: AsyncConnection, filing_id: str, *, own_org: str | None) -> Row | None:
    """Return one filing that the caller may see."""
    query = select(entry_filings).where(entry_filings.c.filing_id == filing_id)
    if own_org is not None:
        query = query.where(entry_filings.c.providing_org == own_org)
    return (await connection.execute(query)).mappings().one_or_none()
