"""Takedown (下架) with its impact, suspension and resumption.

Nobody is cut off without notice: a takedown is approved only when every dependent has a
substitute or an end date that leaves the policy's working days of notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import RowMapping

from catalog.desk import Desk
from catalog.editions import service as editions
from catalog.editions.domain import Listed
from catalog.entries import acts, repository
from catalog.entries.acts import Change, audited, moved
from catalog.entries.content import EntryContent
from catalog.entries.domain import Act
from catalog.entries.events import broadcast, state_of_entry
from catalog.entries.notices import with_notices
from catalog.entries.records import Entry
from catalog.entries.schemas import ApproveTakedown, Provision, RequestTakedown
from catalog.entries.storing import parties_of, store
from catalog.errors import BasisRequired, DateInvalid, DependentsUnprovided, SubstituteUnknown
from catalog.search import replica
from catalog.search.reading import published_ids
from kernel.db import Transaction
from kernel.problems import Invalid, ProblemError

NOTICE_DAYS = "takedown.notice_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Who depends on an entry; ``unprovided`` are those who have neither substitute nor end."""

    dependents: Sequence[RowMapping]
    unprovided: frozenset[str]
    earliest_end: date
    notice_days: int


async def impact_of(tx: Transaction, entry_id: str, desk: Desk) -> Impact:
    """Return what a takedown today would touch."""
    days = desk.rules.integer(NOTICE_DAYS)
    earliest = desk.calendar.due(desk.today, days).due_on if days else desk.today
    found = await repository.dependents_of(tx.connection, entry_id)
    return Impact(
        dependents=found,
        unprovided=frozenset(row["dependent_id"] for row in found if not provided(row, desk)),
        earliest_end=earliest,
        notice_days=days,
    )


def provided(row: RowMapping, desk: Desk) -> bool:
    """Tell whether a dependent has a substitute, an end date, or ends today anyway."""
    if row["plan"] is not None:
        return True
    return row["until"] is not None and row["until"][:10] <= desk.today.isoformat()


async def request(tx: Transaction, entry: Entry, command: RequestTakedown, desk: Desk) -> Entry:
    """Ask for a takedown with reason and basis."""
    if not command.basis:
        raise Invalid([BasisRequired(field="basis", article="第四条第二款")])
    note = {
        "by": desk.principal.subject,
        "at": desk.stamp,
        "reason": command.reason,
        "basis": [basis.model_dump() for basis in command.basis],
    }
    after = moved(entry, Act.TAKEDOWN, desk, takedown_request=note)
    await _provide(tx, entry, command.provisions, desk)
    parties = await parties_of(tx, [after], desk)
    change = Change(entry=after, audit=audited(after, Act.TAKEDOWN, desk))
    changes = with_notices([change], desk, parties)
    await store(tx, changes)
    return changes[0].entry


async def approve(tx: Transaction, entry: Entry, command: ApproveTakedown, desk: Desk) -> Entry:
    """Approve a takedown; raises ``DependentsUnprovided`` while somebody is not provided for.

    The entry goes offline on the last end date that dependents were given, today when there is
    none: what depends on it works until then.
    """
    moved(entry, Act.APPROVE_TAKEDOWN, desk)
    await _provide(tx, entry, command.provisions, desk)
    impact = await impact_of(tx, entry.entry_id, desk)
    if impact.unprovided:
        raise DependentsUnprovided(
            count=len(impact.unprovided),
            days=impact.notice_days,
            kind="policy",
            extra={"dependents": sorted(impact.unprovided)},
        )
    ends = [row["plan"]["ends_on"] for row in impact.dependents if row["plan"]]
    effective = max((end for end in ends if end), default=desk.today.isoformat())
    note = {
        **dict(entry.takedown_request or {}),
        "approved_by": desk.principal.subject,
        "approved_at": desk.stamp,
        "effective_on": effective,
    }
    decided = replace(
        entry,
        takedown_request=note,
        opinion=command.opinion,
        decided_by=desk.principal.subject,
        decided_at=desk.now,
    )
    if effective > desk.today.isoformat():
        return await _scheduled(tx, decided, effective, desk)
    return await take_down(tx, decided, desk)


