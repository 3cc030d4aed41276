"""HTTP door of the digests."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from kernel.registry import NodeRecord
from kernel.web import EdgeDep, ServiceRouter
from notify.digests import repository, service
from notify.digests.domain import is_stale
from notify.digests.schemas import DigestList, DigestView

router = ServiceRouter(prefix="/digests", tags=["digests"])


@router.get("", summary="时限汇总 / Figures of running deadlines")
async def list_digests(edge: EdgeDep) -> DigestList:
    """Return this node's figures and the newest of each lower node, also of silent ones."""
    runtime = edge.runtime
    edge.allow("digest.read", node=runtime.node)
    now, every = edge.clock.now(), service.interval(runtime)
    own = await service.figures(edge.tx, service.today(runtime))
    held = {row.node: row for row in await repository.held(edge.tx.connection)}
    lower = [record for record in runtime.registry if record.parent == runtime.node]
    record = runtime.registry.node(runtime.node)
    here = DigestView(
        node=runtime.node,
        name=record.name if record else "",
        own=True,
        as_of=now,
        received_at=now,
        age_seconds=0,
        stale=False,
        lines=own.lines,
        overdue_cases=own.overdue_cases,
    )
    others = (_held(each, held.get(each.node), now=now, every=every) for each in lower)
    return DigestList(items=(here, *others))


def _held(
    record: NodeRecord, row: Row[Any] | None, *, now: datetime, every: timedelta
) -> DigestView:
    if row is None:
        return DigestView(
            node=record.node, name=record.name, own=False, as_of=None, received_at=None,
            age_seconds=None, stale=True, lines=(), overdue_cases=(),
        )  # fmt: skip
    return DigestView(
        node=record.node,
        name=record.name,
        own=False,
        as_of=row.as_of,
        received_at=row.received_at,
        age_seconds=int((now - row.as_of).total_seconds()),
        stale=is_stale(row.as_of, now=now, every=every),
        lines=row.lines,
        overdue_cases=row.overdue_cases,
    )
