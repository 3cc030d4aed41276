"""The job that reminds, declares overdue and escalates; safe to repeat, to kill and to run twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row

from contracts.authority import NoAuthorityError, resolve_party
from contracts.calendar import civil_date
from contracts.regions import load_regions
from contracts.rules import Deadline, RuleBook, RuleSet, UnknownRuleError
from kernel.db import Transaction
from kernel.runtime import Runtime
from notify.clocks.service import dates_of, workday_after
from notify.inbox import service as inbox
from notify.inbox.domain import Address, Message, authority_clerks, authority_supervisors
from notify.organisations import repository as organisations
from notify.reminders import messages, repository
from notify.reminders.domain import EscalationStep, Step, Turn, plan, take_turn

PORTION = 500


async def run(runtime: Runtime) -> None:
    """Take every turn that is due today, portion by portion, each in a transaction of its own."""
    while await _portion(runtime) == PORTION:
        pass


async def _portion(runtime: Runtime) -> int:
    async with runtime.database.transaction() as tx:
        today = civil_date(runtime.clock.now())
        rows = await repository.due(tx.connection, today, limit=PORTION)
        marks = await repository.marks(tx.connection, [row.clock_id for row in rows])
        turns = [_turn(runtime, row, marks[row.clock_id], today) for row in rows]
        addresses = await _addresses(tx, runtime, turns)
        said = [(row, step, addresses.of(row, step)) for row, turn in turns for step in turn.spoken]
        told = {(row.clock_id, step.mark): address for row, step, address in said}
        set_marks = [
            _mark(tx, row, step, told.get((row.clock_id, step.mark)))
            for row, turn in turns
            for step in turn.marks
        ]
        await repository.add_marks(tx.connection, set_marks)
        messages = [_message(runtime, *each) for each in said]
        await inbox.post(tx.connection, messages, at=tx.clock.now())
        days = [(row.clock_id, turn.next_on) for row, turn in turns]
        await repository.look_again(tx.connection, days)
        return len(rows)


def _turn(runtime: Runtime, row: Row[Any], done: set[str], today: date) -> tuple[Row[Any], Turn]:
    rules, deadline = _rules_of(runtime.rulebook, row)
    calendar = runtime.calendar()
    steps = plan(
        dates_of(row),
        row.starts_on,
        reminder_days=rules.integers("clock.remind_after_days"),
        soon_days=rules.integer("clock.due_soon_days"),
        ladder=_ladder(rules, deadline, row),
        workday_after=lambda day, count: workday_after(calendar, day, count),
    )
    return row, take_turn(steps, done, today)


def _rules_of(rulebook: RuleBook, row: Row[Any]) -> tuple[RuleSet, Deadline | None]:
    """The rule set that the clock started under, or the current one where it is not loaded."""
    rules = rulebook.versions.get(row.rule_version, rulebook.current)
    try:
        return rules, rules.deadline(row.rule)
    except UnknownRuleError:
        return rules, None


def _ladder(rules: RuleSet, deadline: Deadline | None, row: Row[Any]) -> list[EscalationStep]:
    parties = deadline.escalation if deadline else (row.escalate_to,)
    days = rules.integers("clock.escalate_after_days")
    return [
        EscalationStep(to=party, after_days=days[min(place, len(days) - 1)])
        for place, party in enumerate(parties)
    ]


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Whom the parties of the matrix mean at this node."""

    parties: Mapping[str, Address]

    def of(self, row: Row[Any], step: Step) -> Address:
        """Whom a step is for; an office that nobody announced is stood in for by supervisors."""
        if step.to == "bound_party":
            return Address(org_id=row.bound_org) if row.bound_org else authority_clerks()
        return self.parties.get(step.to) or authority_supervisors()


async def _addresses(
    tx: Transaction, runtime: Runtime, turns: Sequence[tuple[Row[Any], Turn]]
) -> _Addresses:
    parties = {step.to for _, turn in turns for step in turn.spoken} - {"bound_party"}
    found = {party: await _office(tx, runtime.node, party) for party in sorted(parties)}
    return _Addresses({party: office for party, office in found.items() if office is not None})


async def _office(tx: Transaction, node: str, party: str) -> Address | None:
    """Return the announced organisation that a party of the matrix means at this node."""
    for kind in _kinds_here(party, node):
        found = await organisations.first_of_kind(tx.connection, node, kind)
        if found is not None:
            role = "authority_supervisor" if kind == "data_authority" else None
            return Address(org_id=found.org_id, role=role)
    return None


def _kinds_here(party: str, node: str) -> tuple[str, ...]:
    """Kinds of organisation that the party may be at this node; none when it is elsewhere."""
    try:
        office = resolve_party(party, node, regions=load_regions())
    except NoAuthorityError:
        # a clock of a newer rule set may name a party that this version does not know
        return ()
    return office.kinds if office.node == node and not office.external else ()


def _mark(tx: Transaction, row: Row[Any], step: Step, address: Address | None) -> dict[str, Any]:
    return {
        "clock_id": row.clock_id,
        "mark": step.mark,
        "kind": step.kind,
        "counts_on": row.counts_on,
        "due_on": step.on,
        "told_org": (address.org_id or address.role) if address else None,
        "spoken": address is not None,
        "at": tx.clock.now(),
    }


def _message(runtime: Runtime, row: Row[Any], step: Step, address: Address) -> Message:
    _, deadline = _rules_of(runtime.rulebook, row)
    name_zh = deadline.title_zh if deadline else row.rule
    name_en = deadline.title_en if deadline else row.rule
    return messages.message(row, step, address, name_zh=name_zh, name_en=name_en)
