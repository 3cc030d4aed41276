"""HTTP doors of datasets."""

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import File, Response, UploadFile

from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter
from sharing.datasets import repository, service
from sharing.datasets.schemas import DatasetOut
from sharing.scope import scope_of
from sharing.surroundings import context_of

router = ServiceRouter(prefix="/datasets", tags=["datasets"])
_CHUNK = 1 << 20


@router.post("/{entry_id}", status_code=201)
async def upload(
    entry_id: UUID, edge: EdgeDep, response: Response, file: UploadFile = File()
) -> DatasetOut:
    """Upload the entry's data: CSV in UTF-8 or GB18030, item names in its first line.

    A file equal to the current one answers 200 and changes nothing.
    """
    edge.allow("dataset.upload")
    done = await service.upload(
        edge.tx,
        str(entry_id),
        _chunks(file),
        principal=edge.principal,
        context=context_of(edge.runtime),
        objects=edge.runtime.objects,
    )
    if done.unchanged:
        response.status_code = 200
    return DatasetOut.of(done.dataset, unchanged=done.unchanged)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


@router.get("/{entry_id}")
async def read(entry_id: UUID, edge: EdgeDep) -> DatasetOut:
    """The entry's current data file, without its rows."""
    edge.allow("dataset.read")
    scope = scope_of(edge.principal, "dataset.read")
    dataset = await repository.visible(edge.tx.connection, str(entry_id), scope=scope)
    if dataset is None:
        raise NotFound
    return DatasetOut.of(dataset)
