"""Which node an organisation belongs to, as the nodes announce their own agencies.

An organisation named in an event must belong to the sending node (protocol §2).
"""

from typing import Any

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.catalog import AgencyState
from kernel.bus_tables import organisations
from kernel.handlers import Handlers, Poison
from kernel.ports import ReceivedEvent

AGENCY_TYPE = "yiwang.catalog.agency.announced.v1"


async def remember(connection: AsyncConnection, agency: AgencyState) -> bool:
    """Keep what is newer than what is held; return whether the organisation is the node's.

    An organisation moves to another node only after the former one has announced its end.
    """
    new = insert(organisations).values(
        org_id=agency.org_id,
        node=agency.node,
        name=agency.name,
        region_code=agency.region_code,
        state=agency.state,
        record_version=agency.record_version,
    )
    held = organisations.c
    statement = new.on_conflict_do_update(
        index_elements=[held.org_id],
        set_={
            name: new.excluded[name]
            for name in ("node", "name", "region_code", "state", "record_version")
        },
        where=or_(
            (held.node == new.excluded.node) & (held.record_version < new.excluded.record_version),
            (held.node != new.excluded.node) & (held.state == "ended"),
        ),
    )
    await connection.execute(statement)
    owner = await connection.scalar(
        organisations.select().with_only_columns(held.node).where(held.org_id == agency.org_id)
    )
    return bool(owner == agency.node)


async def on_agency(tx: Any, event: ReceivedEvent) -> None:
    """Handle an agency's broadcast."""
    agency = event.payload
    if not isinstance(agency, AgencyState):
        raise Poison("payload_type")
    if not await remember(tx.connection, agency):
        raise Poison("organisation_of_another_node")


def add_to(handlers: Handlers) -> None:
    """Let every consumer of agencies keep the organisations."""
    handlers.on(AGENCY_TYPE)(on_agency)
