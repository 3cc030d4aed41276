"""Every query of requests. Lists and reads are scoped by side, organisation and node."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from sharing.errors import DuplicateSubmission
from sharing.requests.domain import ShareRequest, Side
from sharing.requests.models import requests
from sharing.requests.rows import changing, from_row, to_row
from sharing.scope import Scope

DUPLICATE = "uq_requests_submission_digest"


def constraint_of(error: BaseException) -> str | None:
    """Return the name of the constraint that a database error names."""
    seen: BaseException | None = error
    while seen is not None:
        name = getattr(seen, "constraint_name", None)
        if name:
            return str(name)
        seen = getattr(seen, "orig", None) or seen.__cause__
    return None


def visible(scope: Scope, side: Side | None = None) -> ColumnElement[bool]:
    """Return the condition under which a caller sees a row; another's rows do not exist for him."""
    sent = requests.c.side == "sent"
    received = requests.c.side == "received"
    if scope.organisation is not None:
        sent = and_(sent, requests.c.requester_org == scope.organisation)
        received = and_(received, requests.c.source_org == scope.organisation)
    sent = and_(sent, requests.c.requester_node == scope.node)
    received = and_(received, requests.c.source_node == scope.node)
    return {"sent": sent, "received": received, None: or_(sent, received)}[side]


async def lock(connection: AsyncConnection, request_id: str, side: Side) -> ShareRequest | None:
    """Return one side of a request, its row held until the end of the transaction."""
    query = (
        select(requests)
        .where(requests.c.request_id == request_id, requests.c.side == side)
        .with_for_update()
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else from_row(row)


async def add(connection: AsyncConnection, request: ShareRequest) -> None:
    """Insert a new side; raise ``DuplicateSubmission`` when an equal one is open."""
    try:
        await connection.execute(insert(requests).values(to_row(request)))
    except IntegrityError as error:
        raise duplicate_or(error) from None


def duplicate_or(error: Exception) -> Exception:
    """Return ``DuplicateSubmission`` for a violation of its index, any other error as it is."""
    if constraint_of(error) == DUPLICATE:
        return DuplicateSubmission(kind="policy")
    return error


async def save(connection: AsyncConnection, request: ShareRequest) -> None:
    """Write what has changed in a locked request; ``asked`` changes with a supplement."""
    values = {**changing(request), "asked": request.asked.model_dump()}
    await connection.execute(
        update(requests)
        .where(requests.c.request_id == request.request_id, requests.c.side == request.side)
        .values(values)
    )


async def read(
    connection: AsyncConnection, request_id: str, *, scope: Scope
) -> Sequence[ShareRequest]:
    """Return the sides of a request that the caller may see: none, one, or both."""
    query = (
        select(requests)
        .where(requests.c.request_id == request_id, visible(scope))
        .order_by(requests.c.side)
    )
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


async def page(
    connection: AsyncConnection,
    *,
    scope: Scope,
    side: Side,
    state: str | None,
    before: str | None,
    limit: int,
) -> Sequence[ShareRequest]:
    """Return a page of one box, newest first, with one line more than ``limit`` if there is one."""
    query = select(requests).where(visible(scope, side))
    if state is not None:
        query = query.where(requests.c.state == state)
    if before is not None:
        query = query.where(requests.c.request_id < before)
    query = query.order_by(requests.c.request_id.desc()).limit(limit + 1)
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


# unscoped: a timer of the node itself
async def waiting(
    connection: AsyncConnection, state: str, before: datetime, *, limit: int
) -> Sequence[str]:
    """Return sent requests that stand in ``state`` since before an instant, oldest first."""
    column = requests.c.submitted_at if state == "dispatched" else requests.c.delivered_at
    query = (
        select(requests.c.request_id)
        .where(
            requests.c.side == "sent",
            requests.c.state == state,
            column < before,
            or_(requests.c.alarmed_at.is_(None), requests.c.state != "dispatched"),
        )
        .order_by(column)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())
