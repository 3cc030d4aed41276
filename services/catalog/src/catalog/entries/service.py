"""Use cases of one entry: lock the row, do the act, write what follows. The edge commits."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from catalog.agencies import repository as agencies
from catalog.desk import Desk
from catalog.entries import acts, clocks, publication, repository
from catalog.entries.acts import Change, Parties, audited, moved, permit
from catalog.entries.checks import Violation, violations, warnings
from catalog.entries.content import EntryContent
from catalog.entries.domain import Act
from catalog.entries.notices import with_notices
from catalog.entries.records import Entry
from catalog.entries.schemas import ReviewConfidentiality, Trigger, to_detail
from catalog.entries.storing import context_of, parties_of, store
from catalog.errors import TriggerMissing
from catalog.violations import problem_of
from kernel.db import Transaction
from kernel.problems import Invalid, NotFound, StaleVersion

Step = Callable[[Entry, Parties], Awaitable[Change]]


async def locked(
    tx: Transaction, entry_id: str, act: Act, desk: Desk, *, version: int | None = None
) -> Entry:
    """Return the entry, held, once the caller may do the act.

    Raises ``NotFound``, what ``permit`` raises, and ``StaleVersion`` with the current entry when
    ``version`` is not the present one.
    """
    found = await repository.lock(tx.connection, [entry_id])
    if not found:
        raise NotFound
    entry = found[0]
    permit(entry, act, desk)
    if version is not None and entry.record_version != version:
        current = to_detail(entry).model_dump(mode="json")
        raise StaleVersion(version=entry.record_version, current=current, field="If-Match")
    return entry


async def draft(tx: Transaction, content: EntryContent, desk: Desk) -> Entry:
    """Make a draft; it belongs to its providing department, else to the caller's organisation."""
    org_id = content.providing_org or desk.principal.organisation
    agency = await agencies.find(tx.connection, org_id)
    if agency is None:
        raise Invalid(
            [problem_of(Violation("foreign_provider", "providing_org", "第十一条第四款"))]
        )
    filled = content.model_copy(
        update={
            "providing_org": org_id,
            "region_code": content.region_code or agency["region_code"],
        }
    )
    context = await context_of(tx, [filled], desk)
    entry = Entry(
        entry_id=str(desk.ids.uuid7()),
        providing_org=org_id,
        region_code=agency["region_code"],
        created_by=desk.principal.subject,
        created_at=desk.now,
        changed_at=desk.now,
        document=filled.stored(),
        complete=not violations(filled, context),
    )
    await repository.add(tx.connection, [entry])
    await tx.record(audited(entry, Act.EDIT, desk))
    return entry


async def edit(
    tx: Transaction, entry_id: str, changes: EntryContent, *, version: int, desk: Desk
) -> Entry:
    """Change the working copy; what a person states is no longer assumed."""
    entry = await locked(tx, entry_id, Act.EDIT, desk, version=version)
    given = {name: getattr(changes, name) for name in changes.model_fields_set - {"assumed"}}
    if given.get("providing_org", entry.providing_org) != entry.providing_org:
        raise Invalid(
            [problem_of(Violation("foreign_provider", "providing_org", "第十一条第四款"))]
        )
    assumed = tuple(name for name in entry.content.assumed if name not in given)
    content = entry.content.model_copy(update={**given, "assumed": assumed})
    context = await context_of(tx, [content], desk)
    after = moved(
        entry, Act.EDIT, desk, document=content.stored(), complete=not violations(content, context)
    )
    await store(
        tx, [Change(entry=after, audit=audited(after, Act.EDIT, desk, fields=sorted(given)))]
    )
    return after


