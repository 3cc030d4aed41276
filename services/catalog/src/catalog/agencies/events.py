"""Turns an agency's state into its broadcast."""

from sqlalchemy import RowMapping

from contracts.events.catalog import AgencyState
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent


def announced(row: RowMapping, node: str) -> OutgoingEvent:
    """Return the broadcast of the agency's whole current state."""
    state = AgencyState(
        org_id=row["org_id"],
        node=node,
        region_code=row["region_code"],
        name=row["name"],
        short_name=row["short_name"],
        uscc=row["uscc"],
        kind=row["kind"],
        level=row["level"],
        parent=row["parent"],
        participation_basis=row["participation_basis"],
        state=row["state"],
        record_version=row["record_version"],
    )
    return OutgoingEvent(
        type="yiwang.catalog.agency.announced.v1",
        topic=topic_name("agencies", node),
        key=state.org_id,
        case_version=state.record_version,
        subject=state.org_id,
        payload=state,
        destination="*",
    )
