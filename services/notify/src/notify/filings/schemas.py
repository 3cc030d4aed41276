"""HTTP models of the filing desk."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from contracts.events.base import Basis, DueDate, OrganisationRef
from notify.filings.domain import Act, Filing, State, open_acts
from notify.schemas import Command, Number, Text, View


class ReturnFiling(Command):
    """Return a filing for completion (退回补正); the subject goes on meanwhile."""

    reason: Text


class EnterExternalNumber(Command):
    """The number on the receipt of an authority outside the platform."""

    external_no: Number


class FilingView(View):
    """A filing as a list shows it. ``open_acts`` is what a clerk may do now."""

    filing_id: str
    filing_no: str
    rule: str
    rule_version: str
    article: str
    filer: OrganisationRef
    receiver_level: str
    external: bool
    subject_kind: str
    subject_id: str
    subject_no: str
    subject_title: str
    relation: str
    state: State
    round: int
    submitted_at: str
    entered_at: str
    received_at: datetime
    recorded_at: datetime | None
    external_no: str | None
    returned_at: datetime | None
    return_reason: str | None
    open_acts: tuple[Act, ...]
    document: str


class StepView(View):
    """One step of a filing's history."""

    act: str
    before: str | None
    after: str
    actor: str
    reason: str
    at: datetime


class SubjectStatusView(View):
    """The read-only copy of the request's state that its node sent last."""

    state: str
    at: str
    due: DueDate | None


class FilingDetail(FilingView):
    """A filing with its content, its history and its subject's state."""

    summary: str
    counterpart: OrganisationRef | None
    basis: tuple[Basis, ...]
    submitted_by: str
    recorded_by: str | None
    returned_by: str | None
    steps: tuple[StepView, ...]
    subject_status: SubjectStatusView | None


def _common(filing: Filing) -> dict[str, Any]:
    values = {name: getattr(filing, name, None) for name in FilingView.model_fields}
    document = f"/notify/v1/filings/{filing.filing_id}/document"
    return {**values, "open_acts": open_acts(filing.state), "document": document}


def to_view(filing: Filing) -> FilingView:
    """Return a filing as a list shows it."""
    return FilingView(**_common(filing))


def to_detail(filing: Filing, *, steps: Any, status: Row[Any] | None) -> FilingDetail:
    """Return a filing with its history rows and its subject's status row."""
    return FilingDetail(
        **_common(filing),
        summary=filing.summary,
        counterpart=filing.counterpart,
        basis=filing.basis,
        submitted_by=filing.submitted_by,
        recorded_by=filing.recorded_by,
        returned_by=filing.returned_by,
        steps=tuple(
            StepView(
                act=step.act, before=step.before, after=step.after, actor=step.actor,
                reason=step.reason, at=step.at,
            )
            for step in steps
        ),
        subject_status=SubjectStatusView(state=status.state, at=status.at, due=status.due)
        if status is not None
        else None,
    )  # fmt: skip
