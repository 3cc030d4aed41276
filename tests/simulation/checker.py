"""Reads a world's history and its last state: nothing lost, invented, doubled or out of order."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.topics import event_spec
from kernel.handlers import RECEIPT_TYPE
from kernel.signing import Keyring
from tests.simulation.federation import registry
from tests.simulation.history import Moment
from tests.simulation.sealer import verify_chain
from tests.simulation.sides import check_sides

Facts = dict[str, Any]


@dataclass(frozen=True)
class Violation:
    """One broken rule, told by the events that show it."""

    rule: str
    text: str


@dataclass
class Read:
    """The history, sorted by what the rules ask for."""

    emitted: dict[str, Facts]
    emissions: list[Facts]
    void: set[str]
    applied: list[Facts]
    discarded: set[tuple[str, str]]
    receipts: set[tuple[str, str]]


def read(moments: list[Moment]) -> Read:
    """Sort the moments."""
    found = Read({}, [], set(), [], set(), set())
    for moment in moments:
        facts = {**moment.facts, "at": moment.at, "number_in_history": moment.number}
        if moment.kind == "emitted":
            found.emissions.append(facts)
            found.emitted.setdefault(facts["event"], facts)
        elif moment.kind == "void":
            found.void.add(facts["event"])
        elif moment.kind == "applied":
            found.applied.append(facts)
        elif moment.kind == "letter.discarded":
            found.discarded.add((facts["by"], facts["event"]))
        elif moment.kind == "receipt":
            found.receipts.add((facts["by"], facts["event"]))
    return found


def check(world: Any) -> list[Violation]:
    """Return every broken rule, in a fixed order."""
    moments = world.machine.history.moments
    story = read(moments)
    found: list[Violation] = []
    found += [Violation(m.facts["rule"], m.facts["text"]) for m in moments if m.kind == "found"]
    found += [
        Violation("task_died", f"{c.get('message')}: {c.get('exception')!r}")
        for c in world.machine.loop.failures
    ]
    if world.stuck:
        found.append(Violation("stuck", world.stuck))
    rules: tuple[Callable[[Read], Iterator[Violation]], ...] = (
        doubled,
        invented,
        emitted_out_of_order,
        out_of_order,
        lost,
        receipts_missing,
    )
    for rule in rules:
        found += rule(story)
    found += holds(moments, story)
    found += revoked_pages(moments)
    found += audit(world)
    found += [Violation(*pair) for pair in check_sides(world, story.emissions)]
    return found


def doubled(story: Read) -> Iterator[Violation]:
    """No event takes effect twice at one receiver."""
    seen: set[tuple[str, str, str]] = set()
    for facts in story.applied:
        mark = (facts["by"], facts["source"], facts["event"])
        if mark in seen:
            yield Violation("doubled", f"{facts['by']} applied {_name(facts)} twice")
        seen.add(mark)


def invented(story: Read) -> Iterator[Violation]:
    """Whatever takes effect was committed before by its source, for this receiver."""
    for facts in story.applied:
        origin = story.emitted.get(facts["event"])
        if origin is None or origin["number_in_history"] > facts["number_in_history"]:
            yield Violation("invented", f"{facts['by']} applied {_name(facts)}, nobody sent it")
            continue
        for name in ("source", "type", "topic", "key", "version"):
            if origin[name] != facts[name]:
                yield Violation("invented", f"{_name(facts)}: {name} is not what was sent")
        if origin["to"] != facts["by"]:
            yield Violation("invented", f"{facts['by']} applied {_name(facts)} of {origin['to']}")


def emitted_out_of_order(story: Read) -> Iterator[Violation]:
    """The events of a case enter the outbox in the order of its commits, ids included."""
    last: dict[tuple[str, ...], tuple[int, int]] = {}
    for facts in story.emissions:
        case = (facts["source"], facts["topic"], facts["key"], facts["space"])
        mark = (facts["version"], facts["number"])
        before = last.get(case)
        if before is not None and not (before[0] < mark[0] and before[1] < mark[1]):
            yield Violation("emitted_out_of_order", f"{_name(facts)} {mark} after {before}")
        last[case] = mark


def out_of_order(story: Read) -> Iterator[Violation]:
    """The events of a case take effect in the order of its versions."""
    last: dict[tuple[str, ...], tuple[int, Facts]] = {}
    for facts in story.applied:
        origin = story.emitted.get(facts["event"])
        if origin is None:
            continue
        case = (facts["by"], facts["source"], facts["topic"], facts["key"], origin["space"])
        before = last.get(case)
        if before is not None and before[0] >= facts["version"]:
            text = f"{facts['by']} applied {_name(facts)} after {_name(before[1])}"
            yield Violation("out_of_order", text)
        last[case] = (facts["version"], facts)


def lost(story: Read) -> Iterator[Violation]:
    """At rest, whatever was committed has taken effect, unless it went out void or was discarded."""
    applied = {(facts["by"], facts["event"]) for facts in story.applied}
    for event, facts in story.emitted.items():
        mark = (facts["to"], event)
        if event not in story.void and mark not in applied and mark not in story.discarded:
            yield Violation("lost", f"{facts['to']} never applied {_name(facts)}")


def receipts_missing(story: Read) -> Iterator[Violation]:
    """At rest, every event that asks for a receipt has one, and only such events have."""
    for event, facts in story.emitted.items():
        if event in story.void or facts["type"] == RECEIPT_TYPE:
            continue
        has = (facts["by"], event) in story.receipts
        if event_spec(facts["type"]).receipt != has:
            word = "has no receipt" if not has else "has a receipt that it must not have"
            yield Violation("receipt", f"{_name(facts)} {word}")


def holds(moments: list[Moment], story: Read) -> Iterator[Violation]:
    """While a dead letter is open, no later event of its key takes effect."""
    open_letters: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for moment in moments:
        facts = moment.facts
        if moment.kind not in ("dead", "applied") and not moment.kind.startswith("letter."):
            continue
        origin = story.emitted.get(facts["event"])
        if origin is None:
            continue
        case = (facts["by"], origin["source"], origin["topic"], origin["key"])
        letters = open_letters[case]
        if moment.kind == "dead":
            letters.add(facts["event"])
        elif moment.kind == "applied":
            waiting = [event for event in letters if event != facts["event"]]
            if waiting:
                first = story.emitted[min(waiting)]
                text = f"{facts['by']} applied {_name(facts)} behind dead {_name(first)}"
                yield Violation("hold", text)
        else:
            letters.discard(facts["event"])


def revoked_pages(moments: list[Moment]) -> Iterator[Violation]:
    """No call that began after a grant's end committed got a page."""
    ended: dict[str, float] = {}
    for moment in moments:
        grant = moment.facts.get("grant")
        if moment.kind == "grant_ended":
            ended[grant] = moment.at
        elif moment.kind == "page" and grant in ended and moment.facts["started"] > ended[grant]:
            text = f"grant {grant} ended at {ended[grant]}, call at {moment.facts['started']}"
            yield Violation("delivered_after_end", text)


def audit(world: Any) -> Iterator[Violation]:
    """Every chain holds, and every audit row stands in exactly one batch."""
    for service in world.services.values():
        fault = verify_chain(
            service.database, Keyring(registry()), node=service.node, service=service.name
        )
        if fault is not None:
            yield Violation("audit", f"{service.who}: {fault}")
        sealed = [row for batch in service.database.rows("audit_batches") for row in batch["ids"]]
        rows = service.database.tables["audit"].rows
        if len(sealed) != len(set(sealed)):
            yield Violation("audit", f"{service.who}: a row stands in two batches")
        if not world.stuck and set(sealed) != set(rows):
            missing = len(set(rows) - set(sealed))
            yield Violation("audit", f"{service.who}: {missing} rows stand in no batch")


def _name(facts: Facts) -> str:
    kind = facts["type"].removeprefix("yiwang.").removesuffix(".v1")
    return f"{kind} v{facts['version']} of {facts['key'][-12:]} on {facts['topic']}"
