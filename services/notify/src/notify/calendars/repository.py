"""Queries of calendar proposals."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.bus_tables import to_sign
from notify.calendars.models import CalendarProposal

ProposalRow = Row[Any]
_COLUMNS = CalendarProposal.__table__.columns
OPEN = ("proposed", "confirmed")


# unscoped: the calendar is everybody's
async def listing(connection: AsyncConnection, *, limit: int) -> Sequence[ProposalRow]:
    """Return proposals, the latest first."""
    statement = select(*_COLUMNS).order_by(
        CalendarProposal.proposed_at.desc(), CalendarProposal.version.desc()
    )
    found: Sequence[ProposalRow] = (await connection.execute(statement.limit(limit))).all()
    return found


async def find(
    connection: AsyncConnection, version: str, *, hold: bool = False
) -> ProposalRow | None:
    """Return a proposal, and hold its row when it shall change."""
    statement = select(*_COLUMNS).where(CalendarProposal.version == version)
    if hold:
        statement = statement.with_for_update()
    found: ProposalRow | None = (await connection.execute(statement)).one_or_none()
    return found


# unscoped: the calendar is everybody's
async def versions(connection: AsyncConnection) -> Sequence[str]:
    """Return every version that was ever proposed."""
    return (await connection.execute(select(CalendarProposal.version))).scalars().all()


async def open_version(connection: AsyncConnection) -> str | None:
    """Return the proposal that is not decided yet."""
    statement = select(CalendarProposal.version).where(CalendarProposal.state.in_(OPEN))
    found: str | None = await connection.scalar(statement)
    return found


async def add(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a proposal."""
    await connection.execute(insert(CalendarProposal).values(values))


async def put(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert or replace a proposal as the city announced it."""
    statement = upsert(CalendarProposal).values(values)
    names = [name for name in values if name != "version"]
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[CalendarProposal.version],
            set_={name: statement.excluded[name] for name in names},
        )
    )


async def change(connection: AsyncConnection, version: str, values: dict[str, Any]) -> None:
    """Change a held proposal."""
    statement = update(CalendarProposal).where(CalendarProposal.version == version)
    await connection.execute(statement.values(values))


async def close_others(connection: AsyncConnection, version: str, values: dict[str, Any]) -> None:
    """Decide whatever else is open."""
    statement = update(CalendarProposal).where(
        CalendarProposal.state.in_(OPEN), CalendarProposal.version != version
    )
    await connection.execute(statement.values(values))


async def ask_signature(
    connection: AsyncConnection, signing: UUID, document: bytes, **values: Any
) -> None:
    """Ask the worker, which alone reads the node's key, to sign a document."""
    row = {"id": signing, "purpose": "calendar", "document": document, **values}
    await connection.execute(insert(to_sign).values(row))


async def signed(connection: AsyncConnection) -> Any:
    """Return the confirmed proposal whose document has been signed, and hold its row."""
    statement = (
        select(*_COLUMNS, to_sign.c.key_id, to_sign.c.signature)
        .join(to_sign, to_sign.c.id == CalendarProposal.signing)
        .where(CalendarProposal.state == "confirmed", to_sign.c.signature.is_not(None))
        .with_for_update(of=CalendarProposal.__table__, skip_locked=True)
    )
    return (await connection.execute(statement)).first()
