"""Use cases of imports: file to drafts, profile to completion. A file is one transaction."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import IO, Any

from catalog.agencies import repository as agencies
from catalog.agencies.domain import department_matcher
from catalog.desk import Desk
from catalog.entries import repository as entries
from catalog.entries.acts import moved
from catalog.entries.checks import CheckContext, violations
from catalog.entries.domain import Act, may
from catalog.entries.records import Entry
from catalog.entries.repository import EntryFilter
from catalog.entries.storing import context_of
from catalog.errors import FileUnreadable, ImportRepeated, ProfileDecided, ProfileUnconfirmed
from catalog.imports import repository
from catalog.imports.drafting import ImportContext, Portion, Tally, draft_rows
from catalog.imports.profiles import ProfileRules, complete
from catalog.imports.reading import RawRow, UnreadableFileError, look, rows
from catalog.imports.repository import Row
from catalog.imports.schemas import CompletionView, CreateProfile
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


async def create_profile(tx: Transaction, command: CreateProfile, desk: Desk) -> str:
    """Keep a profile; another person confirms it before it completes anything."""
    profile_id = str(desk.ids.uuid7())
    rules = ProfileRules(rules=command.rules, items_from_abstract=command.items_from_abstract)
    await repository.add_profile(
        tx.connection,
        {
            "profile_id": profile_id,
            "name": command.name,
            "organisation": desk.principal.organisation,
            "rules": rules.model_dump(mode="json"),
            "confirmed": False,
            "created_by": desk.principal.subject,
            "created_at": desk.now,
            "confirmed_by": None,
            "confirmed_at": None,
            "note": command.note,
        },
    )
    await _audit_profile(tx, "entry.profile", profile_id, desk)
    return profile_id


async def confirm_profile(tx: Transaction, row: Row, note: str, desk: Desk) -> None:
    """Confirm a locked profile; raises ``ProfileDecided`` when it was before."""
    if row["confirmed"]:
        raise ProfileDecided(state="confirmed", act="entry.confirm_profile")
    values = {
        "confirmed": True,
        "confirmed_by": desk.principal.subject,
        "confirmed_at": desk.now,
        "note": note or row["note"],
    }
    await repository.confirm_profile(tx.connection, row["profile_id"], values)
    await _audit_profile(tx, "entry.confirm_profile", row["profile_id"], desk)


async def _audit_profile(tx: Transaction, act: str, profile_id: str, desk: Desk) -> None:
    await tx.record(
        AuditEntry(
            act=act,
            object_kind="profile",
            object_id=profile_id,
            principal=desk.principal,
            article="第十一条第二款",
        )
    )


async def complete_import(
    tx: Transaction, held: Row, profile: Row, *, own_org: str | None, desk: Desk
) -> CompletionView:
    """Fill what an import's drafts lack from a confirmed profile; raises ``ProfileUnconfirmed``."""
    if not profile["confirmed"]:
        raise ProfileUnconfirmed(field="profile_id")
    rules = ProfileRules.model_validate(profile["rules"])
    wanted = EntryFilter(own_org=own_org, import_id=held["import_id"])
    ids = await entries.ids_of(tx.connection, wanted, limit=desk.rules.integer("import.max_rows"))
    filled: Counter[str] = Counter()
    against: Counter[str] = Counter()
    looked_at = changed = ready = 0
    for start in range(0, len(ids), PORTION):
        portion = await entries.lock(tx.connection, ids[start : start + PORTION])
        editable = [entry for entry in portion if may(entry.position, Act.EDIT)]
        context = await context_of(tx, [entry.content for entry in editable], desk)
        after = await asyncio.to_thread(_completed, editable, rules, context, desk, profile)
        looked_at += len(editable)
        for before, (entry, reasons) in zip(editable, after, strict=True):
            filled.update(set(entry.content.assumed) - set(before.content.assumed))
            against.update(reasons)
            ready += entry.complete
        moved_on = [
            entry for (entry, _), old in zip(after, editable, strict=True) if entry is not old
        ]
        changed += len(moved_on)
        await entries.save(tx.connection, moved_on)
    report = {
        **dict(held["report"]),
        "complete": ready,
        "incomplete": dict(against.most_common()),
        "assumed": dict(filled.most_common()),
    }
    await repository.keep_report(tx.connection, held["import_id"], report)
    await _audit_completion(tx, held, profile, changed, desk)
    return CompletionView(
        import_id=held["import_id"],
        profile_id=profile["profile_id"],
        looked_at=looked_at,
        changed=changed,
        complete=ready,
        report=report,
    )


async def _audit_completion(
    tx: Transaction, held: Row, profile: Row, changed: int, desk: Desk
) -> None:
    await tx.record(
        AuditEntry(
            act="entry.draft",
            object_kind="import",
            object_id=held["import_id"],
            principal=desk.principal,
            article="第十一条第二款",
            rule_version=desk.rules.version,
            details={"profile_id": profile["profile_id"], "changed": changed},
        )
    )


def _completed(
    drafts: list[Entry], rules: ProfileRules, context: CheckContext, desk: Desk, profile: Row
) -> list[tuple[Entry, list[str]]]:
    """Return each draft as completed (the same object when nothing changed) and what it lacks."""
    found = []
    for entry in drafts:
        content = complete(entry.content, rules)
        lacks = [f"{each.code}:{each.field}" for each in violations(content, context)]
        if content is entry.content and entry.complete == (not lacks):
            found.append((entry, lacks))
            continue
        provenance = {**dict(entry.provenance or {}), "profile_id": profile["profile_id"]}
        after = moved(
            entry,
            Act.EDIT,
            desk,
            document=content.stored(),
            complete=not lacks,
            provenance=provenance,
        )
        found.append((after, lacks))
    return found
