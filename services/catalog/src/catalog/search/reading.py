"""Reads of the replica besides the search itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.search.models import published


async def published_ids(connection: AsyncConnection, entry_ids: Sequence[str]) -> frozenset[str]:
    """Return which of these entries are published anywhere. # unscoped: the catalogue is public."""
    if not entry_ids:
        return frozenset()
    query = select(published.c.entry_id).where(
        published.c.entry_id.in_(list(entry_ids)), published.c.state == "published"
    )
    return frozenset((await connection.execute(query)).scalars())


async def document(connection: AsyncConnection, entry_id: str) -> Mapping[str, Any] | None:
    """Return the newest state of an entry of any node. # unscoped: the catalogue is public."""
    query = select(published.c.document).where(published.c.entry_id == entry_id)
    found: Mapping[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
    return found
