"""What the relay needs from its database and its bus: rows, ports, and records of rows.

The PostgreSQL side is ``kernel.relay_store``, the bus ``kernel.publishers`` and ``kernel.local``;
simulated worlds bring their own.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from contracts.envelope import (
    VOID_TYPE,
    Envelope,
    digest,
    encoded_attributes,
    event_leaf,
    sign_list,
    to_headers,
)
from contracts.stream import Number
from kernel.signing import Signer

VOID_PAYLOAD = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A committed event on its way; ``epoch`` is empty until it has been numbered.

    ``time`` is RFC 3339 in UTC and stays as written, so that a re-sent event is the same event.
    """

    id: int
    topic: str
    partition: int
    key: str
    event_id: str
    type: str
    subject: str
    time: str
    dataschema: str
    case_version: int
    payload: bytes
    traceparent: str | None = None
    guard: str | None = None
    epoch: str = ""
    sequence: int = 0
    previous_epoch: str = ""
    previous_last: int = 0

    def numbered(self, number: Number) -> "OutboxRow":
        """Return the row with its number (twice as fast as ``replace``)."""
        return OutboxRow(
            id=self.id,
            topic=self.topic,
            partition=self.partition,
            key=self.key,
            event_id=self.event_id,
            type=self.type,
            subject=self.subject,
            time=self.time,
            dataschema=self.dataschema,
            case_version=self.case_version,
            payload=self.payload,
            traceparent=self.traceparent,
            guard=self.guard,
            epoch=number.epoch,
            sequence=number.sequence,
            previous_epoch=number.previous_epoch,
            previous_last=number.previous_last,
        )


class Counter(NamedTuple):
    """The last number given out on one stream of this source."""

    topic: str
    partition: int
    epoch: str = ""
    last: int = 0


class Message(NamedTuple):
    """A record ready for the bus."""

    topic: str
    partition: int
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


class Ack(NamedTuple):
    """The bus's answer to one message.

    ``entered_at`` (RFC 3339, UTC) is when the bus took it. ``refused`` names the error when the
    bus will never take it; such a message has not been published.
    """

    entered_at: str
    refused: str = ""


class Sent(NamedTuple):
    """A published row: when it entered the bus, and why it went out as void, if it did."""

    row: OutboxRow
    entered_at: str
    void: str = ""


class LockLostError(Exception):
    """Another relay has taken over, or the lock's connection is gone."""


class PublishError(Exception):
    """The bus did not acknowledge a batch; it will be sent again, in the same order."""


class NumberingTransaction(Protocol):
    """The transaction of step one; it commits when its context is left without an error."""

    async def unnumbered(self, limit: int) -> Sequence[OutboxRow]:
        """Return committed rows without a number, in id order."""
        ...

    async def lock_counters(
        self, streams: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Counter]:
        """Lock the counter rows in the given (sorted) order, making missing ones; return all."""
        ...

    async def save(self, rows: Sequence[OutboxRow], counters: Sequence[Counter]) -> None:
        """Write the numbers into the outbox rows, and the counters."""
        ...


class RelayStore(Protocol):
    """What a relay keeps: one lock, numbers, outbox and sent log of one transport."""

    async def acquire(self) -> bool:
        """Try to take the relay's lock on a connection of its own."""
        ...

    async def holds(self) -> bool:
        """Tell whether the lock's connection still lives."""
        ...

    async def release(self) -> None:
        """Give the lock back, if it is held, and close what is open."""
        ...

    async def latest_epoch(self) -> str:
        """Return the highest epoch that any counter carries, or an empty string."""
        ...

    def numbering(self) -> AbstractAsyncContextManager[NumberingTransaction]:
        """Open the transaction of step one."""
        ...

    async def numbered(self, limit: int) -> Sequence[OutboxRow]:
        """Return numbered rows by (topic, partition, epoch, sequence)."""
        ...

    def guarded(self, guards: Sequence[str]) -> AbstractAsyncContextManager[frozenset[str]]:
        """Yield those guards that have ended; the others cannot end while the context is open."""
        ...

    async def finish(self, sent: Sequence[Sent]) -> None:
        """Move the rows to the sent log and note voids as dead letters of the sender; commit."""
        ...


class Publisher(Protocol):
    """The bus, or a sibling service's internal door."""

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        """Publish in order and wait for all acks; raises ``PublishError`` if any is missing."""
        ...


def as_void(row: OutboxRow) -> OutboxRow:
    """Return the row as a number without an event."""
    return replace(row, type=VOID_TYPE, dataschema="", payload=VOID_PAYLOAD)


def to_messages(rows: Sequence[OutboxRow], source: str, signer: Signer) -> list[Message]:
    """Sign ``rows`` as one batch and return their records."""
    attributes, leaves = [], []
    for row in rows:
        envelope = _envelope(row, source, signer.key_id)
        pairs = encoded_attributes(envelope)
        signed = sign_list(
            pairs,
            row.topic,
            partition=row.partition,
            key=row.key.encode(),
            epoch=row.epoch.encode(),
            sequence=b"%d" % row.sequence,
            payload_sha256=digest(row.payload),
        )
        attributes.append(pairs)
        leaves.append(event_leaf(signed))
    signatures = signer.sign_batch(leaves)
    return [
        Message(
            row.topic,
            row.partition,
            row.key.encode(),
            to_headers(pairs, signature, row.traceparent),
            row.payload,
        )
        for row, pairs, signature in zip(rows, attributes, signatures, strict=True)
    ]


def _envelope(row: OutboxRow, source: str, key_id: str) -> Envelope:
    return Envelope(
        id=row.event_id,
        source=source,
        type=row.type,
        subject=row.subject,
        time=row.time,
        dataschema=row.dataschema,
        epoch=row.epoch,
        sequence=row.sequence,
        case_version=row.case_version,
        key_id=key_id,
        previous_epoch=row.previous_epoch,
        previous_last=row.previous_last,
    )
