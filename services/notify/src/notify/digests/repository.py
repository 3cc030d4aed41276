"""Queries of digests."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.clock import ClockDigest, DigestLine
from notify.clocks.models import Clock
from notify.clocks.repository import Today
from notify.digests.domain import LastSent
from notify.digests.models import DigestHeld, DigestSent

# how many case numbers travel in a digest; the figures count all of them
CASES = 200


# unscoped: figures of the whole node, for the authority
async def lines(connection: AsyncConnection, today: Today) -> tuple[DigestLine, ...]:
    """Return one line a rule: what runs now, and what ended in this civil year."""
    late = and_(Clock.counts_on < today.day, ~Clock.provisional)
    soon = and_(~late, Clock.warn_on <= today.soon_until)
    running = (
        select(
            Clock.rule,
            func.count(),
            func.count(case((soon, 1))),
            func.count(case((late, 1))),
        )
        .where(Clock.ended_at.is_(None))
        .group_by(Clock.rule)
    )
    ended = (
        select(
            Clock.rule,
            func.count(case((Clock.on_time.is_(True), 1))),
            func.count(case((Clock.on_time.is_(False), 1))),
        )
        .where(Clock.ended_on >= date(today.day.year, 1, 1))
        .group_by(Clock.rule)
    )
    now = {rule: counts for rule, *counts in await connection.execute(running)}
    past = {rule: counts for rule, *counts in await connection.execute(ended)}
    return tuple(_line(rule, now, past) for rule in sorted(now.keys() | past.keys()))


def _line(
    rule: str, now: Mapping[str, Sequence[int]], past: Mapping[str, Sequence[int]]
) -> DigestLine:
    running, soon, late = now.get(rule, (0, 0, 0))
    on_time, too_late = past.get(rule, (0, 0))
    return DigestLine(
        rule=rule,
        open=running,
        due_soon=soon,
        overdue=late,
        ended_on_time=on_time,
        ended_late=too_late,
    )


# unscoped: figures of the whole node, for the authority
async def overdue_cases(connection: AsyncConnection, today: Today) -> tuple[str, ...]:
    """Return the numbers of the longest overdue cases."""
    statement = (
        select(Clock.case_no)
        .where(Clock.ended_at.is_(None), Clock.counts_on < today.day, ~Clock.provisional)
        .order_by(Clock.counts_on, Clock.clock_id)
        .limit(CASES)
    )
    return tuple(dict.fromkeys((await connection.execute(statement)).scalars()))


async def last_sent(connection: AsyncConnection, receiver: str) -> LastSent | None:
    """Return the digest sent last and hold its row."""
    statement = select(*DigestSent.__table__.columns).where(DigestSent.receiver == receiver)
    row = (await connection.execute(statement.with_for_update())).one_or_none()
    if row is None:
        return None
    return LastSent(number=row.number, content=row.content, as_of=row.as_of, day=row.civil_date)


async def note_sent(connection: AsyncConnection, receiver: str, sent: LastSent) -> None:
    """Write down what was sent."""
    row = insert(DigestSent).values(
        receiver=receiver,
        number=sent.number,
        content=sent.content,
        as_of=sent.as_of,
        civil_date=sent.day,
    )
    names = ("number", "content", "as_of", "civil_date")
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=[DigestSent.receiver], set_={name: row.excluded[name] for name in names}
        )
    )


async def last_change(connection: AsyncConnection) -> datetime | None:
    """Return when a clock changed last."""
    return await connection.scalar(select(func.max(Clock.changed_at)))


async def hold(
    connection: AsyncConnection, digest: ClockDigest, *, number: int, received_at: datetime
) -> None:
    """Keep a lower node's digest unless a newer one is held."""
    row = insert(DigestHeld).values(
        node=digest.node,
        number=number,
        as_of=datetime.fromisoformat(digest.as_of),
        received_at=received_at,
        lines=[line.model_dump(mode="json") for line in digest.lines],
        overdue_cases=list(digest.overdue_cases),
    )
    names = ("number", "as_of", "received_at", "lines", "overdue_cases")
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=[DigestHeld.node],
            set_={name: row.excluded[name] for name in names},
            where=DigestHeld.as_of < row.excluded.as_of,
        )
    )


# unscoped: digests of lower nodes, for the authority
async def held(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """Return the digests of lower nodes."""
    statement = select(*DigestHeld.__table__.columns).order_by(DigestHeld.node)
    return (await connection.execute(statement)).all()
