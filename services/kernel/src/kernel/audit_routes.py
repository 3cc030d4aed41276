"""``/audit``: who did what, proof that the log is whole, and the head that others may keep."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select, select

from kernel.audit import newest_head, verify
from kernel.audit_batches import Head
from kernel.edge import EdgeDep
from kernel.edge_tables import audit
from kernel.pagination import Page, PageDep, make_page
from kernel.problems import FieldInvalid, Invalid
from kernel.routes import ServiceRouter
from kernel.signing import Keyring

router = ServiceRouter(prefix="/audit", tags=["audit"])
Filter = Annotated[str | None, Query(max_length=200)]


class AuditRow(BaseModel):
    """One act."""

    id: UUID
    at: datetime
    subject: str
    name: str
    organisation: str
    roles: str
    act: str
    object_kind: str
    object_id: str
    article: str
    rule_version: str
    outcome: str
    reason: str
    trace_id: str
    details: dict[str, Any]


class HeadOut(BaseModel):
    """The newest batch; ``hash`` in hexadecimal."""

    node: str
    service: str
    number: int
    hash: str


class BrokenOut(BaseModel):
    """The first broken link: batch number, reason, and the row where one is meant."""

    number: int
    reason: str
    row: str = ""


class VerificationOut(BaseModel):
    """Whether the log is whole."""

    whole: bool
    head: HeadOut
    batches: int
    rows: int
    pending: int
    broken: BrokenOut | None = None


class AuditFilter(BaseModel):
    """Which acts are asked for; all conditions hold together."""

    act: Filter = None
    object_id: Filter = None
    organisation: Filter = None
    subject: Filter = None
    outcome: Filter = None
    since: datetime | None = None
    until: datetime | None = None


@router.get("")
async def list_audit(
    asked: Annotated[AuditFilter, Query()], page: PageDep, edge: EdgeDep
) -> Page[AuditRow]:
    """List acts of this node, newest first."""
    edge.allow("audit.read", node=edge.runtime.node)
    query = _filtered(select(audit), asked).order_by(audit.c.id.desc()).limit(page.limit + 1)
    after = page.after(UUID)
    if after is not None:
        query = query.where(audit.c.id < after[0])
    rows = (await edge.tx.connection.execute(query)).mappings().all()
    return make_page(
        rows,
        page,
        item=lambda row: AuditRow(**{**row, "details": orjson.loads(row["details"])}),
        key=lambda row: (row["id"],),
    )


@router.get("/head")
async def show_head(edge: EdgeDep) -> HeadOut:
    """Return the head of the chain, for somebody who wants to hold it."""
    edge.allow("audit.verify", node=edge.runtime.node)
    return _head(await newest_head(edge.tx))


@router.get("/verify")
async def verify_audit(
    edge: EdgeDep,
    number: Annotated[int | None, Query(ge=1, le=2**62, description="已知链头的编号")] = None,
    digest: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", alias="hash")] = None,
) -> VerificationOut:
    """Walk the chain and name its first broken link.

    With ``number`` and ``hash`` of a head that somebody holds, the chain must contain it.
    """
    edge.allow("audit.verify", node=edge.runtime.node)
    if (number is None) != (digest is None):
        zh, en = "number 与 hash 须同时给出。", "number and hash go together."
        raise Invalid([FieldInvalid(field="number", reason_zh=zh, reason_en=en)])
    runtime = edge.runtime
    known = None
    if number is not None and digest is not None:
        known = Head(
            node=runtime.node, service=runtime.service, number=number, hash=bytes.fromhex(digest)
        )
    found = await verify(runtime.database, Keyring(runtime.registry), known=known)
    fault = found.broken
    return VerificationOut(
        whole=fault is None,
        head=_head(found.head),
        batches=found.batches,
        rows=found.rows,
        pending=found.pending,
        broken=BrokenOut(number=fault.number, reason=fault.reason, row=fault.row)
        if fault
        else None,
    )


def _filtered(query: Select[Any], asked: AuditFilter) -> Select[Any]:
    for name in ("act", "object_id", "organisation", "subject", "outcome"):
        value = getattr(asked, name)
        if value is not None:
            query = query.where(audit.c[name] == value)
    if asked.since is not None:
        query = query.where(audit.c.at >= asked.since)
    if asked.until is not None:
        query = query.where(audit.c.at < asked.until)
    return query


def _head(head: Head) -> HeadOut:
    return HeadOut(node=head.node, service=head.service, number=head.number, hash=head.hash.hex())
