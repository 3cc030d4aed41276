"""Queries of the clock table. States are conditions over dates; no column holds one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from notify.clocks.domain import OPEN_STATES, State
from notify.clocks.models import Clock, ClockRedating
from notify.reminders.models import ClockMark

ClockRow = Row[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The civil date, and the last date that is still ``due_soon``."""

    day: date
    soon_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFilter:
    """Which clocks to list; None or empty leaves a criterion out.

    ``own_org`` is the caller's scope, ``bound_org`` what it asks for: both must hold.
    """

    states: tuple[State, ...] = ()
    rule: str | None = None
    bound_org: str | None = None
    own_org: str | None = None
    case_id: str | None = None
    provisional: bool | None = None


def _escalated() -> ColumnElement[bool]:
    return exists().where(
        ClockMark.clock_id == Clock.clock_id,
        ClockMark.counts_on == Clock.counts_on,
        ClockMark.kind == "escalation",
    )


def _state_condition(state: State, today: Today) -> ColumnElement[bool]:
    """The SQL twin of ``domain.derive_state``; a test holds the two together."""
    running = Clock.ended_at.is_(None)
    late = and_(Clock.counts_on < today.day, ~Clock.provisional)
    soon = Clock.warn_on <= today.soon_until
    conditions: dict[State, ColumnElement[bool]] = {
        "on_track": and_(running, ~late, ~soon),
        "due_soon": and_(running, ~late, soon),
        "overdue": and_(running, late, ~_escalated()),
        "escalated": and_(running, late, _escalated()),
        "ended_on_time": and_(~running, Clock.on_time.is_(True)),
        "ended_late": and_(~running, Clock.on_time.is_(False)),
    }
    return conditions[state]


def _conditions(wanted: ClockFilter, today: Today) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(or_(false(), *(_state_condition(state, today) for state in wanted.states)))
    if wanted.states and set(wanted.states) <= set(OPEN_STATES):
        found.append(Clock.ended_at.is_(None))
    for column, value in (
        (Clock.rule, wanted.rule),
        (Clock.bound_org, wanted.bound_org),
        (Clock.bound_org, wanted.own_org),
        (Clock.case_id, wanted.case_id),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.provisional is not None:
        found.append(Clock.provisional.is_(wanted.provisional))
    return found or [true()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A clock and whether it was escalated for the date that counts now."""

    row: ClockRow
    escalated: bool


async def _with_escalations(connection: AsyncConnection, rows: Sequence[ClockRow]) -> list[Listed]:
    """Look the escalations of these few clocks up; as a column it would read all marks."""
    statement = select(ClockMark.clock_id, ClockMark.counts_on).where(
        ClockMark.clock_id.in_([row.clock_id for row in rows]), ClockMark.kind == "escalation"
    )
    found = {(clock_id, counts_on) for clock_id, counts_on in await connection.execute(statement)}
    return [Listed(row=row, escalated=(row.clock_id, row.counts_on) in found) for row in rows]


async def page(
    connection: AsyncConnection,
    wanted: ClockFilter,
    today: Today,
    *,
    after: tuple[date, str] | None,
    limit: int,
) -> Sequence[Listed]:
    """Return clocks, the most urgent first, ``after`` the given (counts_on, clock_id)."""
    statement = select(*Clock.__table__.columns).where(*_conditions(wanted, today))
    if after is not None:
        statement = statement.where(tuple_(Clock.counts_on, Clock.clock_id) > after)
    ordered = statement.order_by(Clock.counts_on, Clock.clock_id).limit(limit)
    return await _with_escalations(connection, (await connection.execute(ordered)).all())


async def count(connection: AsyncConnection, wanted: ClockFilter, today: Today) -> int:
    """Count what ``page`` would list over all pages."""
    statement = select(func.count()).select_from(Clock).where(*_conditions(wanted, today))
    return await connection.scalar(statement) or 0


async def find(connection: AsyncConnection, clock_id: str) -> Listed | None:
    """Return one clock."""
    statement = select(*Clock.__table__.columns).where(Clock.clock_id == clock_id)
    found = await _with_escalations(connection, (await connection.execute(statement)).all())
    return found[0] if found else None


async def lock(connection: AsyncConnection, clock_id: str) -> ClockRow | None:
    """Return one clock and hold its row."""
    statement = select(*Clock.__table__.columns).where(Clock.clock_id == clock_id)
    return (await connection.execute(statement.with_for_update())).one_or_none()


async def add(connection: AsyncConnection, values: dict[str, Any]) -> bool:
    """Insert a clock; return False when its id is known."""
    statement = upsert(Clock).values(values).on_conflict_do_nothing().returning(Clock.clock_id)
    return (await connection.execute(statement)).first() is not None


async def change(connection: AsyncConnection, clock_id: str, values: dict[str, Any]) -> None:
    """Change a locked clock."""
    await connection.execute(update(Clock).where(Clock.clock_id == clock_id).values(values))


# unscoped: a job recomputes every clock of the node
async def running(
    connection: AsyncConnection, *, after: str, limit: int, lock_rows: bool
) -> Sequence[ClockRow]:
    """Return running clocks by id, for a recomputation in portions."""
    statement = (
        select(*Clock.__table__.columns)
        .where(Clock.ended_at.is_(None), Clock.clock_id > after)
        .order_by(Clock.clock_id)
        .limit(limit)
    )
    if lock_rows:
        statement = statement.with_for_update()
    return (await connection.execute(statement)).all()


async def add_redatings(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Append to the history of recomputations."""
    if rows:
        await connection.execute(insert(ClockRedating), list(rows))


# unscoped: the endpoint has loaded the clock under the caller's scope
async def redatings(connection: AsyncConnection, clock_id: str) -> Sequence[ClockRow]:
    """Return a clock's recomputations in order."""
    statement = (
        select(*ClockRedating.__table__.columns)
        .where(ClockRedating.clock_id == clock_id)
        .order_by(ClockRedating.redating_id)
    )
    return (await connection.execute(statement)).all()
