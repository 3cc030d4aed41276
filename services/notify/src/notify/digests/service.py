"""Sending figures to the upper node, and keeping those of lower nodes (Article 6 (六))."""

from dataclasses import dataclass
from datetime import timedelta

from contracts.events.clock import ClockDigest, DigestLine
from contracts.topics import topic_name
from kernel.db import Transaction
from kernel.ports import OutgoingEvent
from kernel.runtime import Runtime
from notify.clocks.repository import Today
from notify.clocks.service import today_of
from notify.digests import repository
from notify.digests.domain import LastSent, content_of, is_due, is_quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """This node's figures of one moment."""

    lines: tuple[DigestLine, ...]
    overdue_cases: tuple[str, ...]


def interval(runtime: Runtime) -> timedelta:
    """How long a node may stay silent (policy)."""
    return timedelta(hours=runtime.rulebook.current.integer("digest.hours"))


def today(runtime: Runtime) -> Today:
    """The civil date and how far due-soon reaches under the current rules."""
    soon_days = runtime.rulebook.current.integer("clock.due_soon_days")
    return today_of(runtime.calendar(), runtime.clock.now(), soon_days=soon_days)


async def figures(tx: Transaction, day: Today) -> Figures:
    """Count this node's deadlines."""
    return Figures(
        lines=await repository.lines(tx.connection, day),
        overdue_cases=await repository.overdue_cases(tx.connection, day),
    )


async def run(runtime: Runtime) -> None:
    """Send a digest to the upper node when the figures changed, and once an interval anyway.

    The job's period is the debounce: what changes within it travels together. A node without an
    upper node on the platform sends none.
    """
    upper = runtime.registry.upper(runtime.node)
    if upper is None:
        return
    async with runtime.database.transaction() as tx:
        now, day = tx.clock.now(), today(runtime)
        last = await repository.last_sent(tx.connection, upper.node)
        changed_at = await repository.last_change(tx.connection)
        every = interval(runtime)
        if is_quiet(last, changed_at, now=now, today=day.day, every=every):
            return
        found = await figures(tx, day)
        content = content_of(found.lines, found.overdue_cases)
        if not is_due(last, content, now=now, every=every):
            return
        number = last.number + 1 if last else 1
        sent = LastSent(number=number, content=content, as_of=now, day=day.day)
        await repository.note_sent(tx.connection, upper.node, sent)
        await tx.emit(_event(runtime.node, upper.node, found, sent))


def _event(node: str, upper: str, found: Figures, sent: LastSent) -> OutgoingEvent:
    payload = ClockDigest(
        node=node,
        as_of=sent.as_of.isoformat(),
        lines=found.lines,
        overdue_cases=found.overdue_cases,
    )
    return OutgoingEvent(
        type="yiwang.clock.digest.v1",
        topic=topic_name("filings", upper),
        key=node,
        case_version=sent.number,
        subject=node,
        payload=payload,
        destination=upper,
    )
