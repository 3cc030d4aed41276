"""HTTP doors of the clock table."""

from datetime import date
from typing import Annotated

from fastapi import Query

from contracts.rules import UnknownRuleError
from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import Edge, EdgeDep, ServiceRouter
from notify.clocks import repository
from notify.clocks.domain import State
from notify.clocks.repository import ClockFilter, ClockRow, Today
from notify.clocks.schemas import ClockDetail, ClockView, to_detail, to_view
from notify.clocks.service import today_of
from notify.reminders import repository as reminders
from notify.schemas import ClockId
from notify.scope import organisation_scope

router = ServiceRouter(prefix="/clocks", tags=["clocks"])
Criterion = Annotated[str | None, Query(max_length=200)]


def edge_today(edge: Edge) -> Today:
    """The civil date of this request and how far due-soon reaches."""
    soon_days = edge.rules.current.integer("clock.due_soon_days")
    return today_of(edge.runtime.calendar(), edge.clock.now(), soon_days=soon_days)


def titles_of(edge: Edge, row: ClockRow) -> tuple[str, str]:
    """Return the names of a clock's rule under its own version; its code where that is unknown."""
    rules = edge.rules.versions.get(row.rule_version, edge.rules.current)
    try:
        deadline = rules.deadline(row.rule)
    except UnknownRuleError:
        return row.rule, row.rule
    return deadline.title_zh, deadline.title_en


@router.get("", summary="时限列表 / Running and ended deadlines")
async def list_clocks(
    edge: EdgeDep,
    page: PageDep,
    state: Annotated[list[State] | None, Query()] = None,
    rule: Criterion = None,
    bound_org: Criterion = None,
    case_id: Criterion = None,
    provisional: Annotated[bool | None, Query()] = None,
) -> Page[ClockView]:
    """List deadlines, the most urgent first; an agency sees those that bind it."""
    edge.allow("clock.read", node=edge.runtime.node)
    today = edge_today(edge)
    wanted = ClockFilter(
        states=tuple(state or ()),
        rule=rule,
        bound_org=bound_org,
        own_org=organisation_scope(edge.principal, "clock.read"),
        case_id=case_id,
        provisional=provisional,
    )
    rows = await repository.page(
        edge.tx.connection,
        wanted,
        today,
        after=page.after(date.fromisoformat, str),
        limit=page.limit + 1,
    )
    return make_page(
        rows,
        page,
        item=lambda each: to_view(each, today, titles=titles_of(edge, each.row)),
        key=lambda each: (each.row.counts_on, each.row.clock_id),
    )


@router.get("/{clock_id}", summary="时限详情 / One deadline")
async def read_clock(clock_id: ClockId, edge: EdgeDep) -> ClockDetail:
    """Return a deadline with its reminders, escalations and recomputations."""
    edge.allow("clock.read", node=edge.runtime.node)
    connection = edge.tx.connection
    found = await repository.find(connection, clock_id)
    own = organisation_scope(edge.principal, "clock.read")
    if found is None or (own is not None and found.row.bound_org != own):
        raise NotFound
    return to_detail(
        found,
        edge_today(edge),
        titles=titles_of(edge, found.row),
        marks=await reminders.marks_of(connection, clock_id),
        redatings=await repository.redatings(connection, clock_id),
    )
