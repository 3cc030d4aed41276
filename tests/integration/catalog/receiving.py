"""Hands events to the catalogue's handlers as the bus does after all its checks."""

from typing import Any

from contracts.events.base import OrganisationRef, Payload
from contracts.events.catalog import AgencyState, DependentAdded, DependentEnded, EntryState
from contracts.topics import topic_name
from kernel.ports import ReceivedEvent
from tests.integration.catalog.world import HEALTH, NODE, World

OTHER = "441581"
STAMP = "2026-01-12T01:30:00.000000Z"


async def receive(world: World, event_type: str, payload: Payload, *, source: str = NODE) -> None:
    """Apply one event in a transaction of its own."""
    runtime = world.node.runtime
    event = ReceivedEvent(
        id=str(runtime.ids.uuid7()),
        source=f"/nodes/{source}/catalog",
        source_node=source,
        type=event_type,
        subject="",
        time=STAMP,
        topic=topic_name("catalog", source),
        key="",
        case_version=1,
        payload=payload,
        entered_at=STAMP,
        received_at=STAMP,
    )
    async with runtime.database.transaction() as tx:
        for handler in world.node.definition.handlers.of(event_type):
            await handler(tx, event)


def organisation(org_id: str = f"{OTHER}-mz", name: str = "陆丰市民政局") -> OrganisationRef:
    return OrganisationRef(org_id=org_id, name=name, node=OTHER)


def foreign_entry(entry_id: str, **changed: Any) -> EntryState:
    """An entry of another county as it broadcasts it."""
    fields: dict[str, Any] = {
        "entry_id": entry_id,
        "resource_code": "307044441581001/000001",
        "node": OTHER,
        "region_code": OTHER,
        "state": "published",
        "version": 1,
        "record_version": 5,
        "title": "婚姻登记信息",
        "abstract": "登记日期、登记机关",
        "data_form": "table",
        "collecting_org": organisation(),
        "verifying_org": organisation(),
        "providing_org": organisation(),
        "share_type": "conditional",
        "share_scope": "same_level",
        "open_attr": "none",
        "update_frequency": "daily",
        "data_domain": "social_assistance",
        "published_at": STAMP,
        "changed_at": STAMP,
    }
    return EntryState(**{**fields, **changed})


async def receive_entry(world: World, state: EntryState) -> None:
    await receive(world, "yiwang.catalog.entry.published.v1", state, source=state.node)


async def receive_agency(world: World, state: AgencyState) -> None:
    await receive(world, "yiwang.catalog.agency.announced.v1", state, source=state.node)


async def add_dependent(
    world: World, entry_id: str, dependent_id: str, *, until: str | None = "2026-12-31"
) -> None:
    """Somebody of this node now depends on an entry."""
    payload = DependentAdded(
        dependent_id=dependent_id,
        kind="grant",
        entry_id=entry_id,
        entry_version=1,
        holder=OrganisationRef(org_id=HEALTH, name="海丰县卫生健康局", node=NODE),
        until=until,
    )
    await receive(world, "yiwang.catalog.dependent.added.v1", payload)


async def end_dependent(world: World, entry_id: str, dependent_id: str) -> None:
    payload = DependentEnded(
        dependent_id=dependent_id, kind="grant", entry_id=entry_id, ended_at=STAMP, reason="revoked"
    )
    await receive(world, "yiwang.catalog.dependent.ended.v1", payload)
