"""HTTP doors of the inboxes."""

from datetime import datetime
from typing import Annotated

from fastapi import Query

from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter
from notify.inbox import repository
from notify.inbox.repository import InboxFilter
from notify.inbox.schemas import InboxItemView, to_view
from notify.schemas import ItemId

router = ServiceRouter(prefix="/inbox", tags=["inbox"])


@router.get("", summary="收件箱 / Inbox")
async def list_inbox(
    edge: EdgeDep,
    page: PageDep,
    unread: Annotated[bool | None, Query()] = None,
    kind: Annotated[str | None, Query(max_length=50)] = None,
    case_id: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[InboxItemView]:
    """List what is for the caller, for the caller's roles and for the whole organisation."""
    edge.allow("inbox.read", node=edge.runtime.node)
    rows = await repository.page(
        edge.tx.connection,
        edge.principal,
        InboxFilter(unread=unread, kind=kind, case_id=case_id),
        after=page.after(datetime.fromisoformat, str),
        limit=page.limit + 1,
    )
    return make_page(rows, page, item=to_view, key=lambda row: (row.at, row.item_id))


@router.post("/{item_id}/read", summary="标为已读 / Mark as read")
async def read(item_id: ItemId, edge: EdgeDep) -> InboxItemView:
    """Note that the caller has read an item; others of the organisation still see it unread."""
    edge.allow("inbox.read", node=edge.runtime.node)
    connection = edge.tx.connection
    if await repository.find(connection, edge.principal, item_id) is None:
        raise NotFound
    await repository.mark_read(
        connection, item_id, reader=edge.principal.subject, at=edge.clock.now()
    )
    row = await repository.find(connection, edge.principal, item_id)
    if row is None:
        raise NotFound
    return to_view(row)
