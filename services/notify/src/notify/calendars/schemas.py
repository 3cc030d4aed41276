"""HTTP models of the calendar."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from sqlalchemy import Row

from contracts.calendar import Calendar
from contracts.calendar_document import ExemptionDocument
from contracts.calendar_import import Finding, changed_days
from notify.calendars.domain import said
from notify.clocks.service import Change
from notify.schemas import Command, Text, View

_YEAR_DAYS = 366


class ScheduleDay(Command):
    """A day off (``off``) or a make-up working day (``work``) with its festival (春节 or a code)."""

    date: date
    kind: Literal["off", "work"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=50)]


class ScheduleInput(Command):
    """A whole year's schedule as the notice (文号 ``source``) publishes it."""

    year: int = Field(ge=2000, le=2100)
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    issued_on: date | None = None
    days: tuple[ScheduleDay, ...] = Field(min_length=1, max_length=_YEAR_DAYS)


class ExemptionInput(Command):
    """A day that an order changes, such as a typhoon's closure; ``document`` is its number."""

    day: date
    workday: bool
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    document: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    def to_document(self) -> ExemptionDocument:
        """Return it as the calendar keeps it."""
        return ExemptionDocument(**self.model_dump())


class ProposeCalendar(Command):
    """Propose a new version: a year's schedule, exemptions, or both."""

    schedule: ScheduleInput | None = None
    exemptions: tuple[ExemptionInput, ...] = Field(default=(), max_length=_YEAR_DAYS)


class ConfirmCalendar(Command):
    """Confirm the calendar whose document has this digest."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class RejectCalendar(Command):
    """Withdraw a proposal."""

    reason: Text


class FindingView(View):
    """Something worth a look in a schedule."""

    severity: Literal["error", "warning"]
    code: str
    day: date | None
    zh: str
    en: str


class ProposalView(View):
    """A version of the calendar and what became of it."""

    version: str
    base: str
    state: Literal["proposed", "confirmed", "active", "withdrawn"]
    digest: str
    source_document: str
    proposed_by: str
    proposed_at: datetime
    confirmed_by: tuple[str, ...]
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    preview: str


class ProposalDetail(ProposalView):
    """A version with its days that differ from the calendar in force."""

    horizon: date
    changed_days: dict[date, bool]
    findings: tuple[FindingView, ...]


class CalendarList(View):
    """The calendar in force, next year's alarm, and the proposals."""

    version: str
    horizon: date
    missing_year: int | None
    items: tuple[ProposalView, ...]


class ChangeView(View):
    """What a proposal would change of a running deadline."""

    clock_id: str
    case_no: str
    title: str
    rule: str
    bound_org: str
    bound_name: str
    starts_on: date
    due_before: date
    due_after: date
    counts_before: date
    counts_after: date
    provisional_after: bool
    outcome: str


def _values(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in ProposalView.model_fields if name != "preview"}
    return {**values, "preview": f"/notify/v1/calendars/{row.version}/preview"}


def to_view(row: Row[Any]) -> ProposalView:
    """Return a proposal as a list shows it."""
    return ProposalView(**_values(row))


def to_detail(
    row: Row[Any], proposed: Calendar, current: Calendar, *, findings: tuple[Finding, ...]
) -> ProposalDetail:
    """Return a proposal with what it changes of the calendar in force."""
    views = []
    for finding in findings:
        zh, en = said(finding.code)
        views.append(
            FindingView(severity=finding.severity, code=finding.code, day=finding.day, zh=zh, en=en)
        )
    return ProposalDetail(
        **_values(row),
        horizon=proposed.horizon,
        changed_days=dict(changed_days(current, proposed)),
        findings=tuple(views),
    )


def to_change(change: Change) -> ChangeView:
    """Return a change of a running deadline."""
    row, dates = change.row, change.redated.dates
    return ChangeView(
        clock_id=row.clock_id,
        case_no=row.case_no,
        title=row.title,
        rule=row.rule,
        bound_org=row.bound_org,
        bound_name=row.bound_name,
        starts_on=row.starts_on,
        due_before=row.due_on,
        due_after=dates.due_on,
        counts_before=row.counts_on,
        counts_after=dates.counts_on,
        provisional_after=dates.provisional,
        outcome=change.redated.outcome,
    )
