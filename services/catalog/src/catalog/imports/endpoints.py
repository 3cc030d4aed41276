"""HTTP doors of imports and completion profiles."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import File, Form, Path, UploadFile
from pydantic import ValidationError

from catalog.desk import desk_of
from catalog.entries import repository as entries
from catalog.entries.content import EntryContent
from catalog.entries.repository import EntryFilter
from catalog.errors import ImportFieldInvalid, ProfileFieldUnknown
from catalog.imports import completing, repository, service
from catalog.imports.profiles import unknown_fields
from catalog.imports.repository import Row
from catalog.imports.schemas import (
    CompleteImport,
    CompletionView,
    ConfirmProfile,
    CreateProfile,
    ImportReport,
    ImportView,
    ProfileView,
    RefusedRow,
)
from kernel.pagination import Page, PageDep, make_page
from kernel.policies import sees_whole_node
from kernel.problems import Invalid, NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter

router = ServiceRouter(prefix="/imports", tags=["imports"])
profile_router = ServiceRouter(prefix="/profiles", tags=["imports"])
ImportId = Annotated[UUID, Path(description="导入标识 / the import's id")]
ProfileId = Annotated[UUID, Path(description="补全方案标识 / the profile's id")]
SHOWN_REFUSALS = 100
MAX_MAPPING = 200_000


@router.post("", status_code=201, summary="导入目录文件 / Import a catalogue file")
async def import_file(
    edge: EdgeDep,
    file: Annotated[UploadFile, File(description="CSV / JSON lines, UTF-8 / GB18030")],
    default_org: Annotated[
        str | None, Form(max_length=100, description="无法对应时的提供部门 / when no name matches")
    ] = None,
    departments: Annotated[
        str, Form(max_length=MAX_MAPPING, description='{"部门名称": "org_id"}')
    ] = "",
    again: Annotated[bool, Form()] = False,  # noqa: FBT002 -- a form field
) -> ImportView:
    """Make drafts of the file's rows and report what each lacks; nothing is invented."""
    edge.allow("entry.import", node=edge.runtime.node)
    own = _own(edge, "entry.import")
    import_id = await service.import_file(
        edge.tx,
        file.file,
        name=file.filename or "",
        desk=desk_of(edge.runtime, edge.principal),
        default_org=default_org or own,
        departments=_mapping(departments),
        own_org=own,
        again=again,
    )
    return await _shown(edge, import_id)


@router.get("", summary="导入列表 / Imports")
async def list_imports(edge: EdgeDep, page: PageDep) -> Page[ImportView]:
    """List imports, newest first; an agency sees its own."""
    edge.allow("entry.read", node=edge.runtime.node)
    after = page.after(UUID)
    rows = await repository.page(
        edge.tx.connection,
        own_org=_own(edge, "entry.read"),
        before=str(after[0]) if after else None,
        limit=page.limit + 1,
    )
    return make_page(rows, page, item=_view, key=lambda row: (row["import_id"],))


@router.get("/{import_id}", summary="导入报告 / Report of an import")
async def read_import(import_id: ImportId, edge: EdgeDep) -> ImportView:
    """Return what became of the file's rows and where its entries stand now."""
    edge.allow("entry.read", node=edge.runtime.node)
    return await _shown(edge, str(import_id))


@router.post("/{import_id}/complete", summary="按补全方案补全 / Complete drafts by a profile")
async def complete(import_id: ImportId, command: CompleteImport, edge: EdgeDep) -> CompletionView:
    """Fill what the drafts lack from a confirmed profile; each filled field is marked assumed."""
    edge.allow("entry.import", node=edge.runtime.node)
    own = _own(edge, "entry.import")
    connection = edge.tx.connection
    held = await repository.find(connection, str(import_id), own_org=own)
    profile = await repository.profile(connection, str(command.profile_id), own_org=None)
    if held is None or profile is None:
        raise NotFound
    return await completing.complete_import(
        edge.tx, held, profile, own_org=own, desk=desk_of(edge.runtime, edge.principal)
    )


