"""HTTP models of entries."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from catalog.entries.content import BasisText, EntryContent
from catalog.entries.diff import FieldChange
from catalog.entries.domain import open_acts
from catalog.entries.records import REVIEW, UPDATE, Entry
from catalog.schemas import Command, Reason, View
from contracts.events.base import DueDate, OrganisationRef

Note = Annotated[str, StringConstraints(max_length=2000)]


class DraftEntry(EntryContent):
    """A new draft: any fields of the content; what is missing is told, not refused."""


class EditEntry(EntryContent):
    """Fields to change; absent fields stay as they are."""


class Opinion(Command):
    """An opinion that goes with a decision."""

    opinion: Note = ""


class ReturnEntry(Command):
    """Why a submission is returned (退回修改)."""

    opinion: Reason


class Trigger(Command):
    """What makes a change necessary (Article 12 ¶1) and since when it is in effect."""

    kind: Literal["legal_basis", "statutory_function", "other"]
    document: Annotated[str, StringConstraints(max_length=200)] = ""
    basis: BasisText | None = None
    effective_on: date | None = None


class ChangeEntry(Command):
    """Open a working copy; without a trigger no deadline runs."""

    trigger: Trigger | None = None


class SuspendEntry(Command):
    """Why an entry is suspended: the risk."""

    reason: Reason


class Provision(Command):
    """What is provided for a dependent: a substitute entry, or the day on which it ends."""

    dependent_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    substitute: UUID | None = None
    ends_on: date | None = None


class RequestTakedown(Command):
    """Ask for an entry to be taken down (下架)."""

    reason: Reason
    basis: Annotated[tuple[BasisText, ...], Field(max_length=20)] = ()
    provisions: Annotated[tuple[Provision, ...], Field(max_length=1000)] = ()


class ApproveTakedown(Command):
    """Approve a takedown; what was provided with the request need not be said again."""

    opinion: Note = ""
    provisions: Annotated[tuple[Provision, ...], Field(max_length=1000)] = ()


class RefuseTakedown(Command):
    """Why a takedown is refused."""

    opinion: Reason


class ReviewConfidentiality(Command):
    """The confidentiality review (保密审查) of this version: a result for each item (Article 30)."""

    passed: bool
    results: Annotated[
        dict[Annotated[str, StringConstraints(max_length=128)], Literal["ok", "mask", "refuse"]],
        Field(max_length=500),
    ] = Field(default_factory=dict)
    note: Note = ""


class BatchFilter(Command):
    """Which entries a batch means, instead of ids."""

    providing_org: Annotated[str, StringConstraints(max_length=100)] | None = None
    import_id: UUID | None = None
    complete: bool | None = None


class BatchAct(Command):
    """One act on many entries; each passes the same checks as alone."""

    act: Literal["submit", "accept", "return", "approve", "publish", "discard"]
    ids: Annotated[tuple[UUID, ...], Field(max_length=20_000)] = ()
    filter: BatchFilter | None = None
    opinion: Note = ""


class Refused(View):
    """An entry that a batch left as it was, and why."""

    entry_id: str
    problem: dict[str, Any]


class BatchResult(View):
    """How a batch went; ``more`` tells that the filter matched more than one batch takes."""

    act: str
    done: int
    refused: int
    reasons: dict[str, int]
    refusals: tuple[Refused, ...]
    edition: int | None = None
    more: bool = False


class EntryView(View):
    """An entry in lists."""

    entry_id: str
    resource_code: str | None
    title: str
    providing_org: str
    state: str
    standing: str
    copy_state: str
    version: int
    record_version: int
    complete: bool
    source_pending: bool
    share_type: str
    open_attr: str
    import_id: str | None
    changed_at: str


class EntryDetail(EntryView):
    """An entry with its content, what stands against submitting it, and what may happen next."""

    content: EntryContent
    assumed: tuple[str, ...]
    violations: tuple[dict[str, Any], ...] = ()
    warnings: tuple[dict[str, Any], ...] = ()
    open_acts: tuple[str, ...] = ()
    round: int
    opinion: str
    submitted_at: str | None
    submitted_by: str | None
    accepted_at: str | None
    decided_at: str | None
    published_at: str | None
    rule_version: str
    update_due: DueDate | None = None
    review_due: DueDate | None = None
    trigger: dict[str, Any] | None = None
    provenance: dict[str, Any] | None = None
    takedown_request: dict[str, Any] | None = None
    suspension: dict[str, Any] | None = None
    confidentiality: dict[str, Any] | None = None


class VersionView(View):
    """A published version."""

    version: int
    edition: int
    published_at: str
    published_by: str
    approved_by: str
    superseded_at: str | None
    changes: int


class DiffView(View):
    """The difference of two versions; ``to`` 0 is the working copy."""

    from_version: int
    to_version: int
    changes: tuple[FieldChange, ...]


class DependentView(View):
    """Who depends on an entry, and what is provided for when it goes."""

    dependent_id: str
    kind: str
    entry_version: int
    holder: OrganisationRef
    until: str | None
    plan: dict[str, Any] | None
    provided: bool


class ImpactView(View):
    """What a takedown would touch."""

    entry_id: str
    earliest_end: str
    notice_days: int
    dependents: tuple[DependentView, ...]
    unprovided: int


def to_view(entry: Entry) -> EntryView:
    """Return an entry as lists show it."""
    return EntryView(**_summary(entry))


def _summary(entry: Entry) -> dict[str, Any]:
    document = entry.document
    return {
        "entry_id": entry.entry_id,
        "resource_code": entry.resource_code,
        "title": entry.title,
        "providing_org": entry.providing_org,
        "state": entry.state,
        "standing": entry.standing,
        "copy_state": entry.copy,
        "version": entry.version,
        "record_version": entry.record_version,
        "complete": entry.complete,
        "source_pending": entry.source_pending,
        "share_type": document.get("share_type", ""),
        "open_attr": document.get("open_attr", ""),
        "import_id": entry.import_id,
        "changed_at": entry.changed_at.isoformat(),
    }


def to_detail(
    entry: Entry,
    *,
    violations: tuple[dict[str, Any], ...] = (),
    warnings: tuple[dict[str, Any], ...] = (),
) -> EntryDetail:
    """Return an entry with everything that its agency and authority see."""
    due = {name: entry.clock(name) for name in (UPDATE, REVIEW)}
    instants = ("submitted_at", "accepted_at", "decided_at", "published_at")
    stamps = {name: getattr(entry, name) for name in instants}
    return EntryDetail(
        **_summary(entry),
        content=entry.content,
        assumed=entry.content.assumed,
        violations=violations,
        warnings=warnings,
        open_acts=tuple(act.value for act in open_acts(entry.position)),
        round=entry.round,
        opinion=entry.opinion,
        submitted_by=entry.submitted_by,
        rule_version=entry.rule_version,
        update_due=_running(due[UPDATE]),
        review_due=_running(due[REVIEW]),
        trigger=_dict(entry.trigger),
        provenance=_dict(entry.provenance),
        takedown_request=_dict(entry.takedown_request),
        suspension=_dict(entry.suspension),
        confidentiality=_dict(entry.confidentiality),
        **{name: None if at is None else at.isoformat() for name, at in stamps.items()},
    )


def _running(clock: Any) -> DueDate | None:
    return clock.due if clock is not None and clock.running else None


def _dict(value: Any) -> dict[str, Any] | None:
    return None if value is None else dict(value)
