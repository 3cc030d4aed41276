"""Every query of imports and profiles; lists are scoped to the caller's organisation."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.imports.models import import_refusals, imports, profiles

Row = RowMapping


async def add(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert an import."""
    await connection.execute(imports.insert().values(values))


async def refuse(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Note rows that became no draft."""
    if rows:
        await connection.execute(import_refusals.insert(), list(rows))


async def of_file(connection: AsyncConnection, digest: str, organisation: str) -> str | None:
    """Return the newest import of the same file by the same organisation."""
    query = (
        select(imports.c.import_id)
        .where(imports.c.file_digest == digest, imports.c.organisation == organisation)
        .order_by(imports.c.import_id.desc())
        .limit(1)
    )
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def find(connection: AsyncConnection, import_id: str, *, own_org: str | None) -> Row | None:
    """Return an import that the caller may see."""
    query = select(imports).where(imports.c.import_id == import_id)
    if own_org is not None:
        query = query.where(imports.c.organisation == own_org)
    return (await connection.execute(query)).mappings().one_or_none()


async def page(
    connection: AsyncConnection, *, own_org: str | None, before: str | None, limit: int
) -> Sequence[Row]:
    """Return imports that the caller may see, newest first."""
    query = select(imports)
    if own_org is not None:
        query = query.where(imports.c.organisation == own_org)
    if before is not None:
        query = query.where(imports.c.import_id < before)
    found = await connection.execute(query.order_by(imports.c.import_id.desc()).limit(limit))
    return found.mappings().all()


async def finish(
    connection: AsyncConnection, import_id: str, *, rows: int, drafts: int, report: dict[str, Any]
) -> None:
    """Write what became of an import's rows."""
    await connection.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(rows=rows, drafts=drafts, report=report)
    )


async def keep_report(connection: AsyncConnection, import_id: str, report: dict[str, Any]) -> None:
    """Write an import's report anew."""
    await connection.execute(
        update(imports).where(imports.c.import_id == import_id).values(report=report)
    )


# unscoped: the endpoint has loaded the import under the caller's scope
async def refusals_of(connection: AsyncConnection, import_id: str, *, limit: int) -> Sequence[Row]:
    """Return rows that became no draft; the caller may see the import."""
    query = select(import_refusals).where(import_refusals.c.import_id == import_id)
    found = await connection.execute(query.order_by(import_refusals.c.row).limit(limit))
    return found.mappings().all()


async def add_profile(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a profile."""
    await connection.execute(profiles.insert().values(values))


async def profile(
    connection: AsyncConnection, profile_id: str, *, own_org: str | None, lock: bool = False
) -> Row | None:
    """Return a profile that the caller may see."""
    query = select(profiles).where(profiles.c.profile_id == profile_id)
    if own_org is not None:
        query = query.where(profiles.c.organisation == own_org)
    if lock:
        query = query.with_for_update()
    return (await connection.execute(query)).mappings().one_or_none()


async def profile_page(
    connection: AsyncConnection, *, own_org: str | None, before: str | None, limit: int
) -> Sequence[Row]:
    """Return profiles that the caller may see, newest first."""
    query = select(profiles)
    if own_org is not None:
        query = query.where(profiles.c.organisation == own_org)
    if before is not None:
        query = query.where(profiles.c.profile_id < before)
    found = await connection.execute(query.order_by(profiles.c.profile_id.desc()).limit(limit))
    return found.mappings().all()


async def confirm_profile(
    connection: AsyncConnection, profile_id: str, values: dict[str, Any]
) -> None:
    """Write a locked profile's confirmation."""
    await connection.execute(
        update(profiles).where(profiles.c.profile_id == profile_id).values(values)
    )
