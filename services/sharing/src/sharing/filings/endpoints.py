"""HTTP doors of filings, as their filer follows them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter
from sharing.filings import repository, service
from sharing.filings.domain import FilingState
from sharing.filings.schemas import CompleteFiling, FilingOut
from sharing.scope import scope_of
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

router = ServiceRouter(prefix="/filings", tags=["filings"])


@router.get("")
async def list_filings(
    edge: EdgeDep, page: PageDep, state: Annotated[FilingState | None, Query()] = None
) -> Page[FilingOut]:
    """Filings of the caller's organisation, newest first."""
    edge.allow("filing.read")
    before = page.after(UUID)
    found = await repository.page(
        edge.tx.connection,
        scope=scope_of(edge.principal, "filing.read"),
        state=state.value if state else None,
        before=str(before[0]) if before else None,
        limit=page.limit,
    )
    return make_page(found, page, item=FilingOut.of, key=lambda filing: (filing.filing_id,))


@router.get("/{filing_id}")
async def read(filing_id: UUID, edge: EdgeDep) -> FilingOut:
    """One filing with the three instants of its receipt."""
    edge.allow("filing.read")
    scope = scope_of(edge.principal, "filing.read")
    filing = await repository.read(edge.tx.connection, str(filing_id), scope=scope)
    if filing is None:
        raise NotFound
    return FilingOut.of(filing)


@router.post("/{filing_id}/complete")
async def complete(filing_id: UUID, command: CompleteFiling, edge: EdgeDep) -> FilingOut:
    """Complete a filing that was returned."""
    filing = await service.complete(
        PostgresSharingTx(edge.tx),
        str(filing_id),
        command,
        principal=edge.principal,
        context=context_of(edge.runtime),
    )
    return FilingOut.of(filing)
