"""HTTP doors of the filing desk."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Response

from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter
from notify.desk import authority_of
from notify.filings import repository, service
from notify.filings.document import to_html
from notify.filings.domain import Filing, State
from notify.filings.printing import document_of, proof_of
from notify.filings.repository import DeskTransaction, FilingFilter
from notify.filings.schemas import (
    EnterExternalNumber,
    FilingDetail,
    FilingView,
    ReturnFiling,
    to_detail,
    to_view,
)
from notify.schemas import FilingId
from notify.scope import organisation_scope

router = ServiceRouter(prefix="/filings", tags=["filings"])
Criterion = Annotated[str | None, Query(max_length=200)]


@router.get("", summary="备案台列表 / Filings of this desk")
async def list_filings(
    edge: EdgeDep,
    page: PageDep,
    state: Annotated[State | None, Query()] = None,
    rule: Criterion = None,
    filer_org: Criterion = None,
    filer_node: Criterion = None,
    subject_id: Criterion = None,
    filing_no: Criterion = None,
) -> Page[FilingView]:
    """List the desk's filings, the latest received first; an agency sees those that it filed."""
    edge.allow("filing.read", node=edge.runtime.node)
    own = organisation_scope(edge.principal, "filing.read")
    wanted = FilingFilter(
        state=state,
        rule=rule,
        filer_org=filer_org,
        own_org=own,
        filer_node=filer_node,
        subject_id=subject_id,
        filing_no=filing_no,
    )
    rows = await repository.page(
        edge.tx.connection,
        wanted,
        after=page.after(datetime.fromisoformat, str),
        limit=page.limit + 1,
    )
    return make_page(rows, page, item=to_view, key=lambda row: (row.received_at, row.filing_id))


async def _visible(edge: Edge, filing_id: str) -> Filing:
    edge.allow("filing.read", node=edge.runtime.node)
    own = organisation_scope(edge.principal, "filing.read")
    filing = await repository.find(edge.tx.connection, filing_id, filer_org=own)
    if filing is None:
        raise NotFound
    return filing


async def _detail(edge: Edge, filing: Filing) -> FilingDetail:
    connection = edge.tx.connection
    return to_detail(
        filing,
        steps=await repository.steps(connection, filing.filing_id),
        status=await repository.status_of(connection, filing),
    )


@router.get("/{filing_id}", summary="备案详情 / One filing")
async def read_filing(filing_id: FilingId, edge: EdgeDep) -> FilingDetail:
    """Return a filing with its history and the read-only state of its subject."""
    return await _detail(edge, await _visible(edge, filing_id))


@router.get(
    "/{filing_id}/document",
    summary="备案文书 / Printable filing document",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "text/plain": {}}}},
)
async def read_document(
    filing_id: FilingId,
    edge: EdgeDep,
    form: Annotated[Literal["html", "text"], Query(alias="format")] = "html",
) -> Response:
    """Return the document for printing; ``ETag`` is the SHA-256 of its text.

    A document for outside the platform carries the node's signature over the text, in the page
    and as ``Document-Key`` and ``Document-Signature`` (base64url).
    """
    filing = await _visible(edge, filing_id)
    authority = await authority_of(edge.tx.connection, edge.runtime)
    document = document_of(filing, rulebook=edge.rules, authority=authority.name)
    proof = await proof_of(edge.tx.connection, document)
    headers = {
        "ETag": f'"{document.digest}"',
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    if proof is not None:
        headers |= {"Document-Key": proof.key_id, "Document-Signature": proof.signature}
    if form == "text":
        return Response(document.text, media_type="text/plain; charset=utf-8", headers=headers)
    line = f"{proof.key_id} {proof.signature}" if proof else ""
    return Response(
        to_html(document, proof=line), media_type="text/html; charset=utf-8", headers=headers
    )


async def _on_desk(edge: Edge, act: str, filing_id: str) -> Filing:
    """Return the filing, held, once the caller may act; nobody records what he submitted."""
    edge.allow(act, node=edge.runtime.node)
    filing = await service.find_for_act(DeskTransaction(edge.tx), filing_id)
    if filing.filer.node == edge.runtime.node:
        edge.allow(act, node=edge.runtime.node, submitted_by=filing.submitted_by)
    return filing


@router.post("/{filing_id}/record", summary="登记备案 / Record")
async def record(filing_id: FilingId, edge: EdgeDep) -> FilingDetail:
    """Record a received filing (已备案)."""
    filing = await _on_desk(edge, "filing.record", filing_id)
    moved = await service.record(DeskTransaction(edge.tx), filing, by=edge.principal)
    return await _detail(edge, moved)


@router.post("/{filing_id}/external-number", summary="录入平台外备案号 / External number")
async def enter_external_number(
    filing_id: FilingId, command: EnterExternalNumber, edge: EdgeDep
) -> FilingDetail:
    """Record a filing with the number that the authority outside the platform gave."""
    filing = await _on_desk(edge, "filing.external_number", filing_id)
    moved = await service.enter_external_number(
        DeskTransaction(edge.tx), filing, number=command.external_no, by=edge.principal
    )
    return await _detail(edge, moved)


@router.post("/{filing_id}/return", summary="退回补正 / Return for completion")
async def return_filing(filing_id: FilingId, command: ReturnFiling, edge: EdgeDep) -> FilingDetail:
    """Return a filing for completion; what it reports goes on meanwhile."""
    filing = await _on_desk(edge, "filing.return", filing_id)
    moved = await service.return_for_completion(
        DeskTransaction(edge.tx), filing, reason=command.reason, by=edge.principal
    )
    return await _detail(edge, moved)
