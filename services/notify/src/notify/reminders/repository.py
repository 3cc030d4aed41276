"""Queries of the reminder job."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from notify.clocks.models import Clock
from notify.orm import table_of
from notify.reminders.models import Alarm, ClockMark


# unscoped: a job looks at every clock of the node
async def due(connection: AsyncConnection, today: date, *, limit: int) -> Sequence[Row[Any]]:
    """Return running clocks that have something to say and hold their rows.

    Rows that another worker holds are left to it.
    """
    statement = (
        select(*Clock.__table__.columns)
        .where(Clock.ended_at.is_(None), Clock.next_mark_on <= today)
        .order_by(Clock.next_mark_on, Clock.clock_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await connection.execute(statement)).all()


# unscoped: the ids come from the job's own query
async def marks(connection: AsyncConnection, clock_ids: Sequence[str]) -> dict[str, set[str]]:
    """Return the marks that clocks bear."""
    statement = select(ClockMark.clock_id, ClockMark.mark).where(ClockMark.clock_id.in_(clock_ids))
    found: dict[str, set[str]] = {clock_id: set() for clock_id in clock_ids}
    for clock_id, mark in await connection.execute(statement):
        found[clock_id].add(mark)
    return found


async def add_marks(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Set marks; one that is there stays."""
    if rows:
        statement = insert(table_of(ClockMark)).on_conflict_do_nothing()
        await connection.execute(statement, list(rows))


async def look_again(connection: AsyncConnection, days: Sequence[tuple[str, date | None]]) -> None:
    """Write down the next day on which clocks have something to say."""
    if days:
        clocks = table_of(Clock)
        statement = (
            update(clocks)
            .where(clocks.c.clock_id == bindparam("which"))
            .values(next_mark_on=bindparam("day"))
        )
        rows = [{"which": clock_id, "day": day} for clock_id, day in days]
        await connection.execute(statement, rows)


# unscoped: the endpoint has loaded the clock under the caller's scope
async def marks_of(connection: AsyncConnection, clock_id: str) -> Sequence[Row[Any]]:
    """Return what was said about a clock, in order."""
    statement = select(*ClockMark.__table__.columns).where(ClockMark.clock_id == clock_id)
    return (await connection.execute(statement.order_by(ClockMark.at, ClockMark.mark))).all()


async def raise_alarm(
    connection: AsyncConnection, kind: str, occasion: str, *, at: datetime
) -> bool:
    """Raise an alarm; return False when it was raised for this occasion already."""
    statement = insert(Alarm).values(kind=kind, occasion=occasion, at=at)
    found = await connection.execute(statement.on_conflict_do_nothing().returning(Alarm.kind))
    return found.first() is not None
