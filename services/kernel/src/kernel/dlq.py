"""Copies of dead letters for operators, on ``dlq.<node>.v1``; the originals are database rows."""

from datetime import datetime
from hashlib import sha256

from contracts.events.bus import DeadLetterCopied
from contracts.topics import topic_name
from kernel.consuming import DeadLetter
from kernel.outbox import instant
from kernel.ports import OutgoingEvent


def copy_event(
    letter: DeadLetter, number: int, *, node: str, service: str, now: datetime
) -> OutgoingEvent:
    """Return the copy of a dead letter with this number: facts and a digest, no content."""
    event = letter.event
    copied = DeadLetterCopied(
        event_id=event.event_id,
        event_type=event.type,
        source=event.source,
        topic=event.topic,
        partition=event.partition,
        key=event.key,
        epoch=event.number.epoch,
        sequence=event.number.sequence,
        service=service,
        reason=letter.reason,
        sqlstate=letter.sqlstate,
        payload_sha256=sha256(event.payload).hexdigest(),
        size=len(event.payload),
        at=instant(now),
    )
    return OutgoingEvent(
        type="yiwang.bus.deadletter.copied.v1",
        topic=topic_name("dlq", node),
        key=event.event_id,
        case_version=number,
        subject=event.event_id,
        payload=copied,
        destination=node,
    )
