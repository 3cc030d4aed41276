"""The delivery API: the only door through which another node's department fetches data."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse

from kernel.runtime import Runtime
from kernel.web import EdgeDep, ServiceRouter, options
from sharing.datasets import repository as datasets
from sharing.delivery import service
from sharing.delivery.schemas import RowsOut
from sharing.delivery.service import Delivery
from sharing.delivery.tokens import bearer_of
from sharing.surroundings import context_of

BATCH = 2000
router = ServiceRouter(prefix="/delivery", tags=["delivery"])
NO_DATA: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "尚无可交付数据 / Nothing to deliver",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
}


@router.get("/{grant_id}/rows", responses=NO_DATA)
@options(anonymous=True, writes=True)
async def rows(
    grant_id: UUID,
    edge: EdgeDep,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 500,
) -> RowsOut:
    """A page of rows, with the granted items only; the grant is looked up at every page.

    The cursor stays with the file it began in, also when a newer one is uploaded meanwhile.
    """
    context = context_of(edge.runtime)
    token = bearer_of(edge.request.headers.get("authorization"))
    grant, caller = await service.admit(edge.tx, str(grant_id), token, context=context)
    edge.become(caller)
    most = context.rules_of(grant.rule_version).integer("delivery.page_rows")
    return await service.rows_page(
        edge.tx, grant, cursor=cursor, limit=min(limit, most), context=context
    )


@router.get(
    "/{grant_id}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **NO_DATA},
)
@options(anonymous=True, writes=True)
async def file(grant_id: UUID, edge: EdgeDep) -> StreamingResponse:
    """All rows as one CSV file in UTF-8, with the granted items only.

    The answer breaks off when the grant ends on the way.
    """
    context = context_of(edge.runtime)
    token = bearer_of(edge.request.headers.get("authorization"))
    grant, caller = await service.admit(edge.tx, str(grant_id), token, context=context)
    edge.become(caller)
    delivery = await service.open_delivery(edge.tx, grant, dataset_id=None, at=context.clock.now())
    await service.count(edge.tx, grant, rows=0, context=context)
    return StreamingResponse(
        _lines(edge.runtime, delivery),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{grant_id}.csv"',
            "Cache-Control": "no-store",
        },
    )


async def _lines(runtime: Runtime, delivery: Delivery) -> AsyncIterator[bytes]:
    """Yield the file a batch at a time; each batch looks the grant up again and is counted.

    When the grant ends on the way the answer breaks off: a receiver sees an incomplete body.
    """
    context = context_of(runtime)
    yield _csv([delivery.items])
    after = 0
    while after < delivery.dataset.rows:
        async with runtime.database.transaction() as tx:
            found = await datasets.page(
                tx.connection, delivery.dataset, delivery.items, after=after, limit=BATCH
            )
            if not found:
                return
            await service.count(tx, delivery.grant, rows=len(found), context=context, call=False)
        after = found[-1][0]
        yield _csv(["" if cell is None else cell for cell in cells] for _, cells in found)
    async with runtime.database.transaction() as tx:
        await service.proved(tx, delivery.grant, rows=after, context=context)


def _csv(lines: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(lines)
    return buffer.getvalue().encode()
