"""HTTP doors of grants."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Query

from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter
from sharing.grants import repository, service
from sharing.grants.domain import GrantState
from sharing.grants.schemas import GrantOut, ReturnGrant, RevokeGrant
from sharing.scope import scope_of
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

router = ServiceRouter(prefix="/grants", tags=["grants"])
Side = Literal["held", "issued"]
NO_REASON = ReturnGrant()


@router.get("")
async def list_grants(
    edge: EdgeDep,
    page: PageDep,
    side: Annotated[Side, Query(description="held 本机构持有；issued 本机构授予")] = "held",
    state: Annotated[GrantState | None, Query()] = None,
) -> Page[GrantOut]:
    """Grants that the caller's organisation holds or has given, newest first."""
    edge.allow("grant.read")
    before = page.after(UUID)
    found = await repository.page(
        edge.tx.connection,
        scope=scope_of(edge.principal, "grant.read"),
        side=side,
        state=state.value if state else None,
        before=str(before[0]) if before else None,
        limit=page.limit,
    )
    return make_page(found, page, item=GrantOut.of, key=lambda grant: (grant.grant_id,))


@router.get("/{grant_id}")
async def read(
    grant_id: UUID, edge: EdgeDep, side: Annotated[Side | None, Query()] = None
) -> GrantOut:
    """One grant; the issued side, which counts its use, when the caller may see both."""
    edge.allow("grant.read")
    sides = await repository.read(
        edge.tx.connection, str(grant_id), scope=scope_of(edge.principal, "grant.read")
    )
    wanted = [grant for grant in sides if side in (None, grant.side)]
    if not wanted:
        raise NotFound
    return GrantOut.of(next((each for each in wanted if each.side == "issued"), wanted[0]))


@router.post("/{grant_id}/revoke")
async def revoke(grant_id: UUID, command: RevokeGrant, edge: EdgeDep) -> GrantOut:
    """Revoke a grant at once; the holder is told what counts as delivered before."""
    grant = await service.revoke(
        PostgresSharingTx(edge.tx),
        str(grant_id),
        command,
        principal=edge.principal,
        context=context_of(edge.runtime),
    )
    return GrantOut.of(grant)


@router.post("/{grant_id}/return")
async def give_back(
    grant_id: UUID, edge: EdgeDep, command: Annotated[ReturnGrant, Body()] = NO_REASON
) -> GrantOut:
    """Give a grant back that is not needed any more."""
    grant = await service.give_back(
        PostgresSharingTx(edge.tx),
        str(grant_id),
        command,
        principal=edge.principal,
        context=context_of(edge.runtime),
    )
    return GrantOut.of(grant)
