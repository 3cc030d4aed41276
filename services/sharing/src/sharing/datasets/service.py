"""Takes a data file in: checks it against the entry's items, stores file and rows, all or nothing.

One file per entry is current. A file equal to the current one changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from contracts.events.catalog import EntryState, Item
from kernel.attachments import ObjectStore, StoredObject
from kernel.db import Transaction
from kernel.policies import authorise
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import ProblemError
from sharing.context import NodeContext
from sharing.datasets import repository
from sharing.datasets.domain import CellFinding, RowChecker, match_header
from sharing.datasets.errors import (
    ColumnRefused,
    FileRefused,
    FileUnreadable,
    OtherNodesEntry,
    RowRefused,
)
from sharing.datasets.reading import CsvFile, Encoding, UnreadableError, detect
from sharing.datasets.repository import Dataset
from sharing.errors import EntryUnknown
from sharing.known import repository as known

BATCH = 2000
MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """The current dataset after an upload; ``unchanged`` when the same file was current before."""

    dataset: Dataset
    unchanged: bool


async def upload(
    tx: Transaction,
    entry_id: str,
    chunks: AsyncIterator[bytes],
    *,
    principal: Principal,
    context: NodeContext,
    objects: ObjectStore,
) -> Uploaded:
    """Store a file as the entry's current dataset; raise ``FileRefused`` listing rows and items."""
    entry = await _uploadable(tx, entry_id, principal, context)
    await repository.lock_entry(tx.connection, entry_id)
    limit = context.rulebook.current.integer("upload.max_bytes")
    space = object_space(entry_id)
    stored = await objects.put(chunks, space=space, limit=limit)
    current = await repository.current(tx.connection, entry_id)
    if current and (current.digest, current.entry_version) == (stored.digest, entry.version):
        return Uploaded(dataset=current, unchanged=True)
    path = objects.path(stored.digest, space=space)
    try:
        encoding = await asyncio.to_thread(detect, path)
        with await asyncio.to_thread(CsvFile, path, encoding) as file:
            dataset = await _load(tx, file, entry, stored, encoding, principal, context)
    except UnreadableError as error:
        raise FileUnreadable(field="file", reason=error.reason, line=error.line or "-") from None
    await repository.make_current(tx.connection, dataset, at=dataset.uploaded_at)
    await tx.record(_audit(dataset, principal, context))
    return Uploaded(dataset=dataset, unchanged=False)


async def _uploadable(
    tx: Transaction, entry_id: str, principal: Principal, context: NodeContext
) -> EntryState:
    entry = await known.entry(tx.connection, entry_id)
    if entry is None:
        raise EntryUnknown(field="entry_id")
    if entry.node != context.node:
        raise OtherNodesEntry(act="dataset.upload")
    organisation = entry.providing_org.org_id
    authorise(principal, "dataset.upload", organisation=organisation, node=entry.node)
    return entry


async def _load(
    tx: Transaction,
    file: CsvFile,
    entry: EntryState,
    stored: StoredObject,
    encoding: Encoding,
    principal: Principal,
    context: NodeContext,
) -> Dataset:
    header = await asyncio.to_thread(file.header)
    items, wrong = match_header(header, entry.items)
    if wrong:
        problems: list[ProblemError] = [
            ColumnRefused(
                field="file", column=each.column or "-", item=each.item or "-", code=each.reason
            )
            for each in wrong[:MAX_FINDINGS]
        ]
        raise FileRefused(problems)
    dataset_id = str(context.ids.uuid7())
    rows = await _copy(tx, file, items, dataset_id)
    return Dataset(
        dataset_id=dataset_id,
        entry_id=entry.entry_id,
        org_id=entry.providing_org.org_id,
        node=entry.node,
        entry_version=entry.version,
        columns=tuple(item.name_en for item in items),
        encoding=encoding,
        digest=stored.digest,
        size=stored.size,
        rows=rows,
        uploaded_by=principal.subject,
        uploaded_at=context.clock.now(),
    )


async def _copy(tx: Transaction, file: CsvFile, items: tuple[Item, ...], dataset_id: str) -> int:
    """Check and copy batch after batch; stop copying at the first finding, go on checking."""
    checker = RowChecker(items)
    findings: list[CellFinding] = []
    count = 0
    while len(findings) < MAX_FINDINGS:
        batch = await asyncio.to_thread(_checked, file, checker, count)
        if not batch.rows and not batch.findings:
            break
        count += batch.read
        findings += batch.findings
        if not findings:
            await repository.copy_rows(tx.connection, dataset_id, batch.rows)
    if findings:
        raise FileRefused(
            [
                RowRefused(field="file", row=each.row, item=each.item or "-", code=each.reason)
                for each in findings[:MAX_FINDINGS]
            ]
        )
    if not count:
        raise UnreadableError("no_rows")
    return count


@dataclass(frozen=True, slots=True)
class _Batch:
    read: int
    rows: list[tuple[int, list[str | None]]]
    findings: list[CellFinding]


def _checked(file: CsvFile, checker: RowChecker, before: int) -> _Batch:
    rows: list[tuple[int, list[str | None]]] = []
    findings: list[CellFinding] = []
    read = file.rows(BATCH)
    for number, cells in enumerate(read, start=before + 1):
        stored, wrong = checker.check(number, cells)
        findings += wrong
        rows.append((number, stored))
    return _Batch(len(read), rows, findings)


def _audit(dataset: Dataset, principal: Principal, context: NodeContext) -> AuditEntry:
    return AuditEntry(
        act="dataset.upload",
        object_kind="dataset",
        object_id=dataset.dataset_id,
        principal=principal,
        article="第十六条第一款",
        rule_version=context.rulebook.current.version,
        details={
            "entry_id": dataset.entry_id,
            "digest": dataset.digest,
            "rows": dataset.rows,
            "size": dataset.size,
        },
    )


def object_space(entry_id: str) -> str:
    """Return where an entry's files lie in the object store; their names are their digests."""
    return f"data-{entry_id}"
