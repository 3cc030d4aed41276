"""HTTP doors of entries: drafts, lists, versions."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from catalog.agencies.domain import name_key
from catalog.desk import desk_of
from catalog.entries import batch, repository, service, takedown
from catalog.entries.content import EntryContent
from catalog.entries.diff import field_diff
from catalog.entries.domain import Copy
from catalog.entries.records import Entry
from catalog.entries.repository import EntryFilter
from catalog.entries.schemas import (
    BatchAct,
    BatchResult,
    DependentView,
    DiffView,
    DraftEntry,
    EditEntry,
    EntryDetail,
    EntryView,
    ImpactView,
    VersionView,
    to_detail,
    to_view,
)
from catalog.violations import problem_of
from kernel.pagination import Page, PageDep, make_page
from kernel.policies import sees_whole_node
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter, expected_version, options

router = ServiceRouter(prefix="/entries", tags=["entries"])
EntryId = Annotated[UUID, Path(description="目录条目标识 / the entry's id")]
Criterion = Annotated[str | None, Query(max_length=128)]
VersionNo = Annotated[int, Query(ge=0, le=2**31 - 1)]
BATCH_BODY = 2 << 20


@router.post("", status_code=201, summary="起草目录条目 / Draft an entry")
async def draft(command: DraftEntry, edge: EdgeDep) -> EntryDetail:
    """Make a draft of the providing department's; what it lacks is listed, not refused."""
    org_id = command.providing_org or edge.principal.organisation
    edge.allow("entry.draft", organisation=org_id, node=edge.runtime.node)
    entry = await service.draft(edge.tx, command, desk_of(edge.runtime, edge.principal))
    return await detail(edge, entry)


@router.get("", summary="目录条目列表 / Entries of this node")
async def list_entries(
    edge: EdgeDep,
    page: PageDep,
    state: Criterion = None,
    providing_org: Criterion = None,
    title: Criterion = None,
    import_id: Annotated[UUID | None, Query()] = None,
    complete: Annotated[bool | None, Query()] = None,
) -> Page[EntryView]:
    """List entries, newest first; an agency sees its own."""
    edge.allow("entry.read", node=edge.runtime.node)
    after = page.after(UUID)
    wanted = EntryFilter(
        own_org=own_org(edge),
        providing_org=providing_org,
        state=state,
        import_id=str(import_id) if import_id else None,
        complete=complete,
        title=name_key(title) if title else None,
    )
    rows = await repository.page(
        edge.tx.connection, wanted, after=str(after[0]) if after else None, limit=page.limit + 1
    )
    return make_page(rows, page, item=to_view, key=lambda entry: (entry.entry_id,))


@router.post("/batch", summary="批量办理 / One act on many entries")
@options(body_limit=BATCH_BODY)
async def run_batch(command: BatchAct, edge: EdgeDep) -> BatchResult:
    """Submit, accept, return, approve, publish or discard many entries with the same checks."""
    edge.allow(f"entry.{command.act}", node=edge.runtime.node)
    batch.require_opinion(command)
    desk = desk_of(edge.runtime, edge.principal)
    whole = sees_whole_node(edge.principal, f"entry.{command.act}")
    scope = None if whole else edge.principal.organisation
    return await batch.run(edge.tx, command, desk, own_org=scope, language=edge.language)


