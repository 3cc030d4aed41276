"""Every query of datasets and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sharing.datasets.models import dataset_rows, datasets
from sharing.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """An uploaded file as it was taken in; ``columns`` are the items' field names in order."""

    dataset_id: str
    entry_id: str
    org_id: str
    node: str
    entry_version: int
    columns: tuple[str, ...]
    encoding: str
    digest: str
    size: int
    rows: int
    uploaded_by: str
    uploaded_at: datetime


_NAMES = (
    "dataset_id",
    "entry_id",
    "org_id",
    "node",
    "entry_version",
    "encoding",
    "digest",
    "size",
    "rows",
    "uploaded_by",
    "uploaded_at",
)


def _from_row(row: Any) -> Dataset:
    return Dataset(**{name: row[name] for name in _NAMES}, columns=tuple(row["columns"]))


async def lock_entry(connection: AsyncConnection, entry_id: str) -> None:
    """Let one writer of an entry's dataset in at a time, until the end of its transaction."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('dataset:' || :entry, 0))"),
        {"entry": entry_id},
    )


async def current(connection: AsyncConnection, entry_id: str) -> Dataset | None:
    """Return the entry's current dataset."""
    query = select(datasets).where(datasets.c.entry_id == entry_id, datasets.c.current)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def of_entry(connection: AsyncConnection, entry_id: str, dataset_id: str) -> Dataset | None:
    """Return one dataset of an entry, also one that was replaced but is still kept."""
    query = select(datasets).where(
        datasets.c.entry_id == entry_id, datasets.c.dataset_id == dataset_id
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def visible(connection: AsyncConnection, entry_id: str, *, scope: Scope) -> Dataset | None:
    """Return the current dataset when the caller may see it."""
    query = select(datasets).where(
        datasets.c.entry_id == entry_id, datasets.c.current, datasets.c.node == scope.node
    )
    if scope.organisation is not None:
        query = query.where(datasets.c.org_id == scope.organisation)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def copy_rows(
    connection: AsyncConnection,
    dataset_id: str,
    rows: Sequence[tuple[int, list[str | None]]],
) -> None:
    """Copy checked rows in; the connection is inside its transaction already."""
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    if driver is None:
        raise RuntimeError("the connection has no driver connection")
    await driver.copy_records_to_table(
        dataset_rows.name,
        records=[(dataset_id, number, cells) for number, cells in rows],
        columns=["dataset_id", "row_no", "cells"],
    )


async def make_current(connection: AsyncConnection, dataset: Dataset, *, at: datetime) -> None:
    """Put a dataset in the place of the current one, which stays for pages that are being read."""
    await connection.execute(
        update(datasets)
        .where(datasets.c.entry_id == dataset.entry_id, datasets.c.current)
        .values(current=False, replaced_at=at)
    )
    values = {name: getattr(dataset, name) for name in _NAMES}
    await connection.execute(
        insert(datasets).values(**values, columns=list(dataset.columns), current=True)
    )


async def page(
    connection: AsyncConnection,
    dataset: Dataset,
    items: Sequence[str],
    *,
    after: int,
    limit: int,
) -> list[tuple[int, list[str | None]]]:
    """Return rows after a row number, with the cells of ``items`` only, in their order."""
    positions = [dataset.columns.index(name) + 1 for name in items]
    cells = ", ".join(f"cells[{position}]" for position in positions)
    query = text(
        f"SELECT row_no, ARRAY[{cells}]::text[] AS cells FROM dataset_rows"
        " WHERE dataset_id = CAST(:dataset AS uuid) AND row_no > :after"
        " ORDER BY row_no LIMIT :limit"
    )
    values = {"dataset": dataset.dataset_id, "after": after, "limit": limit}
    return [(row.row_no, row.cells) for row in await connection.execute(query, values)]


async def drop_replaced(connection: AsyncConnection, before: datetime, *, limit: int) -> int:
    """Drop a few datasets that were replaced before an instant; return how many."""
    query = (
        select(datasets.c.dataset_id)
        .where(~datasets.c.current, datasets.c.replaced_at < before)
        .limit(limit)
    )
    found = list((await connection.execute(query)).scalars())
    if found:
        await connection.execute(delete(dataset_rows).where(dataset_rows.c.dataset_id.in_(found)))
        await connection.execute(delete(datasets).where(datasets.c.dataset_id.in_(found)))
    return len(found)
