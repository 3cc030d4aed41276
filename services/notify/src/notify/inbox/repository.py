"""Queries of the inboxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.principal import Principal
from notify.inbox.models import InboxItem, InboxRead
from notify.orm import table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """Which of the caller's items to list; None leaves a criterion out."""

    unread: bool | None = None
    kind: str | None = None
    case_id: str | None = None


async def put(connection: AsyncConnection, items: Sequence[dict[str, object]]) -> None:
    """Insert items; one that is there already stays as it is."""
    if items:
        statement = insert(table_of(InboxItem)).on_conflict_do_nothing()
        await connection.execute(statement, list(items))


def _addressed_to(principal: Principal) -> ColumnElement[bool]:
    """An item without organisation is for whoever holds its role at this node."""
    mailboxes = [f"@{role}" for role in sorted(principal.roles)]
    mailboxes += [f"~{principal.subject}"]
    if principal.organisation:
        mailboxes.append(principal.organisation)
    return and_(
        InboxItem.mailbox.in_(mailboxes),
        or_(InboxItem.role.is_(None), InboxItem.role.in_(sorted(principal.roles))),
        or_(InboxItem.subject.is_(None), InboxItem.subject == principal.subject),
    )


def _conditions(principal: Principal, wanted: InboxFilter) -> list[ColumnElement[bool]]:
    found = [_addressed_to(principal)]
    read = exists().where(
        InboxRead.item_id == InboxItem.item_id, InboxRead.reader == principal.subject
    )
    if wanted.unread is not None:
        found.append(~read if wanted.unread else read)
    if wanted.kind is not None:
        found.append(InboxItem.kind == wanted.kind)
    if wanted.case_id is not None:
        found.append(InboxItem.case_id == wanted.case_id)
    return found


def _listing(principal: Principal) -> Select[tuple[InboxItem, datetime | None]]:
    read_at = (
        select(InboxRead.at)
        .where(InboxRead.item_id == InboxItem.item_id, InboxRead.reader == principal.subject)
        .scalar_subquery()
        .label("read_at")
    )
    return select(*InboxItem.__table__.columns, read_at)


async def page(
    connection: AsyncConnection,
    principal: Principal,
    wanted: InboxFilter,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Row[tuple[object, ...]]]:
    """Return the caller's items, newest first, ``after`` the given (at, item_id)."""
    statement = _listing(principal).where(*_conditions(principal, wanted))
    if after is not None:
        statement = statement.where(tuple_(InboxItem.at, InboxItem.item_id) < after)
    statement = statement.order_by(InboxItem.at.desc(), InboxItem.item_id.desc()).limit(limit)
    return (await connection.execute(statement)).all()


async def count(connection: AsyncConnection, principal: Principal, wanted: InboxFilter) -> int:
    """Count what ``page`` would list over all pages."""
    statement = select(func.count()).select_from(InboxItem)
    found = await connection.scalar(statement.where(*_conditions(principal, wanted)))
    return found or 0


async def find(
    connection: AsyncConnection, principal: Principal, item_id: str
) -> Row[tuple[object, ...]] | None:
    """Return one of the caller's items."""
    statement = _listing(principal).where(InboxItem.item_id == item_id, _addressed_to(principal))
    return (await connection.execute(statement)).one_or_none()


async def mark_read(
    connection: AsyncConnection, item_id: str, *, reader: str, at: datetime
) -> None:
    """Note that a person has read an item; the first time stays."""
    statement = insert(InboxRead).values(item_id=item_id, reader=reader, at=at)
    await connection.execute(statement.on_conflict_do_nothing())
