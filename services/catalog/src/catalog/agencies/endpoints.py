"""HTTP doors of agencies."""

from typing import Annotated

from fastapi import Query

from catalog.agencies import repository, service
from catalog.agencies.repository import Row
from catalog.agencies.schemas import (
    AgencyView,
    AmendAgency,
    Appoint,
    AppointmentView,
    RegisterAgency,
)
from catalog.desk import desk_of
from catalog.schemas import OrgId
from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter, expected_version

router = ServiceRouter(prefix="/agencies", tags=["agencies"])
Criterion = Annotated[str | None, Query(max_length=64)]


@router.post("", status_code=201, summary="登记机构 / Register an agency")
async def register(command: RegisterAgency, edge: EdgeDep) -> AgencyView:
    """Register an agency of this node; it is announced to the whole federation."""
    edge.allow("agency.maintain", node=edge.runtime.node)
    row = await service.register(edge.tx, command, desk_of(edge.runtime, edge.principal))
    return _view(edge, row)


@router.get("", summary="机构列表 / Agencies of this node")
async def list_agencies(
    edge: EdgeDep, page: PageDep, kind: Criterion = None, state: Criterion = None
) -> Page[AgencyView]:
    """List this node's agencies by id."""
    edge.allow("agency.read", node=edge.runtime.node)
    after = page.after(str)
    rows = await repository.page(
        edge.tx.connection,
        kind=kind,
        state=state,
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    return make_page(
        rows, page, item=lambda row: _view(edge, row), key=lambda row: (row["org_id"],)
    )


@router.get("/{org_id}", summary="机构详情 / One agency")
async def read_agency(org_id: OrgId, edge: EdgeDep) -> AgencyView:
    """Return an agency with its appointments."""
    edge.allow("agency.read", node=edge.runtime.node)
    return await _detail(edge, org_id)


@router.patch("/{org_id}", summary="修改机构 / Change an agency")
async def amend(org_id: OrgId, command: AmendAgency, edge: EdgeDep) -> AgencyView:
    """Change an agency; ``If-Match`` carries the version that the change is based on."""
    edge.allow("agency.maintain", node=edge.runtime.node)
    row = await service.amend(
        edge.tx,
        org_id,
        command,
        version=expected_version(edge),
        desk=desk_of(edge.runtime, edge.principal),
    )
    return _view(edge, row)


@router.post("/{org_id}/appointments", status_code=201, summary="任命 / Appoint")
async def appoint(org_id: OrgId, command: Appoint, edge: EdgeDep) -> AgencyView:
    """Appoint a chief data officer or a steward."""
    edge.allow("agency.appoint", organisation=org_id, node=edge.runtime.node)
    await service.appoint(edge.tx, org_id, command, desk_of(edge.runtime, edge.principal))
    return await _detail(edge, org_id)


async def _detail(edge: Edge, org_id: str) -> AgencyView:
    row = await repository.find(edge.tx.connection, org_id)
    if row is None:
        raise NotFound
    held = await repository.appointments_of(edge.tx.connection, org_id)
    shown = tuple(AppointmentView(**{name: each[name] for name in _APPOINTMENT}) for each in held)
    return _view(edge, row).model_copy(update={"appointments": shown})


_APPOINTMENT = tuple(AppointmentView.model_fields)


def _view(edge: Edge, row: Row) -> AgencyView:
    return AgencyView(**service.view_values(row, edge.runtime.node))
