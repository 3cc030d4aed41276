"""Turns a portion of a file's rows into drafts, and counts what is to be reported. No I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from catalog.agencies.domain import DepartmentMatcher, name_key
from catalog.desk import Desk
from catalog.entries.checks import CheckContext, violations
from catalog.entries.content import EntryContent
from catalog.entries.records import Entry
from catalog.imports.mapping import MappedRow, map_row
from catalog.imports.reading import RawRow
from catalog.imports.schemas import ImportReport

RAW_LIMIT = 4000


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of a running import."""

    rows: int = 0
    drafts: int = 0
    complete: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    incomplete: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    titles: set[tuple[str, str]] = field(default_factory=set)
    repeated: int = 0

    def report(self) -> ImportReport:
        """Return the report, most frequent reasons first."""
        return ImportReport(
            rows=self.rows,
            drafts=self.drafts,
            complete=self.complete,
            refused=dict(self.refused.most_common()),
            matched=dict(self.matched.most_common()),
            incomplete=dict(self.incomplete.most_common()),
            unread=dict(self.unread.most_common()),
            unknown_columns=dict(self.unknown.most_common(50)),
            repeated_titles=self.repeated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportContext:
    """What a file's rows are read with; ``own_org`` limits whose drafts the caller may make."""

    import_id: str
    desk: Desk
    matcher: DepartmentMatcher
    checks: CheckContext
    regions: Mapping[str, str]
    own_org: str | None


@dataclass(slots=True, kw_only=True)
class Portion:
    """Drafts and refused rows of some of the file's rows."""

    drafts: list[Entry] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)


def draft_rows(rows: Iterable[RawRow], context: ImportContext, tally: Tally) -> Portion:
    """Return the drafts of some rows; every row is a draft or a refusal with its reason."""
    portion = Portion()
    for raw in rows:
        tally.rows += 1
        entry, reason, place = _draft(raw, context, tally)
        if entry is not None:
            tally.drafts += 1
            tally.complete += entry.complete
            portion.drafts.append(entry)
            continue
        tally.refused[reason] += 1
        portion.refusals.append(
            {
                "import_id": context.import_id,
                "row": raw.number,
                "reason": reason,
                "field": place,
            }
        )
    return portion


def _draft(raw: RawRow, context: ImportContext, tally: Tally) -> tuple[Entry | None, str, str]:
    if raw.error:
        return None, raw.error, ""
    mapped = map_row(raw.values)
    tally.unknown.update(mapped.unknown)
    tally.unread.update(mapped.unread.keys())
    if not mapped.content.get("title"):
        return None, "title_missing", "title"
    org_id, how = _agency(mapped, context)
    if org_id is None:
        return None, how, "providing_org"
    document = mapped.content | {"providing_org": org_id}
    document.setdefault("region_code", context.regions[org_id])
    try:
        content = EntryContent.model_validate(document)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        return None, "field_unreadable", place
    tally.matched[how] += 1
    title = (org_id, name_key(content.title))
    if title in tally.titles:
        tally.repeated += 1
    tally.titles.add(title)
    found = violations(content, context.checks)
    tally.incomplete.update(f"{each.code}:{each.field}" for each in found)
    return _entry(raw, mapped, content, context, complete=not found), "", ""


def _agency(mapped: MappedRow, context: ImportContext) -> tuple[str | None, str]:
    stated = mapped.content.get("providing_org")
    if stated:
        known = stated in context.regions
        org_id, how = (stated, "stated") if known else (None, "none")
    else:
        org_id, how = context.matcher.match(mapped.department)
    if org_id is None:
        return None, "department_unknown"
    if context.own_org is not None and org_id != context.own_org:
        return None, "other_organisation"
    return org_id, how


def _entry(
    raw: RawRow, mapped: MappedRow, content: EntryContent, context: ImportContext, *, complete: bool
) -> Entry:
    desk = context.desk
    provenance = {
        "import_id": context.import_id,
        "row": raw.number,
        "department": mapped.department,
        **mapped.origin,
    }
    if mapped.unread:
        provenance["unread"] = mapped.unread
    return Entry(
        entry_id=str(desk.ids.uuid7()),
        providing_org=content.providing_org,
        region_code=context.regions[content.providing_org],
        created_by=desk.principal.subject,
        created_at=desk.now,
        changed_at=desk.now,
        document=content.stored(),
        complete=complete,
        provenance=provenance,
        import_id=context.import_id,
    )
