"""Use cases of imports: file to drafts, profile to completion. A file is one transaction."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import IO, Any

from catalog.agencies import repository as agencies
from catalog.agencies.domain import department_matcher
from catalog.desk import Desk
from catalog.entries import repository as entries
from catalog.entries.checks import CheckContext
from catalog.errors import FileUnreadable, ImportRepeated
from catalog.imports import repository
from catalog.imports.drafting import ImportContext, Portion, Tally, draft_rows
from catalog.imports.reading import RawRow, UnreadableFileError, look, rows
from kernel.db import Transaction
from kernel.ports import AuditEntry
from kernel.problems import Invalid

PORTION = 1000
_REASONS = {
    "empty": ("文件为空。", "The file is empty."),
    "too_large": ("文件过大。", "The file is too large."),
    "too_many_rows": ("文件行数过多。", "The file has too many rows."),
    "encoding": ("文件不是 UTF-8 或 GB18030 编码。", "The file is neither UTF-8 nor GB18030."),
    "gzip": ("压缩文件损坏。", "The gzip file is damaged."),
    "csv": ("CSV 格式有误。", "The CSV is malformed."),
    "line_too_long": ("某一行过长。", "A line is too long."),
}


async def import_file(
    tx: Transaction,
    file: IO[bytes],
    *,
    name: str,
    desk: Desk,
    default_org: str | None,
    departments: Mapping[str, str],
    own_org: str | None,
    again: bool,
) -> str:
    """Make drafts of a file's rows; return the import's id.

    Raises ``FileUnreadable``, and ``ImportRepeated`` for the same file unless ``again``.
    """
    try:
        facts = await asyncio.to_thread(look, file, limit=desk.rules.integer("import.max_bytes"))
        held = await repository.of_file(tx.connection, facts.digest, desk.principal.organisation)
        if not again:
            _require_new(held)
        context = await _context(
            tx, desk, default_org=default_org, departments=departments, own_org=own_org
        )
        tally = Tally()
        await _add(tx, context.import_id, facts, name, default_org, desk)
        found = rows(file, facts)
        limit = desk.rules.integer("import.max_rows")
        while (portion := await asyncio.to_thread(_next, found, context, tally)) is not None:
            _require_within(tally, limit)
            await entries.add(tx.connection, portion.drafts)
            await repository.refuse(tx.connection, portion.refusals)
    except UnreadableFileError as error:
        reason_zh, reason_en = _REASONS[error.reason]
        raise Invalid(
            [FileUnreadable(field="file", reason_zh=reason_zh, reason_en=reason_en)]
        ) from None
    await _finish(tx, context.import_id, facts.digest, tally, desk)
    return context.import_id


def _require_within(tally: Tally, limit: int) -> None:
    if tally.rows > limit:
        raise UnreadableFileError("too_many_rows")


def _require_new(held: str | None) -> None:
    if held is not None:
        raise ImportRepeated(extra={"import_id": held})


def _next(found: Iterator[RawRow], context: ImportContext, tally: Tally) -> Portion | None:
    portion = list(islice(found, PORTION))
    return draft_rows(portion, context, tally) if portion else None


async def _context(
    tx: Transaction,
    desk: Desk,
    *,
    default_org: str | None,
    departments: Mapping[str, str],
    own_org: str | None,
) -> ImportContext:
    own = await agencies.own_active(tx.connection)
    regions = await agencies.regions_of(tx.connection)
    active = {each.org_id for each in own}
    places = [region.name for region in desk.regions.regions.values()]
    matcher = department_matcher(
        own,
        places=places,
        declared={name: org_id for name, org_id in departments.items() if org_id in active},
        default=default_org if default_org in active else None,
    )
    known = await agencies.all_known_ids(tx.connection)
    return ImportContext(
        import_id=str(desk.ids.uuid7()),
        desk=desk,
        matcher=matcher,
        checks=CheckContext(
            rules=desk.rules,
            regions=desk.regions,
            organisations=known,
            own=active,
            node=desk.node,
            today=desk.today,
        ),
        regions={org_id: region for org_id, region in regions.items() if org_id in active},
        own_org=own_org,
    )


async def _add(
    tx: Transaction, import_id: str, facts: Any, name: str, default_org: str | None, desk: Desk
) -> None:
    await repository.add(
        tx.connection,
        {
            "import_id": import_id,
            "file_digest": facts.digest,
            "file_name": name[:200],
            "form": facts.form,
            "encoding": facts.encoding,
            "default_org": default_org,
            "imported_by": desk.principal.subject,
            "organisation": desk.principal.organisation,
            "rows": 0,
            "drafts": 0,
            "report": {},
            "imported_at": desk.now,
        },
    )


async def _finish(tx: Transaction, import_id: str, digest: str, tally: Tally, desk: Desk) -> None:
    report = tally.report().model_dump(mode="json")
    await repository.finish(
        tx.connection, import_id, rows=tally.rows, drafts=tally.drafts, report=report
    )
    await tx.record(
        AuditEntry(
            act="entry.import",
            object_kind="import",
            object_id=import_id,
            principal=desk.principal,
            article="第十一条第二款",
            rule_version=desk.rules.version,
            details={"file": digest, "rows": tally.rows, "drafts": tally.drafts},
        )
    )