@profile_router.post("", status_code=201, summary="起草补全方案 / Draft a completion profile")
async def create_profile(command: CreateProfile, edge: EdgeDep) -> ProfileView:
    """Keep a profile; another person confirms it before it completes anything."""
    edge.allow("entry.profile", node=edge.runtime.node)
    _require_fields(command)
    desk = desk_of(edge.runtime, edge.principal)
    return await _profile(edge, await completing.create_profile(edge.tx, command, desk))


@profile_router.get("", summary="补全方案列表 / Completion profiles")
async def list_profiles(edge: EdgeDep, page: PageDep) -> Page[ProfileView]:
    """List profiles, newest first."""
    edge.allow("entry.read", node=edge.runtime.node)
    after = page.after(UUID)
    rows = await repository.profile_page(
        edge.tx.connection,
        own_org=_own(edge, "entry.read"),
        before=str(after[0]) if after else None,
        limit=page.limit + 1,
    )
    return make_page(rows, page, item=_profile_view, key=lambda row: (row["profile_id"],))


@profile_router.post("/{profile_id}/confirm", summary="确认补全方案 / Confirm a profile")
async def confirm_profile(
    profile_id: ProfileId, edge: EdgeDep, command: ConfirmProfile | None = None
) -> ProfileView:
    """Confirm a profile; nobody confirms his own."""
    edge.allow("entry.confirm_profile", node=edge.runtime.node)
    row = await repository.profile(
        edge.tx.connection,
        str(profile_id),
        own_org=_own(edge, "entry.confirm_profile"),
        lock=True,
    )
    if row is None:
        raise NotFound
    edge.allow(
        "entry.confirm_profile",
        organisation=row["organisation"],
        node=edge.runtime.node,
        submitted_by=row["created_by"],
    )
    desk = desk_of(edge.runtime, edge.principal)
    await completing.confirm_profile(edge.tx, row, command.note if command else "", desk)
    return await _profile(edge, str(profile_id))


def _own(edge: Edge, act: str) -> str | None:
    return None if sees_whole_node(edge.principal, act) else edge.principal.organisation


def _mapping(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        found = orjson.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise Invalid(
            [
                ImportFieldInvalid(
                    field="departments",
                    reason_zh="须为部门名称到机构标识的 JSON 对象。",
                    reason_en="It is a JSON object of department names to agency ids.",
                )
            ]
        )
    return found


def _require_fields(command: CreateProfile) -> None:
    """Raise for fields that a profile may not name, and for values that a field cannot take."""
    problems: list[ProfileFieldUnknown] = [
        ProfileFieldUnknown(field=place) for place in unknown_fields(command)
    ]
    for number, rule in enumerate(command.rules):
        try:
            EntryContent.model_validate(dict(rule.set))
        except ValidationError as error:
            problems += [
                ProfileFieldUnknown(field=f"rules[{number}].set.{'.'.join(map(str, each['loc']))}")
                for each in error.errors(include_input=False, include_url=False)
            ]
    if problems:
        raise Invalid(list(problems))


async def _shown(edge: Edge, import_id: str) -> ImportView:
    connection = edge.tx.connection
    own = _own(edge, "entry.read")
    row = await repository.find(connection, import_id, own_org=own)
    if row is None:
        raise NotFound
    states = await entries.counts(connection, EntryFilter(own_org=own, import_id=import_id))
    refused = await repository.refusals_of(connection, import_id, limit=SHOWN_REFUSALS)
    shown = tuple(
        RefusedRow(row=each["row"], reason=each["reason"], field=each["field"]) for each in refused
    )
    return _view(row).model_copy(update={"states": dict(states), "refusals": shown})


def _view(row: Row) -> ImportView:
    names = (
        "import_id",
        "file_name",
        "file_digest",
        "form",
        "encoding",
        "organisation",
        "rows",
        "drafts",
    )
    return ImportView(
        imported_by=row["imported_by"],
        imported_at=row["imported_at"].isoformat(),
        report=ImportReport.model_validate(row["report"]),
        **{name: row[name] for name in names},
    )


async def _profile(edge: Edge, profile_id: str) -> ProfileView:
    row = await repository.profile(edge.tx.connection, profile_id, own_org=None)
    if row is None:
        raise NotFound
    return _profile_view(row)


def _profile_view(row: Row) -> ProfileView:
    return ProfileView(**{name: row[name] for name in ProfileView.model_fields})