@router.get("/{entry_id}", summary="目录条目详情 / One entry")
async def read_entry(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Return an entry with what stands against submitting it and what may happen next."""
    return await detail(edge, await visible(edge, entry_id))


@router.patch("/{entry_id}", summary="修改草稿 / Edit the working copy")
async def edit(entry_id: EntryId, command: EditEntry, edge: EdgeDep) -> EntryDetail:
    """Change the working copy; ``If-Match`` carries the version the change is based on."""
    entry = await service.edit(
        edge.tx,
        str(entry_id),
        command,
        version=expected_version(edge),
        desk=desk_of(edge.runtime, edge.principal),
    )
    return await detail(edge, entry)


@router.get("/{entry_id}/versions", summary="历次版本 / Published versions")
async def list_versions(entry_id: EntryId, edge: EdgeDep) -> tuple[VersionView, ...]:
    """Return the published versions, oldest first."""
    entry = await visible(edge, entry_id)
    rows = await repository.versions_of(edge.tx.connection, entry.entry_id)
    return tuple(
        VersionView(
            version=row["version"],
            edition=row["edition"],
            published_at=row["published_at"].isoformat(),
            published_by=row["published_by"],
            approved_by=row["approved_by"],
            superseded_at=row["superseded_at"].isoformat() if row["superseded_at"] else None,
            changes=len(row["diff"]),
        )
        for row in rows
    )


@router.get("/{entry_id}/versions/{number}", summary="某一版本 / One published version")
async def read_version(
    entry_id: EntryId, number: Annotated[int, Path(ge=1, le=2**31 - 1)], edge: EdgeDep
) -> EntryContent:
    """Return what a published version said."""
    entry = await visible(edge, entry_id)
    return await _content(edge, entry, number)


@router.get("/{entry_id}/diff", summary="字段级差异 / Field diff")
async def diff(
    entry_id: EntryId,
    edge: EdgeDep,
    from_version: Annotated[int | None, Query(alias="from", ge=0, le=2**31 - 1)] = None,
    to_version: Annotated[int | None, Query(alias="to", ge=0, le=2**31 - 1)] = None,
) -> DiffView:
    """Compare two versions; 0 is the working copy. Default: in force against the working copy."""
    entry = await visible(edge, entry_id)
    has_copy = entry.copy not in (Copy.NONE, Copy.DISCARDED)
    newer = to_version if to_version is not None else (0 if has_copy else entry.version)
    older = (
        from_version
        if from_version is not None
        else (entry.version if newer == 0 else max(newer - 1, 0))
    )
    before = await _content(edge, entry, older) if older else EntryContent()
    after = await _content(edge, entry, newer) if newer else entry.content
    return DiffView(from_version=older, to_version=newer, changes=field_diff(before, after))


@router.get("/{entry_id}/impact", summary="下架影响 / Impact of a takedown")
async def impact(entry_id: EntryId, edge: EdgeDep) -> ImpactView:
    """Return who depends on the entry and who is not provided for yet."""
    edge.allow("entry.impact", node=edge.runtime.node)
    entry = await visible(edge, entry_id)
    found = await takedown.impact_of(edge.tx, entry.entry_id, desk_of(edge.runtime, edge.principal))
    return ImpactView(
        entry_id=entry.entry_id,
        earliest_end=found.earliest_end.isoformat(),
        notice_days=found.notice_days,
        unprovided=len(found.unprovided),
        dependents=tuple(
            DependentView(
                provided=row["dependent_id"] not in found.unprovided,
                **{name: row[name] for name in _DEPENDENT},
            )
            for row in found.dependents
        ),
    )


_DEPENDENT = tuple(name for name in DependentView.model_fields if name != "provided")


def own_org(edge: Edge) -> str | None:
    """Return the caller's scope of entries: his organisation, ``None`` for the whole node."""
    whole = sees_whole_node(edge.principal, "entry.read")
    return None if whole else edge.principal.organisation


async def visible(edge: Edge, entry_id: UUID) -> Entry:
    """Return an entry that the caller may see; raises ``NotFound``."""
    edge.allow("entry.read", node=edge.runtime.node)
    entry = await repository.find(edge.tx.connection, str(entry_id), own_org=own_org(edge))
    if entry is None:
        raise NotFound
    return entry


async def detail(edge: Edge, entry: Entry) -> EntryDetail:
    """Return an entry with violations and warnings while it can still be changed."""
    desk = desk_of(edge.runtime, edge.principal)
    against, remarks = await service.judged(edge.tx, entry, desk)
    return to_detail(
        entry,
        violations=tuple(problem_of(each).to_problem(edge.language) for each in against),
        warnings=tuple(problem_of(each).to_problem(edge.language) for each in remarks),
    )


async def _content(edge: Edge, entry: Entry, number: int) -> EntryContent:
    row = await repository.version(edge.tx.connection, entry.entry_id, number)
    if row is None:
        raise NotFound
    return EntryContent.model_validate(row["content"])
