"""Publishes editions of this node's government catalogue (Article 11 ¶3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from catalog.desk import Desk
from catalog.editions import repository
from catalog.editions.domain import Listed, chained_digest
from contracts.events.catalog import EditionPublished
from contracts.topics import topic_name
from kernel.db import Transaction
from kernel.ports import AuditEntry, OutgoingEvent


async def next_number(tx: Transaction, desk: Desk) -> int:
    """Return the number of the edition that this transaction will publish."""
    last = await repository.lock_last(tx.connection, desk.node)
    return 1 if last is None else int(last["edition"]) + 1


async def publish(
    tx: Transaction,
    desk: Desk,
    *,
    added: Sequence[Listed] = (),
    changed: Sequence[Listed] = (),
    removed: Sequence[Listed] = (),
) -> EditionPublished:
    """Publish the next edition with these differences to the one before."""
    last = await repository.lock_last(tx.connection, desk.node)
    edition = _following(last, desk, added=added, changed=changed, removed=removed)
    by = desk.principal.subject
    await repository.add(tx.connection, edition_row(edition, published_by=by, stored_at=desk.now))
    await tx.emit(_broadcast(edition))
    await tx.record(
        AuditEntry(
            act="entry.publish",
            object_kind="edition",
            object_id=f"{edition.node}/{edition.edition}",
            principal=desk.principal,
            article="第十一条第三款",
            rule_version=desk.rules.version,
            details={"digest": edition.digest, "entries": edition.entries},
        )
    )
    return edition


def _following(
    last: repository.Row | None,
    desk: Desk,
    *,
    added: Sequence[Listed],
    changed: Sequence[Listed],
    removed: Sequence[Listed],
) -> EditionPublished:
    number = 1 if last is None else int(last["edition"]) + 1
    before = "" if last is None else str(last["digest"])
    return EditionPublished(
        node=desk.node,
        region_code=desk.node,
        edition=number,
        entries=(0 if last is None else int(last["entries"])) + len(added) - len(removed),
        digest=chained_digest(before, number, added=added, changed=changed, removed=removed),
        added=tuple(each.entry_id for each in added),
        changed=tuple(each.entry_id for each in changed),
        removed=tuple(each.entry_id for each in removed),
        published_at=desk.stamp,
    )


def edition_row(
    edition: EditionPublished, *, published_by: str, stored_at: datetime
) -> dict[str, Any]:
    """Return the row of an edition, own or announced."""
    values = edition.model_dump(mode="json")
    return {**values, "published_by": published_by, "stored_at": stored_at}


def _broadcast(edition: EditionPublished) -> OutgoingEvent:
    return OutgoingEvent(
        type="yiwang.catalog.edition.published.v1",
        topic=topic_name("catalog", edition.node),
        key=edition.region_code,
        case_version=edition.edition,
        subject=f"{edition.region_code}/{edition.edition}",
        payload=edition,
        destination="*",
    )
