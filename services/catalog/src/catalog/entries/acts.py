"""The acts of SM-1 on one entry: what it becomes and what is announced. No I/O.

A single command and a batch run the same functions, so that both pass the same checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.desk import Desk
from catalog.entries import clocks
from catalog.entries.checks import CheckContext, violations
from catalog.entries.domain import Act, Copy, IllegalMoveError, Standing, move, open_acts
from catalog.entries.records import REVIEW, UPDATE, Entry
from catalog.errors import EntryMoveNotOpen
from catalog.violations import problem_of
from contracts.events.base import OrganisationRef
from contracts.vocabulary import label
from kernel.policies import authorise
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.problems import Invalid

ARTICLES = {
    Act.SUBMIT: "第十一条第二款",
    Act.EDIT: "第十一条第二款",
    Act.DISCARD: "第十一条第二款",
    Act.RECALL: "第十一条第二款",
    Act.TRIGGER: "第十二条第一款",
    Act.REVIEW_CONFIDENTIALITY: "第三十条第一款",
    Act.CHANGE: "第十二条第一款",
    Act.TAKEDOWN: "第十一条第一款",
    Act.APPROVE_TAKEDOWN: "第十一条第一款",
    Act.REFUSE_TAKEDOWN: "第十一条第一款",
    Act.SUSPEND: "第二十八条",
    Act.RESUME: "第二十八条",
}
REVIEW_ARTICLE = "第十一条第三款"
PERMITS = {
    Act.SUBMIT: "entry.submit",
    Act.RECALL: "entry.recall",
    Act.ACCEPT: "entry.accept",
    Act.RETURN: "entry.return",
    Act.APPROVE: "entry.approve",
    Act.PUBLISH: "entry.publish",
    Act.DISCARD: "entry.discard",
    Act.CHANGE: "entry.change",
    Act.EDIT: "entry.draft",
    Act.TRIGGER: "entry.trigger",
    Act.REVIEW_CONFIDENTIALITY: "entry.review_confidentiality",
    Act.TAKEDOWN: "entry.takedown",
    Act.APPROVE_TAKEDOWN: "entry.approve_takedown",
    Act.REFUSE_TAKEDOWN: "entry.refuse_takedown",
    Act.SUSPEND: "entry.suspend",
    Act.RESUME: "entry.resume",
}
_OF_SUBMITTER = frozenset(
    {Act.ACCEPT, Act.RETURN, Act.APPROVE, Act.PUBLISH, Act.REVIEW_CONFIDENTIALITY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who stands around an entry: the node's authority and the agencies that it names."""

    authority: OrganisationRef
    agencies: Mapping[str, OrganisationRef]

    def agency(self, org_id: str, node: str) -> OrganisationRef:
        """Return an agency as events name it."""
        return self.agencies.get(org_id) or OrganisationRef(org_id=org_id, name=org_id, node=node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an act does to an entry."""

    entry: Entry
    audit: AuditEntry
    events: tuple[OutgoingEvent, ...] = ()


def permit(entry: Entry, act: Act, desk: Desk) -> None:
    """Raise unless the caller may do the act to this entry; nobody approves what he submitted."""
    done_by: str | None = None
    if act in _OF_SUBMITTER:
        done_by = entry.submitted_by
    elif act in (Act.APPROVE_TAKEDOWN, Act.REFUSE_TAKEDOWN) and entry.takedown_request:
        done_by = entry.takedown_request["by"]
    elif act is Act.RESUME and entry.suspension:
        done_by = entry.suspension["by"]
    authorise(
        desk.principal,
        PERMITS[act],
        organisation=entry.providing_org,
        node=desk.node,
        done_by=done_by,
        rules=desk.rules,
    )


def moved(entry: Entry, act: Act, desk: Desk, **changes: Any) -> Entry:
    """Return the entry after the act; raises ``EntryMoveNotOpen``."""
    try:
        position = move(entry.position, act)
    except IllegalMoveError:
        raise EntryMoveNotOpen(
            state=label("entry_state", entry.state, "zh"),
            act=act.value,
            extra={
                "state": entry.state,
                "open_acts": [each.value for each in open_acts(entry.position)],
            },
        ) from None
    return entry.at(
        position, record_version=entry.record_version + 1, changed_at=desk.now, **changes
    )


def audited(entry: Entry, act: Act, desk: Desk, *, reason: str = "", **details: Any) -> AuditEntry:
    """Return the audit row of an act; free text of the caller stays with the entry."""
    return AuditEntry(
        act=PERMITS[act],
        object_kind="catalog_entry",
        object_id=entry.entry_id,
        principal=desk.principal,
        article=ARTICLES.get(act, REVIEW_ARTICLE),
        rule_version=entry.rule_version,
        reason=reason,
        details={
            "state": entry.state,
            "version": entry.version,
            "round": entry.round,
            "record_version": entry.record_version,
            **details,
        },
    )


def submit(entry: Entry, desk: Desk, parties: Parties, context: CheckContext) -> Change:
    """Submit to the authority (报送审定); raises ``Invalid`` with each violated field."""
    found = violations(entry.content, context)
    after = moved(
        entry,
        Act.SUBMIT,
        desk,
        round=entry.round + 1,
        complete=True,
        rule_version=context.rules.version,
        submitted_by=desk.principal.subject,
        submitted_at=desk.now,
        accepted_by=None,
        accepted_at=None,
        decided_by=None,
        decided_at=None,
    )
    if found:
        raise Invalid([problem_of(each) for each in found])
    after, events = clocks.end(after, UPDATE, event="catalog.entry.submitted", desk=desk)
    after, started = clocks.start_review(after, parties.authority, desk)
    return Change(entry=after, audit=audited(after, Act.SUBMIT, desk), events=(*events, started))


def recall(entry: Entry, desk: Desk, parties: Parties) -> Change:
    """Take a submission back before it is accepted."""
    after = moved(entry, Act.RECALL, desk)
    return _come_back(after, Act.RECALL, "catalog.submission.recalled", desk, parties)


def accept(entry: Entry, desk: Desk) -> Change:
    """Accept a submission for review."""
    after = moved(entry, Act.ACCEPT, desk, accepted_by=desk.principal.subject, accepted_at=desk.now)
    return Change(entry=after, audit=audited(after, Act.ACCEPT, desk))


def return_(entry: Entry, desk: Desk, parties: Parties, *, opinion: str) -> Change:
    """Return a submission with an opinion; D2 of this round ends, D1 runs on."""
    after = moved(
        entry,
        Act.RETURN,
        desk,
        opinion=opinion,
        decided_by=desk.principal.subject,
        decided_at=desk.now,
    )
    return _come_back(after, Act.RETURN, "catalog.submission.returned", desk, parties)


def approve(entry: Entry, desk: Desk, context: CheckContext, *, opinion: str = "") -> Change:
    """Approve (审定); the rules of the submission are looked at once more."""
    after = moved(
        entry,
        Act.APPROVE,
        desk,
        opinion=opinion,
        decided_by=desk.principal.subject,
        decided_at=desk.now,
    )
    found = violations(entry.content, context)
    if found:
        raise Invalid([problem_of(each) for each in found])
    return Change(entry=after, audit=audited(after, Act.APPROVE, desk))


def discard(entry: Entry, desk: Desk, in_force: Mapping[str, Any] | None) -> Change:
    """Give a draft up; the copy of an entry in force gives way to what is in force."""
    after = moved(entry, Act.DISCARD, desk)
    if in_force is not None:
        after = replace(after, document=in_force)
    return Change(entry=after, audit=audited(after, Act.DISCARD, desk))


def suspend(entry: Entry, desk: Desk, *, reason: str) -> Change:
    """Suspend at once for a risk; what is in force stays listed, marked as suspended."""
    note = {"by": desk.principal.subject, "at": desk.stamp, "reason": reason}
    after = moved(entry, Act.SUSPEND, desk, suspension=note)
    return Change(entry=after, audit=audited(after, Act.SUSPEND, desk))


def resume(entry: Entry, desk: Desk) -> Change:
    """Put a suspended entry in force again."""
    after = moved(entry, Act.RESUME, desk, suspension=None)
    return Change(entry=after, audit=audited(after, Act.RESUME, desk))


def in_force(entry: Entry) -> bool:
    """Tell whether something of the entry is in force."""
    return entry.standing in (Standing.PUBLISHED, Standing.SUSPENDED)


def has_copy(entry: Entry) -> bool:
    """Tell whether a working copy is under way."""
    return entry.copy not in (Copy.NONE, Copy.DISCARDED)


def _come_back(entry: Entry, act: Act, event: str, desk: Desk, parties: Parties) -> Change:
    after, ended = clocks.end(entry, REVIEW, event=event, desk=desk)
    agency = parties.agency(entry.providing_org, desk.node)
    after, running = clocks.run_on(after, agency, desk)
    return Change(entry=after, audit=audited(after, act, desk), events=(*ended, *running))
