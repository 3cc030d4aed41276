"""Every query of filings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Exists,
    Text,
    and_,
    cast,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.bus_tables import outbox
from kernel.outbox import KAFKA, local_transport
from sharing.filings.domain import Filing
from sharing.filings.models import filings
from sharing.filings.rows import from_row, to_row
from sharing.scope import Scope


def _waiting() -> Exists:
    """The filing's event is still in the outbox (looked up by the outbox's unique key)."""
    topic = func.concat("filings.", filings.c.receiver_node, ".v1")
    return (
        select(outbox.c.id)
        .where(
            outbox.c.transport.in_((KAFKA, local_transport("notify"))),
            outbox.c.topic == topic,
            outbox.c.key == cast(filings.c.filing_id, Text),
        )
        .exists()
    )


def _with_sent() -> Any:
    left = and_(filings.c.state == "queued", ~_waiting()).label("left")
    return select(filings, left)


async def add(connection: AsyncConnection, filing: Filing) -> None:
    """Insert a new filing."""
    await connection.execute(insert(filings).values(to_row(filing)))


async def lock(connection: AsyncConnection, filing_id: str) -> Filing | None:
    """Return a filing, its row held."""
    query = select(filings).where(filings.c.filing_id == filing_id).with_for_update()
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else from_row(row)


async def save(connection: AsyncConnection, filing: Filing) -> None:
    """Write a locked filing."""
    await connection.execute(
        update(filings).where(filings.c.filing_id == filing.filing_id).values(to_row(filing))
    )


# unscoped: the use case has the request locked already
async def of_request(connection: AsyncConnection, request_id: str) -> Sequence[Filing]:
    """Return the filings of a request as they are stored, by rule."""
    query = select(filings).where(filings.c.request_id == request_id).order_by(filings.c.rule)
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


async def shown_of(connection: AsyncConnection, request_id: str) -> Sequence[Filing]:
    """Return the filings of a request as they are shown, by rule."""
    query = _with_sent().where(filings.c.request_id == request_id).order_by(filings.c.rule)
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return the condition under which a caller sees a filing; all are of this node's agencies."""
    return true() if scope.organisation is None else filings.c.filer_org == scope.organisation


async def read(connection: AsyncConnection, filing_id: str, *, scope: Scope) -> Filing | None:
    """Return a filing that the caller may see."""
    query = _with_sent().where(filings.c.filing_id == filing_id, visible(scope))
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else from_row(row)


async def page(
    connection: AsyncConnection,
    *,
    scope: Scope,
    state: str | None,
    before: str | None,
    limit: int,
) -> Sequence[Filing]:
    """Return a page of filings, newest first, with one line more if there is one."""
    query = _with_sent().where(visible(scope))
    if state is not None:
        stored = "queued" if state == "sent" else state
        query = query.where(filings.c.state == stored)
        if stored == "queued":
            query = query.where(~_waiting() if state == "sent" else _waiting())
    if before is not None:
        query = query.where(filings.c.filing_id < before)
    query = query.order_by(filings.c.filing_id.desc()).limit(limit + 1)
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


# unscoped: a timer of the node itself
async def unreceipted(
    connection: AsyncConnection, before: datetime, *, limit: int
) -> Sequence[str]:
    """Return filings without receipt since before an instant that raised no alarm yet."""
    since = func.coalesce(filings.c.completed_at, filings.c.submitted_at)
    query = (
        select(filings.c.filing_id)
        .where(
            filings.c.state == "queued",
            filings.c.receipt_at.is_(None),
            filings.c.alarmed_at.is_(None),
            since < before,
        )
        .order_by(filings.c.filing_id)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())
