"""Applying one event: its handlers, and what follows when they fail."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import NamedTuple

from kernel.authenticity import Authentic
from kernel.consuming import ConsumerTransaction, DeadLetter, HeldKey, Hold, UnavailableError
from kernel.failures import Failure, Meaning, read_failure
from kernel.handlers import Handlers
from kernel.outbox import instant
from kernel.ports import ReceivedEvent

Observe = Callable[[ReceivedEvent], AbstractContextManager[str | None]]
"""Opens a span around the handlers and yields the ``traceparent`` that their events carry on."""

FIRST_RETRY = timedelta(milliseconds=50)
LONGEST_RETRY = timedelta(minutes=1)
UPGRADE_RETRY = timedelta(minutes=10)


class Outcome(NamedTuple):
    """What became of an event: applied when ``hold`` is ``None``, else why it holds its key."""

    hold: Hold | None = None
    reason: str = ""
    sqlstate: str = ""

    @property
    def applied(self) -> bool:
        return self.hold is None


APPLIED = Outcome()
_HOLDS = {Meaning.WAIT: Hold.NOT_YET, Meaning.DEAD: Hold.DEAD}


def without_span(event: ReceivedEvent) -> AbstractContextManager[str | None]:
    """Observe nothing; the events of the handlers continue the sender's trace."""
    return nullcontext(event.traceparent)


def to_received(item: Authentic) -> ReceivedEvent:
    """Return the event as handlers see it; its payload has been parsed."""
    if item.payload is None:
        raise ValueError("an event without a parsed payload has no handler")
    stored, envelope = item.stored, item.envelope
    return ReceivedEvent(
        id=envelope.id,
        source=envelope.source,
        source_node=envelope.source_node,
        type=envelope.type,
        subject=envelope.subject,
        time=envelope.time,
        topic=stored.topic,
        key=stored.key,
        case_version=envelope.case_version,
        payload=item.payload,
        entered_at=stored.entered_at,
        received_at=stored.received_at,
        traceparent=stored.traceparent,
    )


async def apply(
    tx: ConsumerTransaction, item: Authentic, *, handlers: Handlers, observe: Observe
) -> None:
    """Run the handlers of an event; raises what they raise."""
    event = to_received(item)
    with observe(event) as traceparent:
        handed = tx.carry(traceparent)
        for handle in handlers.of(event.type):
            await handle(handed, event)


async def apply_carefully(
    tx: ConsumerTransaction, item: Authentic, *, handlers: Handlers, observe: Observe
) -> Outcome:
    """Run the handlers under a savepoint; raises only ``UnavailableError``."""
    try:
        async with tx.savepoint():
            await apply(tx, item, handlers=handlers, observe=observe)
    except Exception as error:
        failure = read_failure(error)
        if failure.meaning is Meaning.AWAY:
            raise UnavailableError(failure.reason) from error
        return to_outcome(failure)
    return APPLIED


def to_outcome(failure: Failure) -> Outcome:
    """Return the outcome of a failure that is the event's own."""
    return Outcome(_HOLDS[failure.meaning], failure.reason, failure.sqlstate)


def known_before(item: Authentic, organisations: Mapping[str, str]) -> Outcome | None:
    """Return the outcome of an event that no handler needs to see, or ``None``.

    ``organisations`` are the known ones with their nodes: one that is unknown yet may still be
    announced by the sender.
    """
    if item.spec is None:
        return Outcome(Hold.NOT_UNDERSTOOD, "unknown_type")
    if item.problem:
        return Outcome(Hold.DEAD, item.problem)
    nodes = {organisations.get(name) for name in item.organisations}
    if nodes - {item.envelope.source_node, None}:
        return Outcome(Hold.DEAD, "organisation_of_another_node")
    return Outcome(Hold.NOT_YET, "organisation_unknown") if None in nodes else None


async def hold(
    tx: ConsumerTransaction, item: Authentic, outcome: Outcome, *, attempts: int, now: datetime
) -> None:
    """Let the event hold its key, and note it as a dead letter if it is one."""
    if outcome.hold is None:
        raise ValueError("an applied event holds no key")
    stored = item.stored
    held = HeldKey(
        case=stored.case, partition=stored.partition, hold=outcome.hold, attempts=attempts
    )
    retry = _next_try(outcome.hold, attempts)
    await tx.hold_key(held, reason=outcome.reason, retry_at=instant(now + retry) if retry else None)
    if outcome.hold is Hold.DEAD:
        letter = DeadLetter(event=stored, reason=outcome.reason, sqlstate=outcome.sqlstate)
        await tx.add_dead_letters([letter])


def _next_try(why: Hold, attempts: int) -> timedelta | None:
    if why is Hold.DEAD:
        return None
    if why is Hold.NOT_UNDERSTOOD:
        return UPGRADE_RETRY
    return min(FIRST_RETRY * (1 << min(max(attempts - 1, 0), 16)), LONGEST_RETRY)


def organisations_of(items: Collection[Authentic]) -> list[str]:
    """Return the organisations that the events name, sorted."""
    return sorted({name for item in items for name in item.organisations})
