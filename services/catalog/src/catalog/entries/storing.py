"""Writes what acts have decided: entries, events and audit rows, in bulk."""

from collections.abc import Sequence

from catalog.agencies import repository as agencies
from catalog.desk import Desk
from catalog.entries import repository
from catalog.entries.acts import Change, Parties
from catalog.entries.checks import CheckContext
from catalog.entries.content import EntryContent
from catalog.entries.records import Entry
from contracts.events.base import OrganisationRef
from kernel.db import Transaction
from kernel.outbox import insert_rows, outbox_values

PORTION = 500


async def store(tx: Transaction, changes: Sequence[Change]) -> None:
    """Write changed entries, their events and audit rows."""
    await repository.save(tx.connection, [change.entry for change in changes])
    events = [event for change in changes for event in change.events]
    now = tx.clock.now()
    for start in range(0, len(events), PORTION):
        rows = [
            row
            for event in events[start : start + PORTION]
            for row in outbox_values(
                event,
                node=tx.node,
                service=tx.service,
                event_id=tx.ids.uuid7(),
                now=now,
                traceparent=tx.traceparent,
            )
        ]
        await insert_rows(tx.connection, rows)
        tx.emitted += len(rows)
    for change in changes:
        await tx.record(change.audit)


async def parties_of(tx: Transaction, entries: Sequence[Entry], desk: Desk) -> Parties:
    """Return who stands around these entries."""
    named = {
        org_id
        for entry in entries
        for org_id in (
            entry.providing_org,
            entry.document.get("collecting_org", ""),
            entry.document.get("verifying_org", ""),
        )
        if org_id
    }
    known = await agencies.references(tx.connection, named)
    authority = await agencies.authority(tx.connection, desk.node)
    return Parties(
        authority=authority or _unregistered_authority(desk.node),
        agencies={org_id: reference for org_id, (reference, _) in known.items()},
    )


async def context_of(tx: Transaction, contents: Sequence[EntryContent], desk: Desk) -> CheckContext:
    """Return what these contents are judged by."""
    named = {
        org_id
        for content in contents
        for org_id in (
            content.collecting_org,
            content.verifying_org,
            content.providing_org,
            *content.share_scope_orgs,
        )
        if org_id
    }
    known = await agencies.references(tx.connection, named)
    active = {org_id for org_id, (_, is_active) in known.items() if is_active}
    return CheckContext(
        rules=desk.rules,
        regions=desk.regions,
        organisations=active,
        own={org_id for org_id in active if known[org_id][0].node == desk.node},
        node=desk.node,
        today=desk.today,
    )


def _unregistered_authority(node: str) -> OrganisationRef:
    """Name the authority of a node where none is registered yet: its clocks run all the same."""
    return OrganisationRef(org_id=f"{node}-authority", name="公共数据主管部门", node=node)
