"""One act on many entries: the same functions and checks as for one, written in bulk.

What is refused stays as it was and is listed with its reason; what passes is committed together.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from catalog.desk import Desk
from catalog.entries import acts, publication, repository
from catalog.entries.acts import Change, Parties, moved, permit
from catalog.entries.checks import CheckContext
from catalog.entries.domain import Act
from catalog.entries.notices import with_notices
from catalog.entries.records import Entry
from catalog.entries.repository import EntryFilter
from catalog.entries.schemas import BatchAct, BatchResult, Refused
from catalog.entries.storing import context_of, parties_of, store
from catalog.errors import BatchTooLarge, OpinionMissing
from kernel.db import Transaction
from kernel.problems import Invalid, NotFound, ProblemError

SHOWN = 50
_FROM_COPIES = {
    "submit": ("draft", "returned"),
    "discard": ("draft", "returned"),
    "accept": ("submitted",),
    "return": ("in_review",),
    "approve": ("in_review",),
    "publish": ("approved",),
}


@dataclass(slots=True)
class _Refusals:
    """What a batch refused."""

    language: str
    found: list[Refused]
    reasons: Counter[str]

    def add(self, entry_id: str, problem: ProblemError) -> None:
        """Note a refusal; a list of violated fields counts each of them."""
        for each in problem.errors or [problem]:
            self.reasons[f"{each.slug}:{each.field}" if each.field else each.slug] += 1
        self.found.append(Refused(entry_id=entry_id, problem=problem.to_problem(self.language)))


async def run(
    tx: Transaction, command: BatchAct, desk: Desk, *, own_org: str | None, language: str
) -> BatchResult:
    """Run a batch; raises ``BatchTooLarge`` for more ids than the policy's limit."""
    limit = desk.rules.integer("batch.max_entries")
    ids, more = await _chosen(tx, command, own_org=own_org, limit=limit)
    entries = await repository.lock(tx.connection, ids)
    refusals = _Refusals(language, [], Counter())
    for missing in sorted(set(ids) - {entry.entry_id for entry in entries}):
        refusals.add(missing, NotFound())
    parties = await parties_of(tx, entries, desk)
    changes = await _changes(tx, command, entries, desk, parties, refusals)
    changes = with_notices(changes, desk, parties)
    await store(tx, changes)
    edition = None
    if command.act == "publish" and changes:
        edition = int(changes[0].audit.details["edition"])
    return BatchResult(
        act=command.act,
        done=len(changes),
        refused=len(refusals.found),
        reasons=dict(refusals.reasons.most_common()),
        refusals=tuple(refusals.found[:SHOWN]),
        edition=edition,
        more=more,
    )


async def _chosen(
    tx: Transaction, command: BatchAct, *, own_org: str | None, limit: int
) -> tuple[list[str], bool]:
    if command.filter is None:
        ids = list(dict.fromkeys(str(each) for each in command.ids))
        if len(ids) > limit:
            raise BatchTooLarge(limit=limit, field="ids", kind="policy")
        return ids, False
    found: list[str] = []
    for copy in _FROM_COPIES[command.act]:
        wanted = EntryFilter(
            own_org=own_org,
            providing_org=command.filter.providing_org,
            import_id=str(command.filter.import_id) if command.filter.import_id else None,
            complete=command.filter.complete,
            copy=copy,
        )
        room = limit + 1 - len(found)
        found += await repository.ids_of(tx.connection, wanted, limit=room)
        if len(found) > limit:
            return found[:limit], True
    return found, False


async def _changes(
    tx: Transaction,
    command: BatchAct,
    entries: Sequence[Entry],
    desk: Desk,
    parties: Parties,
    refusals: _Refusals,
) -> list[Change]:
    act = Act(command.act)
    permitted = [entry for entry in entries if _permitted(entry, act, desk, refusals)]
    if act is Act.PUBLISH:
        ready = [entry for entry in permitted if _open(entry, act, desk, refusals)]
        return await publication.publish(tx, ready, desk, parties)
    in_force = await repository.latest_contents(
        tx.connection, [entry.entry_id for entry in permitted if entry.version]
    )
    context = await context_of(tx, [entry.content for entry in permitted], desk)
    # an open case keeps the rules of its submission
    contexts = {
        version: replace(context, rules=desk.rules_of(version), _verdicts={})
        for version in {entry.rule_version for entry in permitted}
    }

    def one(entry: Entry) -> Change:
        if act is Act.SUBMIT:
            return acts.submit(entry, desk, parties, context)
        if act is Act.ACCEPT:
            return acts.accept(entry, desk)
        if act is Act.RETURN:
            return acts.return_(entry, desk, parties, opinion=command.opinion)
        if act is Act.APPROVE:
            judged: CheckContext = contexts[entry.rule_version]
            return acts.approve(entry, desk, judged, opinion=command.opinion)
        return acts.discard(entry, desk, in_force.get(entry.entry_id))

    return [change for entry in permitted if (change := _tried(entry, one, refusals)) is not None]


def _tried(entry: Entry, one: Callable[[Entry], Change], refusals: _Refusals) -> Change | None:
    try:
        return one(entry)
    except ProblemError as problem:
        refusals.add(entry.entry_id, problem)
        return None


def _permitted(entry: Entry, act: Act, desk: Desk, refusals: _Refusals) -> bool:
    try:
        permit(entry, act, desk)
    except ProblemError as problem:
        refusals.add(entry.entry_id, problem)
        return False
    return True


def _open(entry: Entry, act: Act, desk: Desk, refusals: _Refusals) -> bool:
    try:
        moved(entry, act, desk)
    except ProblemError as problem:
        refusals.add(entry.entry_id, problem)
        return False
    return True


def require_opinion(command: BatchAct) -> None:
    """Raise ``Invalid`` for a return without an opinion."""
    if command.act == "return" and not command.opinion:
        raise Invalid([OpinionMissing(field="opinion")])
