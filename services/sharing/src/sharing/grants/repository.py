"""Every query of grants and spent tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.base import Basis, OrganisationRef
from sharing.grants.domain import Grant, GrantSide, GrantState
from sharing.grants.models import grants, spent_tokens
from sharing.known.models import known_entries
from sharing.scope import Scope

_BASES = TypeAdapter(tuple[Basis, ...])
_PLAIN = (
    "side",
    "grant_id",
    "request_id",
    "entry_id",
    "entry_version",
    "purpose",
    "mode",
    "system_id",
    "public_jwk",
    "valid_from",
    "valid_until",
    "delivery_url",
    "rule_version",
    "proved_at",
    "last_delivery_at",
    "calls",
    "rows_delivered",
    "end_reason",
    "explanation",
    "ended_by",
    "ended_at",
    "record_version",
)


def to_row(grant: Grant) -> dict[str, Any]:
    """Return every column of a grant's row."""
    return {
        **{name: getattr(grant, name) for name in _PLAIN},
        "items": list(grant.items),
        "holder_org": grant.holder.org_id,
        "holder_node": grant.holder.node,
        "holder": grant.holder.model_dump(),
        "source_org": grant.source.org_id,
        "source_node": grant.source.node,
        "source": grant.source.model_dump(),
        "state": grant.state.value,
        "end_basis": _BASES.dump_python(grant.end_basis),
    }


def from_row(row: Any) -> Grant:
    """Return the grant that a row holds."""
    return Grant(
        **{name: row[name] for name in _PLAIN},
        items=tuple(row["items"]),
        holder=OrganisationRef.model_validate(row["holder"]),
        source=OrganisationRef.model_validate(row["source"]),
        state=GrantState(row["state"]),
        end_basis=_BASES.validate_python(row["end_basis"]),
    )


async def add(connection: AsyncConnection, grant: Grant) -> None:
    """Insert a new side."""
    await connection.execute(insert(grants).values(to_row(grant)))


