"""Use cases of the clock table: start, end, and recompute under another calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.calendar import Calendar, civil_date
from contracts.events.clock import ClockStarted
from notify.clocks import repository
from notify.clocks.domain import Dates, Redated, ended_in_time, redate
from notify.clocks.repository import ClockRow, Today

PORTION = 500


def today_of(calendar: Calendar, now: datetime, *, soon_days: int) -> Today:
    """Return the civil date and the last date that counts as due soon."""
    day = civil_date(now)
    return Today(day=day, soon_until=workday_after(calendar, day, soon_days))


def workday_after(calendar: Calendar, day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``; ``day`` itself for zero."""
    return calendar.due(day, count).due_on if count > 0 else day


def dates_of(row: ClockRow) -> Dates:
    """Return the dates of a row."""
    return Dates(
        due_on=row.due_on,
        counts_on=row.counts_on,
        warn_on=row.warn_on,
        provisional=row.provisional,
    )


async def start(connection: AsyncConnection, started: ClockStarted, *, now: datetime) -> None:
    """Let a deadline run.

    A clock that is running already stays as it is. One that has ended runs on from its old start
    (a returned submission, ``reopened_by`` of the rule) and keeps the date that the party was told.
    """
    values = _values_of(started, now=now)
    if await repository.add(connection, values):
        return
    row = await repository.lock(connection, started.clock_id)
    if row is None or row.ended_at is None:
        return
    await repository.change(
        connection,
        started.clock_id,
        {
            "ended_at": None,
            "ended_on": None,
            "end_event": None,
            "on_time": None,
            "counts_on": max(row.counts_on, values["counts_on"]),
            "next_mark_on": row.starts_on,
            "changed_at": now,
        },
    )


def _values_of(started: ClockStarted, *, now: datetime) -> dict[str, Any]:
    due = started.due
    starts_on, due_on = date.fromisoformat(due.starts_on), date.fromisoformat(due.due_on)
    return {
        "clock_id": started.clock_id,
        "case_kind": started.case_kind,
        "case_id": started.case_id,
        "case_no": started.case_no,
        "title": started.title,
        "rule": due.rule,
        "rule_version": due.rule_version,
        "kind": due.kind,
        "article": due.article,
        "start_event": due.start_event,
        "start_basis": due.start_basis,
        "starts_on": starts_on,
        "length": due.length,
        "unit": due.unit,
        "due_on": due_on,
        "counts_on": due_on,
        "warn_on": min(due_on, date.fromisoformat(due.remind_on)),
        "provisional": due.provisional,
        "calendar_version": due.calendar_version,
        "bound_org": started.bound.org_id,
        "bound_name": started.bound.name,
        "bound_node": started.bound.node,
        "escalate_to": started.escalate_to,
        "started_at": datetime.fromisoformat(started.started_at),
        # looked at on the next turn of the reminders, which then writes the next day that matters
        "next_mark_on": starts_on,
        "changed_at": now,
    }


async def end(
    connection: AsyncConnection,
    clock_id: str,
    *,
    end_event: str,
    ended_at: datetime,
    now: datetime,
) -> bool:
    """End a deadline; return False when no such clock is known. The first end stays."""
    row = await repository.lock(connection, clock_id)
    if row is None:
        return False
    if row.ended_at is None:
        ended_on = civil_date(ended_at)
        values = {
            "ended_at": ended_at,
            "ended_on": ended_on,
            "end_event": end_event,
            "on_time": ended_in_time(ended_on, dates_of(row)),
            "next_mark_on": None,
            "changed_at": now,
        }
        await repository.change(connection, clock_id, values)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A running clock whose dates another calendar changes."""

    row: ClockRow
    redated: Redated


def change_under(calendar: Calendar, row: ClockRow) -> Change | None:
    """Return what ``calendar`` changes of a running clock, or None."""
    told = dates_of(row)
    redated = redate(told, row.starts_on, length=row.length, calendar=calendar)
    return Change(row=row, redated=redated) if redated.dates != told else None


async def preview(
    connection: AsyncConnection, calendar: Calendar, *, after: str, limit: int
) -> tuple[Sequence[Change], str | None]:
    """Return a portion of the changes and where to go on, None at the end."""
    rows = await repository.running(connection, after=after, limit=limit, lock_rows=False)
    changes = [change for row in rows if (change := change_under(calendar, row)) is not None]
    return changes, rows[-1].clock_id if len(rows) == limit else None


async def recompute(
    connection: AsyncConnection, calendar: Calendar, *, actor: str, now: datetime
) -> Sequence[Change]:
    """Put every running clock on ``calendar`` and write down what changed and who caused it."""
    changes: list[Change] = []
    after = ""
    while rows := await repository.running(connection, after=after, limit=PORTION, lock_rows=True):
        after = rows[-1].clock_id
        fresh = [change for row in rows if (change := change_under(calendar, row)) is not None]
        for change in fresh:
            await _apply(connection, change, calendar.version, now=now)
        history = [_history(change, calendar.version, actor=actor, now=now) for change in fresh]
        await repository.add_redatings(connection, history)
        changes += fresh
    return changes


async def _apply(
    connection: AsyncConnection, change: Change, version: str, *, now: datetime
) -> None:
    dates = change.redated.dates
    await repository.change(
        connection,
        change.row.clock_id,
        {
            "due_on": dates.due_on,
            "counts_on": dates.counts_on,
            "warn_on": dates.warn_on,
            "provisional": dates.provisional,
            "calendar_version": version,
            "next_mark_on": change.row.starts_on,
            "changed_at": now,
        },
    )


def _history(change: Change, version: str, *, actor: str, now: datetime) -> dict[str, Any]:
    row, dates = change.row, change.redated.dates
    return {
        "clock_id": row.clock_id,
        "calendar_before": row.calendar_version,
        "calendar_after": version,
        "due_before": row.due_on,
        "due_after": dates.due_on,
        "counts_before": row.counts_on,
        "counts_after": dates.counts_on,
        "outcome": change.redated.outcome,
        "actor": actor,
        "at": now,
    }
