"""Keeps the replica: published states of every node, and what the search reads of them.

The newer ``record_version`` wins, so a broadcast may come twice or late without harm. Bulk
statements, because a node publishes thousands of entries at once and reads other nodes' topics
from the start.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, delete, update
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.search.domain import DIMENSIONS, body_of, facet_id, fold, level_of
from catalog.search.models import published, search_entries, search_facets
from contracts.events.catalog import EntryState

PORTION = 1000
_ABSTRACT_SHOWN = 160


async def keep(connection: AsyncConnection, states: Sequence[EntryState], *, at: datetime) -> int:
    """Keep the states that are newer than what is held; return how many were.

    An entry appears once in ``states``.
    """
    kept = 0
    for start in range(0, len(states), PORTION):
        kept += await _keep_portion(connection, states[start : start + PORTION], at)
    return kept


async def _keep_portion(
    connection: AsyncConnection, states: Sequence[EntryState], at: datetime
) -> int:
    rows = [_published_row(state, at) for state in states]
    done = await connection.exec_driver_sql(_KEEP, _columns(published, rows))
    newer = set(done.scalars())
    fresh = [state for state in states if state.entry_id in newer]
    gone = [state.entry_id for state in fresh if state.state == "offline"]
    if gone:
        await connection.execute(delete(search_entries).where(search_entries.c.entry_id.in_(gone)))
    shown = [state for state in fresh if state.state != "offline"]
    if shown:
        await _index(connection, shown)
    return len(fresh)


async def _index(connection: AsyncConnection, states: Sequence[EntryState]) -> None:
    rows = [search_row(state) for state in states]
    await connection.exec_driver_sql(_INDEX, _columns(search_entries, rows))
    # sorted, so that two consumers never wait for each other's rows
    facets = {value["id"]: value for state in states for value in _facet_rows(state)}
    ordered = [facets[key] for key in sorted(facets)]
    await connection.exec_driver_sql(_NAME, _columns(search_facets, ordered))


def _upsert(table: Table, key: str, *, only_if: str, returning: str = "") -> str:
    """Return one constant statement that takes a column as an array each."""
    names = [column.name for column in table.columns]
    kinds = [column.type.compile(_DIALECT).split(" COLLATE")[0] for column in table.columns]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(kinds, 1))
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    return (
        f"INSERT INTO {table.name} AS held ({', '.join(names)}) SELECT * FROM unnest({arrays})"
        f" ON CONFLICT ({key}) DO UPDATE SET {changed}{only_if}{returning}"
    )


def _columns(table: Table, rows: Sequence[dict[str, Any]]) -> tuple[list[Any], ...]:
    return tuple([row[column.name] for row in rows] for column in table.columns)


_DIALECT = dialect()  # type: ignore[no-untyped-call]
_KEEP = _upsert(
    published,
    "entry_id",
    only_if=" WHERE held.record_version < excluded.record_version",
    returning=" RETURNING CAST(held.entry_id AS text)",
)
_INDEX = _upsert(search_entries, "entry_id", only_if="")
_NAME = _upsert(search_facets, "id", only_if=" WHERE held.label <> excluded.label")


async def rename_department(connection: AsyncConnection, org_id: str, name: str) -> None:
    """Show an agency's new name in the facets."""
    await connection.execute(
        update(search_facets)
        .where(search_facets.c.id == facet_id("department", org_id))
        .values(label=bindparam("new_name")),
        {"new_name": name},
    )


def facet_codes(state: EntryState) -> dict[str, str]:
    """Return the entry's code in each dimension."""
    return {
        "node": state.node,
        "department": state.providing_org.org_id,
        "region": state.region_code,
        "theme": state.data_domain or state.theme,
        "share_type": state.share_type,
        "open_attr": state.open_attr,
        "update_frequency": state.update_frequency,
        "data_form": state.data_form,
    }


def search_row(state: EntryState) -> dict[str, Any]:
    """Return what the search reads of an entry."""
    codes = facet_codes(state)
    words = " ".join(state.keywords)
    items = FIELD_GAP.join(fold(item.name_cn) for item in state.items)
    body = body_of(state.title, words, state.providing_org.name, items, state.abstract)
    return {
        "entry_id": state.entry_id,
        "level": level_of(state.entry_id),
        "changed_at": seconds_of(state.changed_at),
        **{f"f_{name}": facet_id(name, codes[name]) for name in DIMENSIONS},
        "title": fold(state.title),
        "body": body + state.resource_code.casefold() + "\n",
    }


FIELD_GAP = "|"


def seconds_of(stamp: str) -> int:
    """Return an event's instant in seconds since 1970."""
    return int(datetime.fromisoformat(stamp).timestamp())


def _facet_rows(state: EntryState) -> list[dict[str, Any]]:
    labels = {"department": state.providing_org.name}
    return [
        {
            "id": facet_id(name, code),
            "dimension": name,
            "code": code,
            "label": labels.get(name, ""),
        }
        for name, code in facet_codes(state).items()
    ]


def _published_row(state: EntryState, at: datetime) -> dict[str, Any]:
    return {
        "entry_id": state.entry_id,
        "resource_code": state.resource_code,
        "node": state.node,
        "providing_org": state.providing_org.org_id,
        "state": state.state,
        "version": state.version,
        "record_version": state.record_version,
        "changed_at": seconds_of(state.changed_at),
        "document": state.model_dump_json(),
        "card": card_of(state),
        "stored_at": at,
    }


def card_of(state: EntryState) -> str:
    """Return what a hit shows, as the JSON text that goes out."""
    org = state.providing_org
    card = {
        "entry_id": state.entry_id,
        "resource_code": state.resource_code,
        "version": state.version,
        "state": state.state,
        "title": state.title,
        "abstract": state.abstract[:_ABSTRACT_SHOWN],
        "node": state.node,
        "region_code": state.region_code,
        "providing_org": {"org_id": org.org_id, "name": org.name},
        "theme": state.data_domain or state.theme,
        "share_type": state.share_type,
        "open_attr": state.open_attr,
        "update_frequency": state.update_frequency,
        "data_form": state.data_form,
        "items": len(state.items),
        "source_pending": state.source_pending,
        "changed_at": state.changed_at,
    }
    return orjson.dumps(card).decode()
