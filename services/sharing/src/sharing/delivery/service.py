"""A delivery call: the grant is looked up, the token spent and the use counted at every page."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.db import Transaction
from kernel.pagination import decode_cursor, encode_cursor
from kernel.principal import Principal
from kernel.problems import CursorInvalid, TokenInvalid
from sharing.context import NodeContext
from sharing.datasets import repository as datasets
from sharing.datasets.repository import Dataset
from sharing.delivery.errors import TokenReplayed
from sharing.delivery.schemas import RowsOut
from sharing.delivery.tokens import verify
from sharing.errors import EntrySuspended, GrantOver, NothingToDeliver
from sharing.grants import repository as grants
from sharing.grants.domain import Grant, GrantState
from sharing.grants.service import prove
from sharing.known import repository as known
from sharing.store import PostgresSharingTx


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a call may read: one dataset, cut down to the grant's items."""

    grant: Grant
    dataset: Dataset
    items: tuple[str, ...]


async def admit(
    tx: Transaction, grant_id: str, token: str, *, context: NodeContext
) -> tuple[Grant, Principal]:
    """Return grant and using system of a call, its token verified and spent.

    An unknown grant is answered like a wrong signature: who holds no key learns nothing.
    """
    grant = await grants.find_issued(tx.connection, grant_id)
    if grant is None:
        raise TokenInvalid
    now = context.clock.now()
    longest = context.rules_of(grant.rule_version).integer("grant.token_seconds")
    call = verify(token, grant, node=context.node, now=now, longest=longest)
    fresh = await grants.spend_token(
        tx.connection, grant_id, call.digest, expires_at=call.expires_at
    )
    if not fresh:
        raise TokenReplayed
    return grant, Principal(
        subject=grant.system_id,
        name="",
        organisation=grant.holder.org_id,
        node=grant.holder.node,
        roles=frozenset({"department_system"}),
        kind="system",
    )


async def open_delivery(
    tx: Transaction, grant: Grant, *, dataset_id: str | None, at: datetime
) -> Delivery:
    """Return what the grant may read now; raises why it may not."""
    if not grant.usable_at(at):
        reason = grant.end_reason if grant.state is GrantState.ENDED else "expired"
        raise GrantOver(reason=reason, article="第三十条第三款")
    entry = await known.entry(tx.connection, grant.entry_id)
    if entry is None or entry.state == "offline":
        raise GrantOver(reason="takedown")
    if entry.state == "suspended":
        raise EntrySuspended
    if dataset_id is None:
        dataset = await datasets.current(tx.connection, grant.entry_id)
    else:
        dataset = await datasets.of_entry(tx.connection, grant.entry_id, dataset_id)
    if dataset is None:
        raise NothingToDeliver if dataset_id is None else CursorInvalid(field="cursor")
    items = tuple(name for name in grant.items if name in dataset.columns)
    if not items:
        raise NothingToDeliver
    return Delivery(grant=grant, dataset=dataset, items=items)


async def rows_page(
    tx: Transaction, grant: Grant, *, cursor: str | None, limit: int, context: NodeContext
) -> RowsOut:
    """Return one page of rows and count it; the first one proves the delivery (D4)."""
    dataset_id, after = read_cursor(cursor)
    now = context.clock.now()
    delivery = await open_delivery(tx, grant, dataset_id=dataset_id, at=now)
    found = await datasets.page(
        tx.connection, delivery.dataset, delivery.items, after=after, limit=limit
    )
    await proved(tx, grant, rows=len(found), context=context)
    await count(tx, grant, rows=len(found), context=context)
    last = found[-1][0] if found else after
    more = last < delivery.dataset.rows
    return RowsOut(
        grant_id=grant.grant_id,
        entry_id=grant.entry_id,
        dataset_id=delivery.dataset.dataset_id,
        entry_version=delivery.dataset.entry_version,
        items=delivery.items,
        rows=[dict(zip(delivery.items, cells, strict=True)) for _, cells in found],
        next=encode_cursor(delivery.dataset.dataset_id, last) if more else None,
    )


def read_cursor(cursor: str | None) -> tuple[str | None, int]:
    """Return dataset and last row number of a cursor; raises ``CursorInvalid``."""
    if cursor is None:
        return None, 0
    dataset_id, after = decode_cursor(cursor, UUID, int)
    if after < 0:
        raise CursorInvalid(field="cursor")
    return str(dataset_id), after


async def proved(tx: Transaction, grant: Grant, *, rows: int, context: NodeContext) -> None:
    """Note the first delivery that arrived whole.

    This locks the request and then the grant, as everything does, so it comes before ``count``.
    """
    if grant.proved_at is None:
        await prove(PostgresSharingTx(tx), grant.grant_id, rows=rows, context=context)


async def count(
    tx: Transaction, grant: Grant, *, rows: int, context: NodeContext, call: bool = True
) -> None:
    """Count a call, or a further batch of one; raises ``GrantOver`` when the grant has ended."""
    at = context.clock.now()
    if not await grants.count_use(tx.connection, grant.grant_id, rows=rows, at=at, call=call):
        raise GrantOver(reason="ended", article="第三十条第三款")