async def take_down(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Take an entry offline whose takedown was approved; a new edition drops it."""
    after = moved(entry, Act.APPROVE_TAKEDOWN, desk)
    edition = await editions.publish(tx, desk, removed=[Listed(entry.entry_id, entry.version)])
    return await _announced(tx, after, Act.APPROVE_TAKEDOWN, desk, edition=edition.edition)


async def _scheduled(tx: Transaction, entry: Entry, effective: str, desk: Desk) -> Entry:
    after = replace(entry, record_version=entry.record_version + 1, changed_at=desk.now)
    audit = audited(after, Act.APPROVE_TAKEDOWN, desk, effective_on=effective)
    await store(tx, [Change(entry=after, audit=audit)])
    return after


async def refuse(tx: Transaction, entry: Entry, desk: Desk, *, opinion: str) -> Entry:
    """Refuse a takedown; the entry stays in force."""
    after = moved(entry, Act.REFUSE_TAKEDOWN, desk, takedown_request=None, opinion=opinion)
    parties = await parties_of(tx, [after], desk)
    change = Change(entry=after, audit=audited(after, Act.REFUSE_TAKEDOWN, desk))
    changes = with_notices([change], desk, parties)
    await store(tx, changes)
    return changes[0].entry


async def suspend(tx: Transaction, entry: Entry, desk: Desk, *, reason: str) -> Entry:
    """Suspend at once."""
    change = acts.suspend(entry, desk, reason=reason)
    return await _announced(tx, change.entry, Act.SUSPEND, desk)


async def resume(tx: Transaction, entry: Entry, desk: Desk) -> Entry:
    """Put a suspended entry in force again."""
    change = acts.resume(entry, desk)
    return await _announced(tx, change.entry, Act.RESUME, desk)


async def announce_again(tx: Transaction, entries: Sequence[Entry], desk: Desk) -> None:
    """Broadcast entries in force anew after something outside their content has changed."""
    for entry in entries:
        after = replace(entry, record_version=entry.record_version + 1, changed_at=desk.now)
        await _announced(tx, after, Act.PUBLISH, desk, silent=True)


async def _announced(
    tx: Transaction, entry: Entry, act: Act, desk: Desk, *, edition: int = 0, silent: bool = False
) -> Entry:
    """Broadcast what is in force, in its new standing, and keep it in the own replica."""
    held = await repository.latest_contents(tx.connection, [entry.entry_id])
    content = EntryContent.model_validate(held[entry.entry_id])
    if act is Act.APPROVE_TAKEDOWN:
        entry = replace(entry, document=held[entry.entry_id])
    shown = replace(entry, document=held[entry.entry_id])
    parties = await parties_of(tx, [shown], desk)
    state = state_of_entry(shown, content, edition=edition, desk=desk, parties=parties)
    await replica.keep(tx.connection, [state], at=desk.now)
    change = Change(entry=entry, audit=audited(entry, act, desk), events=(broadcast(state),))
    changes = [change] if silent else with_notices([change], desk, parties)
    await store(tx, changes)
    return changes[0].entry


async def _provide(
    tx: Transaction, entry: Entry, provisions: Sequence[Provision], desk: Desk
) -> None:
    """Note what is provided for dependents; raises ``Invalid`` for what is not usable."""
    impact = await impact_of(tx, entry.entry_id, desk)
    known = {row["dependent_id"] for row in impact.dependents}
    wanted = [str(each.substitute) for each in provisions if each.substitute is not None]
    usable = await published_ids(tx.connection, wanted)
    problems: list[ProblemError] = []
    for number, each in enumerate(provisions):
        place = f"provisions[{number}]"
        if each.dependent_id not in known:
            continue
        if each.substitute is not None:
            if str(each.substitute) not in usable or str(each.substitute) == entry.entry_id:
                problems.append(SubstituteUnknown(field=f"{place}.substitute"))
        elif each.ends_on is None or each.ends_on < impact.earliest_end:
            problems.append(DateInvalid(field=f"{place}.ends_on", kind="policy"))
    if problems:
        raise Invalid(problems)
    for each in provisions:
        if each.dependent_id in known:
            plan = each.model_dump(mode="json", exclude={"dependent_id"})
            await repository.plan_for(tx.connection, each.dependent_id, plan)
