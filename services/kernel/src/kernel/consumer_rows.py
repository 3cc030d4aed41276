"""Reading and writing rows of the consumer's tables."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from contracts.envelope import read_signed
from contracts.stream import StreamKey, StreamState
from kernel.consuming import CaseKey, DeadLetter, HeldKey, Hold, Refusal, Stored, StreamRow


def stream_key(row: Mapping[str, Any]) -> StreamKey:
    return StreamKey(row["source"], row["topic"], row["partition"])


def stream_row(row: Mapping[str, Any]) -> StreamRow:
    """Read a row of ``consumer_streams``; without an epoch nothing has come yet."""
    if row["epoch"] is None:
        return StreamRow(None, row["parked"])
    past = tuple((epoch, last) for epoch, last in orjson.loads(row["past"]))
    return StreamRow(StreamState(str(row["epoch"]), row["watermark"], past), row["parked"])


def held_key(row: Mapping[str, Any]) -> HeldKey:
    return HeldKey(
        case=CaseKey(row["source"], row["topic"], row["key"]),
        partition=row["partition"],
        hold=Hold(row["hold"]),
        attempts=row["attempts"],
    )


def to_stored(row: Mapping[str, Any]) -> Stored:
    """Read a parked event; what it is stands in its signed bytes."""
    signed = read_signed(row["signed"])
    envelope = signed.envelope
    return Stored(
        source=envelope.source,
        topic=signed.topic,
        partition=signed.partition,
        key=signed.key,
        number=envelope.number,
        event_id=envelope.id,
        type=envelope.type,
        signed=row["signed"],
        signature=row["signature"],
        payload=row["payload"],
        entered_at=row["entered_at"],
        received_at=row["received_at"],
        traceparent=row["traceparent"],
    )


def past_text(state: StreamState | None) -> str:
    return orjson.dumps(state.past if state else ()).decode()


def columns(lines: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Turn rows into the column arrays that ``unnest`` takes."""
    return [list(column) for column in zip(*lines, strict=True)]


def stream_line(key: StreamKey, row: StreamRow) -> tuple[Any, ...]:
    """Return a stream's columns as they are saved."""
    state = row.state
    epoch, watermark = (state.epoch, state.watermark) if state else (None, 0)
    return (*key, epoch, watermark, past_text(state), row.parked)


def parked_line(event: Stored) -> tuple[Any, ...]:
    """Return a parked event's columns."""
    return (
        *(event.source, event.topic, event.partition, event.key),
        *(event.number.epoch or None, event.number.sequence, event.event_id),
        *(event.signed, event.signature, event.payload, event.traceparent),
        *(event.entered_at, event.received_at),
    )


def dead_line(letter: DeadLetter) -> tuple[Any, ...]:
    """Return a dead letter's columns: facts and a digest, never the payload."""
    event = letter.event
    return (
        *(*event.stream, event.key, event.number.epoch or None, event.number.sequence),
        *(event.event_id, event.type, letter.reason, letter.sqlstate),
        *(sha256(event.payload).hexdigest(), len(event.payload)),
    )


def refusal_line(refusal: Refusal) -> tuple[Any, ...]:
    """Return a refused record's columns."""
    return (
        *(refusal.claimed_source, refusal.topic, refusal.partition, refusal.claimed_type),
        *(refusal.reason, refusal.payload_sha256, refusal.size, refusal.offset),
    )
