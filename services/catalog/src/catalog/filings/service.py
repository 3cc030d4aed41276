"""Use cases of filings F1: made with a publication, answered by the desk, completed on return.

A filing never blocks what it reports: the entry is in force whatever the desk says.
"""

from collections.abc import Sequence
from typing import Any

from catalog.desk import Desk
from catalog.filings import repository
from catalog.filings.events import completed, submitted
from catalog.filings.repository import Row
from contracts.events.base import Basis
from contracts.events.filing import (
    FilingReceived,
    FilingRecorded,
    FilingReturned,
    FilingSubmitted,
)
from kernel.db import Transaction
from kernel.handlers import NotYet, Poison
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.problems import NotFound, WrongState

Answer = FilingReceived | FilingRecorded | FilingReturned
_AFTER_RETURN = frozenset({"returned"})


def filing_row(
    filing: FilingSubmitted, *, version: int, parts: Sequence[str], desk: Desk
) -> dict[str, Any]:
    """Return the row of a new filing; ``parts`` are item names, or ``*`` for the entry."""
    return {
        "filing_id": filing.filing_id,
        "entry_id": filing.subject_id,
        "providing_org": filing.filer.org_id,
        "version": version,
        "rule": filing.rule,
        "article": filing.article,
        "receiver_node": filing.receiver_node,
        "state": "queued",
        "filing_no": None,
        "parts": list(parts),
        "submitted": filing.model_dump(mode="json"),
        "emitted": 1,
        "reason": "",
        "submitted_by": filing.submitted_by,
        "submitted_at": desk.now,
        "received_at": None,
        "recorded_at": None,
        "returned_at": None,
    }


async def file(
    tx: Transaction, filings: Sequence[tuple[FilingSubmitted, dict[str, Any]]]
) -> list[OutgoingEvent]:
    """Keep new filings; return the events that bring them to their desks."""
    await repository.add(tx.connection, [row for _, row in filings])
    return [submitted(filing) for filing, _ in filings]


async def answered(tx: Transaction, answer: Answer, *, source_node: str) -> None:
    """Apply the desk's answer; raises ``NotYet`` for a filing that is not known yet."""
    row = await repository.lock(tx.connection, answer.filing_id)
    if row is None:
        raise NotYet("filing_not_seen")
    if row["receiver_node"] != source_node:
        raise Poison("answer_of_another_desk")
    values: dict[str, Any] = {"filing_no": answer.filing_no}
    if isinstance(answer, FilingReceived):
        # a receipt that comes after the decision does not take it back
        waiting = row["state"] in ("queued", "sent", "returned")
        values |= {"state": answer.state} if waiting else {}
        values["received_at"] = answer.received_at
    elif isinstance(answer, FilingRecorded):
        values |= {"state": "recorded", "recorded_at": answer.recorded_at}
    else:
        values |= {
            "state": "returned",
            "returned_at": answer.returned_at,
            "reason": answer.reason,
        }
    await repository.change(tx.connection, answer.filing_id, values)


async def complete(
    tx: Transaction, row: Row, *, summary: str, basis: tuple[Basis, ...], desk: Desk
) -> Row:
    """Complete a returned filing; raises ``WrongState`` when it was not returned."""
    if row["state"] not in _AFTER_RETURN:
        raise WrongState(state=row["state"], act="filing.complete")
    number = int(row["emitted"]) + 1
    await repository.change(
        tx.connection, row["filing_id"], {"state": "queued", "emitted": number, "reason": ""}
    )
    await tx.emit(
        completed(
            row["filing_id"],
            row["receiver_node"],
            number=number,
            summary=summary,
            basis=basis,
            desk=desk,
        )
    )
    await tx.record(
        AuditEntry(
            act="filing.complete",
            object_kind="filing",
            object_id=row["filing_id"],
            principal=desk.principal,
            article=row["article"],
            details={"entry_id": row["entry_id"], "number": number},
        )
    )
    changed = await repository.find(tx.connection, row["filing_id"], own_org=None)
    if changed is None:
        raise NotFound
    return changed
