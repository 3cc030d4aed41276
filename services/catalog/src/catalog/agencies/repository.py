"""Every query of agencies, appointments and the replica of agencies."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.agencies.domain import OwnAgency
from catalog.agencies.models import agencies, appointments, known_agencies
from contracts.events.base import OrganisationRef
from contracts.events.catalog import AgencyState

Row = RowMapping
_KNOWN = (
    "org_id",
    "node",
    "region_code",
    "name",
    "short_name",
    "uscc",
    "kind",
    "level",
    "state",
    "record_version",
)


async def find(connection: AsyncConnection, org_id: str, *, lock: bool = False) -> Row | None:
    """Return an agency of this node."""
    query = select(agencies).where(agencies.c.org_id == org_id)
    found = await connection.execute(query.with_for_update() if lock else query)
    return found.mappings().one_or_none()


async def add(connection: AsyncConnection, values: dict[str, Any]) -> Row:
    """Insert an agency with the next serial of its region; raises ``IntegrityError``."""
    # two registrations of one region would read the same highest serial
    region_lock = func.pg_advisory_xact_lock(func.hashtext(f"agencies:{values['region_code']}"))
    await connection.execute(select(region_lock))
    serial = select(func.coalesce(func.max(agencies.c.serial), 0) + 1).where(
        agencies.c.region_code == values["region_code"]
    )
    statement = insert(agencies).values({**values, "serial": serial.scalar_subquery()})
    found = await connection.execute(statement.returning(agencies))
    row: Row = found.mappings().one()
    return row


async def change(connection: AsyncConnection, org_id: str, values: dict[str, Any]) -> Row:
    """Change a locked agency."""
    statement = update(agencies).where(agencies.c.org_id == org_id).values(values)
    found = await connection.execute(statement.returning(agencies))
    row: Row = found.mappings().one()
    return row


async def page(
    connection: AsyncConnection, *, kind: str | None, state: str | None, after: str, limit: int
) -> Sequence[Row]:
    """Return agencies by id. # unscoped: every agency may know its node's agencies."""
    query = select(agencies).where(agencies.c.org_id > after)
    if kind:
        query = query.where(agencies.c.kind == kind)
    if state:
        query = query.where(agencies.c.state == state)
    found = await connection.execute(query.order_by(agencies.c.org_id).limit(limit))
    return found.mappings().all()


# unscoped: appointments are public within the node
async def appointments_of(connection: AsyncConnection, org_id: str) -> Sequence[Row]:
    """Return an agency's appointments, the newest first."""
    query = select(appointments).where(appointments.c.org_id == org_id)
    found = await connection.execute(query.order_by(appointments.c.appointment_id.desc()))
    return found.mappings().all()


async def appoint(connection: AsyncConnection, values: dict[str, Any], *, ends_on: str) -> None:
    """Insert an appointment; the post's open one ends the day that the new one begins."""
    await connection.execute(
        update(appointments)
        .where(
            appointments.c.org_id == values["org_id"],
            appointments.c.role == values["role"],
            appointments.c.until.is_(None),
        )
        .values(until=ends_on)
    )
    await connection.execute(insert(appointments).values(values))


# unscoped: an importer matches names of every agency of the node
async def own_active(connection: AsyncConnection) -> Sequence[OwnAgency]:
    """Return the names of this node's active agencies."""
    query = select(agencies.c.org_id, agencies.c.name, agencies.c.short_name)
    found = await connection.execute(query.where(agencies.c.state == "active"))
    return [OwnAgency(row.org_id, row.name, row.short_name) for row in found]


# unscoped: places, not records of an organisation
async def regions_of(connection: AsyncConnection) -> Mapping[str, str]:
    """Return the region of each of this node's agencies."""
    found = await connection.execute(select(agencies.c.org_id, agencies.c.region_code))
    return {row.org_id: row.region_code for row in found}


# unscoped: agencies are announced to the whole federation
async def all_known_ids(connection: AsyncConnection) -> frozenset[str]:
    """Return the ids of every active agency of the federation."""
    query = select(known_agencies.c.org_id).where(known_agencies.c.state == "active")
    return frozenset((await connection.execute(query)).scalars())


async def take_codes(connection: AsyncConnection, org_id: str, count: int) -> Row:
    """Reserve ``count`` resource code serials; return the agency after it, locked to the commit."""
    statement = (
        update(agencies)
        .where(agencies.c.org_id == org_id)
        .values(last_code=agencies.c.last_code + count)
        .returning(agencies.c.region_code, agencies.c.serial, agencies.c.last_code)
    )
    return (await connection.execute(statement)).mappings().one()


async def keep_known(connection: AsyncConnection, state: AgencyState) -> bool:
    """Keep an announced agency when it is newer than what is held; return whether it was."""
    values = {name: getattr(state, name) for name in _KNOWN}
    statement = insert(known_agencies).values(values)
    done = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id"],
            set_={name: statement.excluded[name] for name in _KNOWN if name != "org_id"},
            where=(known_agencies.c.record_version < statement.excluded.record_version)
            & (known_agencies.c.node == statement.excluded.node),
        )
    )
    return done.rowcount == 1


# unscoped: agencies are announced to the whole federation
async def references(
    connection: AsyncConnection, org_ids: Collection[str]
) -> dict[str, tuple[OrganisationRef, bool]]:
    """Return the known agencies among ``org_ids``, each with whether it is active."""
    query = select(known_agencies).where(known_agencies.c.org_id.in_(list(org_ids)))
    found = await connection.execute(query)
    return {
        row.org_id: (
            OrganisationRef(org_id=row.org_id, name=row.name, node=row.node, uscc=row.uscc),
            row.state == "active",
        )
        for row in found
    }


async def authority(connection: AsyncConnection, node: str) -> OrganisationRef | None:
    """Return the node's data authority (本级公共数据主管部门) as it is registered."""
    query = (
        select(known_agencies)
        .where(
            known_agencies.c.node == node,
            known_agencies.c.kind == "data_authority",
            known_agencies.c.state == "active",
        )
        .order_by(known_agencies.c.org_id)
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return OrganisationRef(org_id=row.org_id, name=row.name, node=row.node, uscc=row.uscc)
