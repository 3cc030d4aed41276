"""Every query of entries, versions, claims and dependents; lists are scoped to the caller."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    RowMapping,
    Select,
    any_,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.entries.models import dependents, entries, entry_versions
from catalog.entries.records import Entry, entry_of

Row = RowMapping
_KEYS = {"entry_id", "created_at", "created_by"}
_COLUMNS = tuple(column.name for column in entries.columns if column.name not in _KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries are meant. ``own_org`` is the caller's scope, ``None`` for the whole node."""

    own_org: str | None
    providing_org: str | None = None
    state: str | None = None
    copy: str | None = None
    import_id: str | None = None
    complete: bool | None = None
    title: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what restricts a query to these entries."""
        table = entries.c
        wanted: list[tuple[Any, ColumnElement[bool]]] = [
            (self.own_org, table.providing_org == self.own_org),
            (self.providing_org, table.providing_org == self.providing_org),
            (self.state, table.state == self.state),
            (self.copy, table.copy == self.copy),
            (self.import_id, table.import_id == self.import_id),
            (self.complete, table.complete == self.complete),
            (self.title, table.title_key.contains(self.title or "", autoescape=True)),
        ]
        return [condition for value, condition in wanted if value is not None]


async def find(connection: AsyncConnection, entry_id: str, *, own_org: str | None) -> Entry | None:
    """Return an entry that the caller may see."""
    conditions = EntryFilter(own_org=own_org).conditions()
    query = select(entries).where(entries.c.entry_id == entry_id, *conditions)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else entry_of(row)


async def lock(connection: AsyncConnection, entry_ids: Collection[str]) -> list[Entry]:
    """Return entries in the order of their ids and hold their rows. # unscoped: acts check."""
    query = (
        select(entries)
        .where(_among(entries.c.entry_id, entry_ids))
        .order_by(entries.c.entry_id)
        .with_for_update()
    )
    found = await connection.execute(query)
    return [entry_of(row) for row in found.mappings()]


def _among(column: Column[Any], ids: Collection[str]) -> ColumnElement[bool]:
    """One array argument, so that the statement's text does not depend on how many they are."""
    return column == any_(literal(list(ids), ARRAY(UUID(as_uuid=False))))


async def ids_of(connection: AsyncConnection, wanted: EntryFilter, *, limit: int) -> list[str]:
    """Return the ids of matching entries, oldest first."""
    query = select(entries.c.entry_id).where(*wanted.conditions())
    found = await connection.execute(query.order_by(entries.c.entry_id).limit(limit))
    return list(found.scalars())


async def page(
    connection: AsyncConnection, wanted: EntryFilter, *, after: str | None, limit: int
) -> Sequence[Entry]:
    """Return matching entries, newest first."""
    query: Select[Any] = select(entries).where(*wanted.conditions())
    if after is not None:
        query = query.where(entries.c.entry_id < after)
    found = await connection.execute(query.order_by(entries.c.entry_id.desc()).limit(limit))
    return [entry_of(row) for row in found.mappings()]


async def add(connection: AsyncConnection, new: Sequence[Entry]) -> None:
    """Insert entries."""
    if new:
        await connection.execute(entries.insert(), [entry.row() for entry in new])


async def save(connection: AsyncConnection, changed: Sequence[Entry]) -> None:
    """Write locked entries back; their record versions have been raised by the acts."""
    if not changed:
        return
    statement = (
        update(entries)
        .where(entries.c.entry_id == bindparam("key"))
        .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
    )
    rows = []
    for entry in changed:
        values = entry.row()
        rows.append({"key": entry.entry_id, **{f"new_{name}": values[name] for name in _COLUMNS}})
    await connection.execute(statement, rows)


async def titles_elsewhere(
    connection: AsyncConnection, title_key: str, *, but: str
) -> Sequence[Row]:
    """Return up to ten other living entries of this title. # unscoped: titles only."""
    query = (
        select(entries.c.entry_id, entries.c.title, entries.c.providing_org, entries.c.state)
        .where(
            entries.c.title_key == title_key,
            entries.c.entry_id != but,
            entries.c.state.not_in(("discarded", "offline")),
        )
        .limit(10)
    )
    return (await connection.execute(query)).mappings().all()


