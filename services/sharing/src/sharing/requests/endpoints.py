"""HTTP doors of requests."""

from typing import Annotated, Literal
from uuid import UUID

from asyncpg import UniqueViolationError
from fastapi import Body, Query, Response

from kernel.hot import replay
from kernel.idempotency import known_answer
from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound, ProblemError
from kernel.web import Edge, EdgeDep, ServiceRouter, options
from sharing.filings import repository as filings
from sharing.filings import rows as filing_rows
from sharing.filings.models import filings as filings_table
from sharing.filings.schemas import FilingOut
from sharing.known.repository import FACTS, facts_of
from sharing.requests import replying, repository, service
from sharing.requests.domain import RequestState, ShareRequest
from sharing.requests.models import requests as requests_table
from sharing.requests.once import Collected
from sharing.requests.repository import duplicate_or
from sharing.requests.rows import to_row
from sharing.requests.schemas import (
    AnswerSupplement,
    AskSupplement,
    Decision,
    ReplyRequest,
    RequestLine,
    RequestOut,
    ReviewRequest,
    SubmitRequest,
    WithdrawRequest,
    line_of,
    request_out,
)
from sharing.scope import scope_of
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

router = ServiceRouter(prefix="/requests", tags=["requests"])
Box = Literal["sent", "received"]
NOTHING = Decision()
NO_REASON = WithdrawRequest()


@router.post("", status_code=201, response_model=RequestOut)
@options(hot=True)
async def submit(command: SubmitRequest, edge: EdgeDep) -> Response:
    """Submit a share request; both filings of Article 20 ¶2 go out at the same moment."""
    edge.allow("request.submit", organisation=edge.principal.organisation)
    found = await edge.fetch(FACTS, UUID(command.entry_id), edge.principal.organisation)
    tx = Collected(known=facts_of(found[0]))
    context = context_of(edge.runtime)
    try:
        request, made = await service.submit(tx, command, principal=edge.principal, context=context)
    except ProblemError:
        first = await known_answer(edge.runtime.database, edge.claim) if edge.claim else None
        if first is None:
            raise
        return replay(first)
    rows = {requests_table: [to_row(request)]}
    if made:
        rows[filings_table] = [filing_rows.to_row(filing) for filing in made]
    answer = request_out(request, tuple(FilingOut.of(filing) for filing in made))
    try:
        return await edge.once(answer, rows=rows, events=tx.events, audit=tx.audit)
    except UniqueViolationError as error:
        raise duplicate_or(error) from None


@router.get("")
async def list_requests(
    edge: EdgeDep,
    page: PageDep,
    box: Annotated[Box, Query(description="sent 本机构发出；received 本机构收到")] = "sent",
    state: Annotated[RequestState | None, Query()] = None,
) -> Page[RequestLine]:
    """Requests that the caller's organisation has sent or received, newest first."""
    edge.allow("request.read")
    before = page.after(UUID)
    found = await repository.page(
        edge.tx.connection,
        scope=scope_of(edge.principal, "request.read"),
        side=box,
        state=state.value if state else None,
        before=str(before[0]) if before else None,
        limit=page.limit,
    )
    return make_page(found, page, item=line_of, key=lambda request: (request.request_id,))


@router.get("/{request_id}")
async def read(
    request_id: UUID,
    edge: EdgeDep,
    box: Annotated[Box | None, Query(description="一方两栏时选择 / which side")] = None,
) -> RequestOut:
    """One request with its filings; the sent side when the caller may see both."""
    edge.allow("request.read")
    sides = await repository.read(
        edge.tx.connection, str(request_id), scope=scope_of(edge.principal, "request.read")
    )
    wanted = [side for side in sides if box in (None, side.side)]
    if not wanted:
        raise NotFound
    return await _shown(edge, next((s for s in wanted if s.side == "sent"), wanted[0]))


@router.post("/{request_id}/approve")
async def approve(
    request_id: UUID, edge: EdgeDep, command: Annotated[Decision, Body()] = NOTHING
) -> RequestOut:
    """The requester's leader approves; the request goes out (policy)."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request, _ = await service.approve(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/withdraw")
async def withdraw(
    request_id: UUID, edge: EdgeDep, command: Annotated[WithdrawRequest, Body()] = NO_REASON
) -> RequestOut:
    """Take an unanswered request back."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await service.withdraw(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/supplement")
async def supplement(request_id: UUID, command: AnswerSupplement, edge: EdgeDep) -> RequestOut:
    """Answer the source's request for a supplement."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await service.supplement(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/confirm")
async def confirm(
    request_id: UUID, edge: EdgeDep, command: Annotated[Decision, Body()] = NOTHING
) -> RequestOut:
    """Confirm that the delivery arrived and works."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await service.confirm(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/ask-supplement")
async def ask_supplement(request_id: UUID, command: AskSupplement, edge: EdgeDep) -> RequestOut:
    """Ask the requester for a supplement; the deadline of the reply runs on."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await replying.ask_supplement(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/review")
async def review(request_id: UUID, command: ReviewRequest, edge: EdgeDep) -> RequestOut:
    """Record the confidentiality review (Article 30 ¶1) that an agreeing reply needs."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await replying.review(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/reply")
async def reply(request_id: UUID, command: ReplyRequest, edge: EdgeDep) -> RequestOut:
    """Agree, agree in part, or refuse with a law, a regulation or a rule (Article 19 ¶3)."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await replying.reply(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/approve-reply")
async def approve_reply(
    request_id: UUID, edge: EdgeDep, command: Annotated[Decision, Body()] = NOTHING
) -> RequestOut:
    """A second person approves the proposed reply (policy)."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await replying.approve_reply(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


@router.post("/{request_id}/deliver")
async def deliver(
    request_id: UUID, edge: EdgeDep, command: Annotated[Decision, Body()] = NOTHING
) -> RequestOut:
    """Deliver what was agreed: the grant exists and works from now on."""
    tx, context = PostgresSharingTx(edge.tx), context_of(edge.runtime)
    request = await replying.deliver(
        tx, str(request_id), command, principal=edge.principal, context=context
    )
    return await _shown(edge, request)


async def _shown(edge: Edge, request: ShareRequest) -> RequestOut:
    """Return the request as its side sees it; filings are the requester's."""
    if request.side == "received":
        return request_out(request)
    found = await filings.shown_of(edge.tx.connection, request.request_id)
    return request_out(request, tuple(FilingOut.of(filing) for filing in found))
