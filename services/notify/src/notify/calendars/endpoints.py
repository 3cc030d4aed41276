"""HTTP doors of the calendar."""

from typing import Annotated

import orjson
from fastapi import File, Form, Path, UploadFile

from contracts.calendar import civil_date
from contracts.calendar_import import Schedule, ScheduleError, read_csv, read_json
from kernel.pagination import MAX_LIMIT, Page, PageDep, encode_cursor
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter
from notify.calendars import repository, service
from notify.calendars.domain import Content, findings_of
from notify.calendars.repository import ProposalRow
from notify.calendars.schemas import (
    CalendarList,
    ChangeView,
    ConfirmCalendar,
    ProposalDetail,
    ProposalView,
    ProposeCalendar,
    RejectCalendar,
    ScheduleInput,
    to_change,
    to_detail,
    to_view,
)
from notify.calendars.service import Office
from notify.clocks import service as clocks

router = ServiceRouter(prefix="/calendars", tags=["calendars"])
Version = Annotated[str, Path(max_length=100, description="日历版本 / calendar version")]


def _office(edge: Edge) -> Office:
    runtime = edge.runtime
    return Office(
        node=runtime.node,
        city=runtime.registry.city,
        current=runtime.calendar(),
        rules=edge.rules.current,
    )


@router.get("", summary="工作日历 / Calendars")
async def list_calendars(edge: EdgeDep) -> CalendarList:
    """Return the calendar in force, whether next year's schedule is missing, and all versions."""
    edge.allow("calendar.read", node=edge.runtime.node)
    current = edge.runtime.calendar()
    rows = await repository.listing(edge.tx.connection, limit=MAX_LIMIT)
    alarm_from = edge.rules.current.text("calendar.alarm_from")
    today = civil_date(edge.clock.now())
    return CalendarList(
        version=current.version,
        horizon=current.horizon,
        missing_year=current.missing_year(today, alarm_from=alarm_from),
        items=tuple(to_view(row) for row in rows),
    )


async def _found(edge: Edge, version: str) -> ProposalRow:
    row = await repository.find(edge.tx.connection, version)
    if row is None:
        raise NotFound
    return row


@router.get("/{version}", summary="日历版本 / One version")
async def read_calendar(version: Version, edge: EdgeDep) -> ProposalDetail:
    """Return a version with the days that it changes and what is worth a look in it."""
    edge.allow("calendar.read", node=edge.runtime.node)
    row, current = await _found(edge, version), edge.runtime.calendar()
    content = Content.model_validate(row.content) if row.content is not None else None
    findings = findings_of(content, current) if content and row.state == "proposed" else ()
    return to_detail(row, service.calendar_of(row), current, findings=findings)


@router.get("/{version}/preview", summary="截止日期预览 / What would change")
async def preview(version: Version, edge: EdgeDep, page: PageDep) -> Page[ChangeView]:
    """List every running deadline of this node whose dates the version would change.

    A page may hold fewer lines than asked for, also none: ``next`` says whether more follow.
    """
    edge.allow("calendar.read", node=edge.runtime.node)
    calendar = service.calendar_of(await _found(edge, version))
    after = page.after(str)
    changes, last = await clocks.preview(
        edge.tx.connection, calendar, after=after[0] if after else "", limit=page.limit
    )
    return Page(
        items=[to_change(change) for change in changes],
        next=encode_cursor(last) if last is not None else None,
    )


@router.post("", status_code=201, summary="导入年度安排 / Propose a version")
async def propose(command: ProposeCalendar, edge: EdgeDep) -> ProposalView:
    """Propose a year's schedule or exemptions; nothing changes until another person confirms."""
    edge.allow("calendar.import", node=edge.runtime.node)
    schedule = _schedule(command.schedule, edge) if command.schedule else None
    exemptions = tuple(each.to_document() for each in command.exemptions)
    content = Content(schedule=schedule, exemptions=exemptions)
    return await _propose(edge, content)


def _schedule(given: ScheduleInput, edge: Edge) -> Schedule:
    return _read(orjson.dumps(given.model_dump(mode="json")), edge)


def _read(
    data: bytes, edge: Edge, *, year: int | None = None, source: str | None = None
) -> Schedule:
    try:
        if year is not None and source is not None:
            return read_csv(data, year=year, source=source, prepared_by=edge.principal.subject)
        return read_json(data, prepared_by=edge.principal.subject)
    except ScheduleError as error:
        raise service.invalid(error) from None


async def _propose(edge: Edge, content: Content) -> ProposalView:
    row = await service.propose(edge.tx, content, by=edge.principal, office=_office(edge))
    return to_view(row)


@router.post("/file", status_code=201, summary="导入年度安排文件 / Propose from a file")
async def propose_file(
    edge: EdgeDep,
    file: Annotated[UploadFile, File(description="CSV: date,kind,name")],
    year: Annotated[int, Form(ge=2000, le=2100)],
    source: Annotated[str, Form(min_length=1, max_length=200)],
) -> ProposalView:
    """Propose a year's schedule from a CSV file (UTF-8 or GB18030)."""
    edge.allow("calendar.import", node=edge.runtime.node)
    schedule = _read(await file.read(), edge, year=year, source=source)
    return await _propose(edge, Content(schedule=schedule))


@router.post("/{version}/confirm", summary="确认日历 / Confirm")
async def confirm(version: Version, command: ConfirmCalendar, edge: EdgeDep) -> ProposalView:
    """Confirm a proposal; with the last confirmation it is signed and put in force."""
    edge.allow("calendar.confirm", node=edge.runtime.node)
    row = await service.held(edge.tx, version)
    edge.allow(
        "calendar.confirm",
        node=edge.runtime.node,
        submitted_by=[row.proposed_by, *row.confirmed_by],
    )
    fresh = await service.confirm(
        edge.tx, row, digest=command.digest, by=edge.principal, office=_office(edge)
    )
    return to_view(fresh)


@router.post("/{version}/reject", summary="撤回日历提案 / Withdraw")
async def reject(version: Version, command: RejectCalendar, edge: EdgeDep) -> ProposalView:
    """Withdraw a proposal, here and at every node."""
    edge.allow("calendar.reject", node=edge.runtime.node)
    row = await service.held(edge.tx, version)
    fresh = await service.reject(
        edge.tx, row, reason=command.reason, by=edge.principal, office=_office(edge)
    )
    return to_view(fresh)
