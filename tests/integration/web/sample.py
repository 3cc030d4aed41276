"""A small service that uses everything the edge offers, for the tests of the edge itself."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)

from contracts.events.clock import ClockEnded
from contracts.topics import topic_name
from kernel.handlers import Handlers
from kernel.pagination import Page, PageDep, make_page
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.problems import AlreadyExists, NotFound, StaleVersion, Unauthenticated, WrongState
from kernel.runtime import Runtime, ServiceDefinition
from kernel.web import EdgeDep, ServiceRouter, expected_version, options

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
router = ServiceRouter(prefix="/things", tags=["things"])


class NewThing(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=40)
    size: int = 1


class ThingOut(BaseModel):
    id: UUID
    name: str
    size: int
    version: int


def row_of(thing: NewThing, edge: EdgeDep) -> dict[str, Any]:
    return {
        "id": edge.ids.uuid7(),
        "name": thing.name,
        "size": thing.size,
        "organisation": edge.principal.organisation,
        "version": 1,
        "at": edge.clock.now(),
    }


def event_of(row: dict[str, Any], edge: EdgeDep) -> OutgoingEvent:
    node = edge.runtime.node
    return OutgoingEvent(
        type="yiwang.clock.ended.v1",
        topic=topic_name("filings", node),
        key=str(row["id"]),
        case_version=row["version"],
        subject=str(row["id"]),
        payload=ClockEnded(
            clock_id=f"{row['id']}:x:1",
            case_id=str(row["id"]),
            ended_at=edge.clock.now().isoformat(),
            end_event="made",
            on_time=True,
        ),
        destination=node,
    )


def entry_of(row: dict[str, Any], edge: EdgeDep) -> AuditEntry:
    return AuditEntry(
        act="entry.draft",
        object_kind="thing",
        object_id=str(row["id"]),
        principal=edge.principal,
        article="第十一条",
        details={"size": row["size"]},
    )


@router.post("", status_code=201)
async def make(thing: NewThing, edge: EdgeDep) -> ThingOut:
    edge.allow("entry.draft", organisation=edge.principal.organisation)
    row = row_of(thing, edge)
    await edge.tx.connection.execute(insert(things).values(row))
    await edge.tx.emit(event_of(row, edge))
    await edge.tx.record(entry_of(row, edge))
    return ThingOut.model_validate(row)


@router.post("/quick", status_code=201, response_model=ThingOut)
@options(hot=True)
async def make_quickly(thing: NewThing, edge: EdgeDep) -> Response:
    edge.allow("entry.draft", organisation=edge.principal.organisation)
    if await edge.fetch("SELECT 1 FROM things WHERE name = $1", thing.name):
        raise AlreadyExists
    if thing.name == "refused":
        raise WrongState(state="x", act="entry.draft", article="第十一条", kind="law")
    row = row_of(thing, edge)
    return await edge.once(
        ThingOut.model_validate(row),
        rows={things: [row]},
        events=[event_of(row, edge)],
        audit=[entry_of(row, edge)],
    )


@router.get("")
async def listing(page: PageDep, edge: EdgeDep) -> Page[ThingOut]:
    query = select(things).where(things.c.organisation == edge.principal.organisation)
    after = page.after(UUID)
    if after is not None:
        query = query.where(things.c.id > after[0])
    query = query.order_by(things.c.id).limit(page.limit + 1)
    rows = (await edge.tx.connection.execute(query)).mappings().all()
    return make_page(
        rows,
        page,
        item=lambda row: ThingOut.model_validate(dict(row)),
        key=lambda row: (row["id"],),
    )


@router.get("/{thing_id}")
async def show(thing_id: UUID, edge: EdgeDep) -> ThingOut:
    return ThingOut.model_validate(await found(thing_id, edge))


async def found(thing_id: UUID, edge: EdgeDep) -> dict[str, Any]:
    query = select(things).where(things.c.id == thing_id)
    row = (await edge.tx.connection.execute(query)).mappings().first()
    if row is None:
        raise NotFound
    return dict(row)


@router.patch("/{thing_id}")
async def rename(thing_id: UUID, thing: NewThing, edge: EdgeDep) -> ThingOut:
    version = expected_version(edge)
    row = await found(thing_id, edge)
    if row["version"] != version:
        current = ThingOut.model_validate(row).model_dump(mode="json")
        raise StaleVersion(version=row["version"], current=current, field="If-Match")
    changed = {**row, "name": thing.name, "version": version + 1}
    statement = update(things).where(things.c.id == thing_id)
    await edge.tx.connection.execute(statement.values(name=thing.name, version=version + 1))
    return ThingOut.model_validate(changed)


@router.post("/upload", status_code=201)
async def upload(file: UploadFile, edge: EdgeDep) -> dict[str, int]:
    return {"size": len(await file.read())}


@router.get("/own/{secret}")
@options(anonymous=True)
async def own_token(secret: str, edge: EdgeDep) -> dict[str, str]:
    if secret != "open-sesame":
        raise Unauthenticated
    return {"caller": edge.principal.subject}


class Fault(BaseModel):
    kind: str
    value: Annotated[str, Field(max_length=2000)] = ""


@router.post("/fault")
async def fail(fault: Fault, edge: EdgeDep) -> dict[str, str]:
    """Write a row, then fail in the way that is asked for."""
    row = row_of(NewThing(name="half-done"), edge)
    await edge.tx.connection.execute(insert(things).values(row))
    await edge.tx.record(entry_of(row, edge))
    if fault.kind == "unique":
        await edge.tx.connection.execute(insert(things).values({**row, "name": fault.value}))
        await edge.tx.connection.execute(
            insert(things).values({**row, "id": edge.ids.uuid7(), "name": fault.value})
        )
    elif fault.kind == "cast":
        await edge.tx.connection.exec_driver_sql("SELECT $1::text::integer", (fault.value,))
    elif fault.kind == "range":
        await edge.tx.connection.execute(insert(things).values({**row, "size": 10**12}))
    elif fault.kind == "nul":
        await edge.tx.connection.execute(insert(things).values({**row, "name": "a\x00b"}))
    elif fault.kind == "sql":
        await edge.tx.connection.exec_driver_sql(f"SELECT {fault.value!r} FROM nowhere")
    elif fault.kind == "lost":
        await edge.tx.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    raise RuntimeError(f"person {fault.value}")


TABLE = """
CREATE TABLE IF NOT EXISTS things (id uuid PRIMARY KEY, name text NOT NULL UNIQUE,
 size integer NOT NULL, organisation text NOT NULL, version integer NOT NULL,
 at timestamptz NOT NULL)
"""


def define(runtime: Runtime) -> ServiceDefinition:
    async def tables(running: Runtime) -> None:
        async with running.database.transaction() as tx:
            await tx.connection.exec_driver_sql(TABLE)

    return ServiceDefinition(
        name="sample", runtime=runtime, routers=(router,), handlers=Handlers(), startup=tables
    )
