"""HTTP doors of filings F1 as their filer sees them."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field

from catalog.desk import desk_of
from catalog.entries.content import BasisText
from catalog.filings import repository, service
from catalog.filings.repository import Row
from catalog.schemas import Command, Reason, View
from kernel.pagination import Page, PageDep, make_page
from kernel.policies import sees_whole_node
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter

router = ServiceRouter(prefix="/filings", tags=["filings"])
FilingId = Annotated[UUID, Path(description="备案标识 / the filing's id")]


class CompleteFiling(Command):
    """What a returned filing lacked."""

    summary: Reason
    basis: Annotated[tuple[BasisText, ...], Field(max_length=20)] = ()


class FilingView(View):
    """A filing: ``queued`` until the desk's receipt is back; ``parts`` is ``*`` or item names."""

    filing_id: str
    filing_no: str | None
    rule: str
    article: str
    entry_id: str
    version: int
    receiver_node: str
    state: str
    parts: tuple[str, ...]
    reason: str
    submitted_at: str
    received_at: str | None
    recorded_at: str | None
    returned_at: str | None


@router.get("", summary="不予共享备案 / Filings of entries not shared")
async def list_filings(
    edge: EdgeDep,
    page: PageDep,
    entry_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[str | None, Query(max_length=40)] = None,
) -> Page[FilingView]:
    """List filings F1, newest first; an agency sees its own."""
    edge.allow("filing.read", node=edge.runtime.node)
    after = page.after(UUID)
    rows = await repository.page(
        edge.tx.connection,
        own_org=_own(edge),
        entry_id=str(entry_id) if entry_id else None,
        state=state,
        before=str(after[0]) if after else None,
        limit=page.limit + 1,
    )
    return make_page(rows, page, item=_view, key=lambda row: (row["filing_id"],))


@router.get("/{filing_id}", summary="备案详情 / One filing")
async def read_filing(filing_id: FilingId, edge: EdgeDep) -> FilingView:
    """Return one filing."""
    edge.allow("filing.read", node=edge.runtime.node)
    row = await repository.find(edge.tx.connection, str(filing_id), own_org=_own(edge))
    if row is None:
        raise NotFound
    return _view(row)


@router.post("/{filing_id}/complete", summary="补正备案 / Complete a returned filing")
async def complete(filing_id: FilingId, command: CompleteFiling, edge: EdgeDep) -> FilingView:
    """Complete a filing that its desk returned; it lies on the desk as received again."""
    row = await repository.lock(edge.tx.connection, str(filing_id))
    if row is None:
        edge.allow("filing.complete", node=edge.runtime.node)
        raise NotFound
    edge.allow("filing.complete", organisation=row["providing_org"], node=edge.runtime.node)
    changed = await service.complete(
        edge.tx,
        row,
        summary=command.summary,
        basis=tuple(basis.to_event() for basis in command.basis),
        desk=desk_of(edge.runtime, edge.principal),
    )
    return _view(changed)


def _own(edge: Edge) -> str | None:
    whole = sees_whole_node(edge.principal, "filing.read")
    return None if whole else edge.principal.organisation


def _view(row: Row) -> FilingView:
    values = {name: row[name] for name in FilingView.model_fields if name != "submitted_at"}
    return FilingView(submitted_at=row["submitted_at"].isoformat(), **values)