async def submit(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Submit to the authority."""
    context = await context_of(tx, [entry.content], desk)
    parties = await parties_of(tx, [entry], desk)
    return await _done(tx, acts.submit(entry, desk, parties, context), desk, parties)


async def recall(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Take a submission back."""
    parties = await parties_of(tx, [entry], desk)
    return await _done(tx, acts.recall(entry, desk, parties), desk, parties)


async def accept(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Accept a submission for review."""
    parties = await parties_of(tx, [entry], desk)
    return await _done(tx, acts.accept(entry, desk), desk, parties)


async def return_(tx: Transaction, entry: Entry, desk: Desk, *, opinion: str) -> Entry:
    """Return a submission."""
    parties = await parties_of(tx, [entry], desk)
    return await _done(tx, acts.return_(entry, desk, parties, opinion=opinion), desk, parties)


async def approve(tx: Transaction, entry: Entry, desk: Desk, *, opinion: str) -> Entry:
    """Approve a submission under the rules that it was submitted under."""
    context = await context_of(tx, [entry.content], desk)
    context.rules = desk.rules_of(entry.rule_version)
    parties = await parties_of(tx, [entry], desk)
    change = acts.approve(entry, desk, context, opinion=opinion)
    return await _done(tx, change, desk, parties)


async def publish(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Publish one approved entry in an edition of its own."""
    moved(entry, Act.PUBLISH, desk)
    parties = await parties_of(tx, [entry], desk)
    changes = await publication.publish(tx, [entry], desk, parties)
    return await _done(tx, changes[0], desk, parties)


async def discard(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Give a draft or a working copy up."""
    held = await repository.latest_contents(tx.connection, [entry.entry_id])
    parties = await parties_of(tx, [entry], desk)
    change = acts.discard(entry, desk, held.get(entry.entry_id))
    return await _done(tx, change, desk, parties)


async def change(tx: Transaction, entry: Entry, desk: Desk, *, trigger: Trigger | None) -> Entry:
    """Open the working copy of the next version; the present one stays in force."""
    parties = await parties_of(tx, [entry], desk)
    # the review of the version before says nothing about the next one
    after = moved(entry, Act.CHANGE, desk, confidentiality=None)
    after, events = _triggered(after, trigger, desk, parties)
    audit = audited(after, Act.CHANGE, desk, trigger=trigger.kind if trigger else "")
    return await _done(tx, Change(entry=after, audit=audit, events=events), desk, parties)


async def note_trigger(tx: Transaction, entry: Entry, desk: Desk, *, trigger: Trigger) -> Entry:
    """Note that law or function has changed: D1 runs from the effective date, copy or not."""
    parties = await parties_of(tx, [entry], desk)
    after = moved(entry, Act.TRIGGER, desk)
    after, events = _triggered(after, trigger, desk, parties)
    audit = audited(after, Act.TRIGGER, desk, trigger=trigger.kind)
    return await _done(tx, Change(entry=after, audit=audit, events=events), desk, parties)


def _triggered(
    entry: Entry, trigger: Trigger | None, desk: Desk, parties: Parties
) -> tuple[Entry, tuple[Any, ...]]:
    if trigger is None:
        return entry, ()
    if trigger.effective_on is None or not (trigger.document or trigger.basis):
        raise Invalid([TriggerMissing(field="trigger", article="第十二条第一款")])
    noted = replace(
        entry,
        trigger=trigger.model_dump(mode="json"),
        rule_version=entry.rule_version or desk.rules.version,
    )
    agency = parties.agency(entry.providing_org, desk.node)
    started, event = clocks.start_update(noted, trigger.effective_on, agency, desk)
    return started, (event,)


async def review_confidentiality(
    tx: Transaction, entry: Entry, command: ReviewConfidentiality, desk: Desk
) -> Entry:
    """Record the confidentiality review on this version (G16); it serves unconditional grants."""
    record = {
        "reviewer": desk.principal.subject,
        "reviewed_at": desk.stamp,
        "passed": command.passed,
        "results": command.results,
        "note": command.note,
    }
    after = moved(entry, Act.REVIEW_CONFIDENTIALITY, desk, confidentiality=record)
    audit = audited(
        after,
        Act.REVIEW_CONFIDENTIALITY,
        desk,
        passed=command.passed,
        items=len(command.results),
    )
    await store(tx, [Change(entry=after, audit=audit)])
    return after


async def judged(
    tx: Transaction, entry: Entry, desk: Desk
) -> tuple[tuple[Violation, ...], tuple[Violation, ...]]:
    """Return what stands against submitting the entry, and what is worth a second look."""
    context = await context_of(tx, [entry.content], desk)
    found = list(warnings(entry.content, context))
    same = await repository.titles_elsewhere(
        tx.connection, entry.row()["title_key"], but=entry.entry_id
    )
    if same and entry.title:
        found.append(Violation("title_shared", "title", "", (("count", len(same)),), "policy"))
    return violations(entry.content, context), tuple(found)


async def _done(tx: Transaction, change: Change, desk: Desk, parties: Parties) -> Entry:
    changes = with_notices([change], desk, parties)
    await store(tx, changes)
    return changes[0].entry
