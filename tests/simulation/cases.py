"""Plain cases with several writers at once, the desks' work, and one page of a delivery."""

from dataclasses import replace
from typing import Any

from contracts.events.filing import FilingCompleted
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import GrantOver
from sharing.grants.domain import Grant
from sharing.grants.service import prove
from tests.simulation.handed import WorldTransaction


async def write_case(tx: WorldTransaction, case_id: str, to_node: str) -> int:
    """Change a case under its lock and tell a desk; returns the case's new version."""
    await tx.connection.statement("case.lock")
    row: Any = await tx.connection.lock("cases", case_id)
    if row is None:
        await tx.connection.insert("cases", case_id, {"version": 0}, or_ignore=True)
        row = await tx.connection.lock("cases", case_id)
    version: int = row["version"] + 1
    await tx.connection.statement("case.update")
    await tx.connection.write("cases", case_id, {"version": version})
    payload = FilingCompleted(
        filing_id=case_id, summary=f"{version}", completed_by="writer", completed_at=str(version)
    )
    await tx.emit(
        OutgoingEvent(
            type="yiwang.filing.completed.v1",
            topic=topic_name("filings", to_node),
            key=case_id,
            case_version=version,
            subject=case_id,
            payload=payload,
            destination=to_node,
        )
    )
    return version


async def fetch_page(tx: WorldTransaction, grant_id: str, *, context: NodeContext) -> None:
    """Deliver one page as ``sharing.delivery`` does: look up, prove, count under the lock."""
    await tx.connection.statement("find_issued")
    row = tx.connection.get("grants", (grant_id, "issued"))
    if row is None:
        raise NotFound
    grant: Grant = row["value"]
    now = context.clock.now()
    if not grant.usable_at(now):
        raise GrantOver(reason=grant.end_reason)
    if grant.proved_at is None:
        await prove(tx, grant_id, rows=1, context=context)
    counted = await tx.lock_grant(grant_id, "issued")
    if counted is None or not counted.usable_at(now):
        raise GrantOver(reason="ended")
    await tx.update_grant(
        replace(
            counted,
            calls=counted.calls + 1,
            rows_delivered=counted.rows_delivered + 1,
            last_delivery_at=now,
        )
    )
