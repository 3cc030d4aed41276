"""Queries of the organisation replica."""

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.catalog import AgencyState
from notify.organisations.models import Organisation


async def keep(connection: AsyncConnection, state: AgencyState) -> None:
    """Apply an announcement unless a newer one is held."""
    row = insert(Organisation).values(
        org_id=state.org_id,
        node=state.node,
        region_code=state.region_code,
        name=state.name,
        kind=state.kind,
        level=state.level,
        parent=state.parent,
        state=state.state,
        record_version=state.record_version,
    )
    fields = ("region_code", "name", "kind", "level", "parent", "state", "record_version")
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=[Organisation.org_id],
            set_={name: row.excluded[name] for name in fields},
            where=(Organisation.record_version < row.excluded.record_version)
            & (Organisation.node == row.excluded.node),
        )
    )


async def first_of_kind(connection: AsyncConnection, node: str, kind: str) -> Row[str, str] | None:
    """Return a node's active organisation of a kind, the oldest id of several."""
    found = await connection.execute(
        select(Organisation.org_id, Organisation.name)
        .where(Organisation.node == node, Organisation.kind == kind, Organisation.state == "active")
        .order_by(Organisation.org_id)
        .limit(1)
    )
    return found.one_or_none()