async def lock(connection: AsyncConnection, grant_id: str, side: GrantSide) -> Grant | None:
    """Return one side of a grant, its row held."""
    query = (
        select(grants).where(grants.c.grant_id == grant_id, grants.c.side == side).with_for_update()
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else from_row(row)


async def save(connection: AsyncConnection, grant: Grant) -> None:
    """Write a locked grant."""
    key = (grants.c.grant_id == grant.grant_id, grants.c.side == grant.side)
    await connection.execute(update(grants).where(*key).values(to_row(grant)))


async def request_of(connection: AsyncConnection, grant_id: str, side: GrantSide) -> str | None:
    """Return the request that a grant follows from, without locking."""
    query = select(grants.c.request_id).where(grants.c.grant_id == grant_id, grants.c.side == side)
    return (await connection.execute(query)).scalar_one_or_none()


# unscoped: a takedown ends every grant of the entry
async def active_of_entry(connection: AsyncConnection, entry_id: str) -> Sequence[str]:
    """Return the ids of an entry's issued grants that are active, in a fixed order."""
    query = (
        select(grants.c.grant_id)
        .where(
            grants.c.side == "issued",
            grants.c.state == "active",
            grants.c.entry_id == entry_id,
        )
        .order_by(grants.c.request_id)
    )
    return list((await connection.execute(query)).scalars())


# unscoped: a timer of the node itself
async def over(connection: AsyncConnection, at: datetime, *, limit: int) -> Sequence[str]:
    """Return active issued grants whose period is over."""
    query = (
        select(grants.c.grant_id)
        .where(grants.c.side == "issued", grants.c.state == "active", grants.c.valid_until <= at)
        .order_by(grants.c.valid_until)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


# unscoped: a timer of the node itself
async def of_offline_entries(connection: AsyncConnection, *, limit: int) -> Sequence[str]:
    """Return entries that are offline and still have an active grant."""
    query = (
        select(known_entries.c.entry_id)
        .where(
            known_entries.c.state == "offline",
            known_entries.c.entry_id == grants.c.entry_id,
            grants.c.side == "issued",
            grants.c.state == "active",
        )
        .distinct()
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def revoked_since(connection: AsyncConnection, holder_org: str, since: datetime) -> int:
    """Count an organisation's grants that were revoked here since an instant."""
    query = select(func.count()).where(
        grants.c.side == "issued",
        grants.c.holder_org == holder_org,
        grants.c.end_reason == "revoked",
        grants.c.ended_at >= since,
    )
    return int((await connection.execute(query)).scalar_one())


async def find_issued(connection: AsyncConnection, grant_id: str) -> Grant | None:
    """Return the issued side of a grant without locking it."""
    query = select(grants).where(grants.c.grant_id == grant_id, grants.c.side == "issued")
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else from_row(row)


async def still_active(connection: AsyncConnection, grant_id: str) -> bool:
    """Tell whether an issued grant is active, its row shared until the end of the transaction.

    The relay asks before it publishes what depends on the grant (protocol §1).
    """
    query = (
        select(grants.c.state)
        .where(grants.c.grant_id == grant_id, grants.c.side == "issued")
        .with_for_update(read=True)
    )
    return (await connection.execute(query)).scalar_one_or_none() == "active"


async def count_use(
    connection: AsyncConnection, grant_id: str, *, rows: int, at: datetime, call: bool = True
) -> bool:
    """Count a delivery on an active, running grant; return whether there is one.

    The row's lock makes a delivery and a revocation come one after the other.
    """
    statement = (
        update(grants)
        .where(
            grants.c.grant_id == grant_id,
            grants.c.side == "issued",
            grants.c.state == "active",
            grants.c.valid_from <= at,
            grants.c.valid_until > at,
        )
        .values(
            calls=grants.c.calls + int(call),
            rows_delivered=grants.c.rows_delivered + rows,
            last_delivery_at=at,
        )
    )
    return (await connection.execute(statement)).rowcount == 1


async def spend_token(
    connection: AsyncConnection, grant_id: str, digest: str, *, expires_at: datetime
) -> bool:
    """Remember a token's id; return false when it was used before."""
    statement = (
        upsert(spent_tokens)
        .values(grant_id=grant_id, jti_digest=digest, expires_at=expires_at)
        .on_conflict_do_nothing()
    )
    return (await connection.execute(statement)).rowcount == 1


async def forget_tokens(connection: AsyncConnection, before: datetime) -> None:
    """Drop the ids of tokens that have expired anyway."""
    await connection.execute(delete(spent_tokens).where(spent_tokens.c.expires_at < before))


def visible(scope: Scope, side: GrantSide | None = None) -> ColumnElement[bool]:
    """Return the condition under which a caller sees a grant."""
    held = and_(grants.c.side == "held", grants.c.holder_node == scope.node)
    issued = and_(grants.c.side == "issued", grants.c.source_node == scope.node)
    if scope.organisation is not None:
        held = and_(held, grants.c.holder_org == scope.organisation)
        issued = and_(issued, grants.c.source_org == scope.organisation)
    return {"held": held, "issued": issued, None: or_(held, issued)}[side]


async def read(connection: AsyncConnection, grant_id: str, *, scope: Scope) -> Sequence[Grant]:
    """Return the sides of a grant that the caller may see."""
    query = (
        select(grants).where(grants.c.grant_id == grant_id, visible(scope)).order_by(grants.c.side)
    )
    return [from_row(row) for row in (await connection.execute(query)).mappings()]


async def page(
    connection: AsyncConnection,
    *,
    scope: Scope,
    side: GrantSide,
    state: str | None,
    before: str | None,
    limit: int,
) -> Sequence[Grant]:
    """Return a page of grants, newest first, with one line more if there is one."""
    query = select(grants).where(visible(scope, side))
    if state is not None:
        query = query.where(grants.c.state == state)
    if before is not None:
        query = query.where(grants.c.grant_id < before)
    query = query.order_by(grants.c.grant_id.desc()).limit(limit + 1)
    return [from_row(row) for row in (await connection.execute(query)).mappings()]