async def add_versions(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert published versions; the one before each is superseded at that moment."""
    if not rows:
        return
    await connection.execute(
        update(entry_versions)
        .where(
            entry_versions.c.entry_id == bindparam("key"),
            entry_versions.c.version == bindparam("before"),
        )
        .values(superseded_at=bindparam("at")),
        [
            {"key": row["entry_id"], "before": row["version"] - 1, "at": row["published_at"]}
            for row in rows
        ],
    )
    await connection.execute(entry_versions.insert(), list(rows))


# unscoped: the endpoint has loaded the entry under the caller's scope
async def versions_of(connection: AsyncConnection, entry_id: str) -> Sequence[Row]:
    """Return an entry's published versions, oldest first; the caller may see the entry."""
    query = select(entry_versions).where(entry_versions.c.entry_id == entry_id)
    found = await connection.execute(query.order_by(entry_versions.c.version))
    return found.mappings().all()


async def version(connection: AsyncConnection, entry_id: str, number: int) -> Row | None:
    """Return one published version."""
    query = select(entry_versions).where(
        entry_versions.c.entry_id == entry_id, entry_versions.c.version == number
    )
    return (await connection.execute(query)).mappings().one_or_none()


# unscoped: the ids come from a scoped query
async def latest_contents(
    connection: AsyncConnection, entry_ids: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """Return the newest published content of each entry that has one."""
    query = (
        select(entry_versions.c.entry_id, entry_versions.c.content)
        .ext(distinct_on(entry_versions.c.entry_id))
        .where(_among(entry_versions.c.entry_id, entry_ids))
        .order_by(entry_versions.c.entry_id, entry_versions.c.version.desc())
    )
    found = await connection.execute(query)
    return {row.entry_id: row.content for row in found}


async def keep_dependent(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Note that somebody depends on an entry; a repeat changes nothing."""
    await connection.execute(insert(dependents).values(values).on_conflict_do_nothing())


async def end_dependent(
    connection: AsyncConnection, dependent_id: str, *, ended_at: str, reason: str
) -> bool:
    """Note that a dependence has ended; return whether it was known."""
    done = await connection.execute(
        update(dependents)
        .where(dependents.c.dependent_id == dependent_id)
        .values(ended_at=func.coalesce(dependents.c.ended_at, ended_at), end_reason=reason)
    )
    return done.rowcount == 1


# unscoped: the endpoint has loaded the entry under the caller's scope
async def dependents_of(connection: AsyncConnection, entry_id: str) -> Sequence[Row]:
    """Return who depends on an entry today; the caller may see the entry."""
    query = select(dependents).where(
        dependents.c.entry_id == entry_id, dependents.c.ended_at.is_(None)
    )
    found = await connection.execute(query.order_by(dependents.c.dependent_id))
    return found.mappings().all()


async def plan_for(connection: AsyncConnection, dependent_id: str, plan: dict[str, Any]) -> None:
    """Note what is provided for a dependent of an entry that is taken down."""
    await connection.execute(
        update(dependents).where(dependents.c.dependent_id == dependent_id).values(plan=plan)
    )


async def counts(connection: AsyncConnection, wanted: EntryFilter) -> Mapping[str, int]:
    """Return how many matching entries stand in each state."""
    query = (
        select(entries.c.state, func.count().label("count"))
        .where(*wanted.conditions())
        .group_by(entries.c.state)
    )
    found = await connection.execute(query)
    return {row.state: row[1] for row in found}


async def due_takedowns(connection: AsyncConnection, today: str, *, limit: int) -> Sequence[str]:
    """Return entries whose approved takedown is due. # unscoped: the node's own job."""
    effective = entries.c.takedown_request["effective_on"].astext
    query = (
        select(entries.c.entry_id)
        .where(entries.c.takedown.is_(True), effective <= today)
        .order_by(entries.c.entry_id)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()
