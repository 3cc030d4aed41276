"""What the consumer needs from its database: rows and ports, without any SQL.

The PostgreSQL side is ``kernel.consumer_store``; simulated worlds bring their own.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from contracts.stream import Missing, Number, StreamKey, StreamState


class Record(NamedTuple):
    """A record as a transport delivers it; ``offset`` is -1 at the internal door.

    ``entered_at`` (RFC 3339, UTC) is when the transport took it.
    """

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: Sequence[tuple[str, bytes]]
    value: bytes
    entered_at: str


class CaseKey(NamedTuple):
    """The scope of order: the events of one case from one source on one topic."""

    source: str
    topic: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A verified event as it is kept: what was signed, the signature, the payload.

    ``signed`` are the exact signed bytes (``contracts.envelope.signed_bytes``) and ``signature``
    the text of ``ce_signature``: together they are evidence. Instants are RFC 3339 in UTC.
    """

    source: str
    topic: str
    partition: int
    key: str
    number: Number
    event_id: str
    type: str
    signed: bytes
    signature: str
    payload: bytes
    entered_at: str
    received_at: str
    traceparent: str | None = None

    @property
    def stream(self) -> StreamKey:
        return StreamKey(self.source, self.topic, self.partition)

    @property
    def case(self) -> CaseKey:
        return CaseKey(self.source, self.topic, self.key)

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same event whenever it comes again: source and id."""
        return self.source, self.event_id


class Waiting(StrEnum):
    """Why an event is stored and not applied."""

    GAP = "gap"
    """Numbers before it are missing."""
    KEY = "key"
    """Its key is held by an earlier event, or it is the one that holds it."""
    TRUST = "trust"
    """Its key is not in the registry yet."""


class Hold(StrEnum):
    """Why a key is held."""

    NOT_YET = "not_yet"
    """The first event waits for its cause; tried again and again."""
    NOT_UNDERSTOOD = "not_understood"
    """The first event's type is unknown here; applied after an upgrade."""
    DEAD = "dead"
    """Our code refuses the first event; an operator replays or discards it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A held key; ``attempts`` counts the tries of its first event."""

    case: CaseKey
    partition: int
    hold: Hold
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An authentic event that our code refuses; ``reason`` is a code, never a value."""

    event: Stored
    reason: str
    sqlstate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record that is not trusted: only facts of a safe form, and the payload's digest.

    ``claimed_source`` and ``claimed_type`` are empty unless they have the form of ours.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    claimed_source: str
    claimed_type: str
    payload_sha256: str
    size: int


class StreamRow(NamedTuple):
    """A locked stream: its state (``None``: never seen) and how many events wait for a gap."""

    state: StreamState | None
    parked: int = 0


class ReceiptDue(NamedTuple):
    """A receipt to be sent for a stored event."""

    event: Stored
    payload_sha256: str


class ConsumerTransaction(Protocol):
    """One transaction of the consumer; it commits when its context is left without an error."""

    def carry(self, traceparent: str | None) -> Any:
        """Return what handlers get (``kernel.db.Transaction``), its events in this trace."""
        ...

    async def lock_streams(self, keys: Sequence[StreamKey]) -> Mapping[StreamKey, StreamRow]:
        """Lock the rows in the given (sorted) order, making missing ones; return all."""
        ...

    async def save_streams(self, rows: Mapping[StreamKey, StreamRow]) -> None: ...

    async def note_skip(
        self, stream: StreamKey, *, before: StreamState | None, after: Number, reason: str
    ) -> None:
        """Record that an operator gave up a range of numbers."""
        ...

    async def save_positions(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Keep the next offset to read, by topic and partition."""
        ...

    async def insert_inbox(self, events: Sequence[Stored]) -> Collection[tuple[str, str]]:
        """Insert identities; return those that were not there before."""
        ...

    async def keep_evidence(self, events: Sequence[Stored]) -> None: ...

    async def organisations(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the nodes of those organisations that are known."""
        ...

    async def sources_over_limit(self, sources: Sequence[str]) -> Collection[str]:
        """Return the sources with more open dead letters than the limit allows."""
        ...

    async def held_keys(self, cases: Sequence[CaseKey]) -> Collection[CaseKey]: ...

    async def hold_key(self, held: HeldKey, *, reason: str, retry_at: str | None) -> None:
        """Insert or update the hold; ``retry_at`` is when it is tried again (RFC 3339)."""
        ...

    async def lock_held(self, case: CaseKey) -> HeldKey | None: ...

    async def release_key(self, case: CaseKey) -> None: ...

    async def park(self, events: Sequence[Stored], why: Waiting) -> Sequence[Stored]:
        """Store events that wait; return those that did not wait already.

        The same one is: for a gap the same number, else the same identity. Of events that wait
        for trust only a bounded number is kept.
        """
        ...

    async def parked_in_stream(self, stream: StreamKey, limit: int) -> Sequence[Stored]:
        """Return what waits for a gap, by (epoch, sequence)."""
        ...

    async def parked_behind(self, case: CaseKey, limit: int) -> Sequence[Stored]:
        """Return what waits behind a held key, in the order in which it was stored."""
        ...

    async def unpark(self, events: Sequence[Stored], why: Waiting) -> None: ...

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Insert, or count another attempt of, dead letters."""
        ...

    async def close_dead_letter(self, event: Stored, outcome: str, reason: str = "") -> None:
        """Mark an open dead letter of the event, if there is one, ``replayed`` or ``discarded``."""
        ...

    async def note_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Count refused records, and keep a bounded sample."""
        ...

    async def send_receipts(self, receipts: Sequence[ReceiptDue]) -> None:
        """Put receipts into the outbox."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[Any]: ...


class ConsumerStore(Protocol):
    """Opens the consumer's transactions, and finds what there is to do again."""

    def transaction(self) -> AbstractAsyncContextManager[ConsumerTransaction]: ...

    async def due_keys(self, now: str, limit: int) -> Sequence[HeldKey]:
        """Return held keys whose next try is due, longest waiting first."""
        ...

    async def held(self, case: CaseKey) -> HeldKey | None:
        """Return a held key without locking it."""
        ...

    async def stream_state(self, stream: StreamKey) -> StreamState | None:
        """Return how far this receiver is, without locking."""
        ...

    async def gaps(self, limit: int) -> Sequence["OpenGap"]:
        """Return the streams in which events wait for missing numbers."""
        ...

    async def parked_for_trust(self, limit: int) -> Sequence[Stored]:
        """Return what waits for a key of the registry, oldest first."""
        ...


class OpenGap(NamedTuple):
    """A stream with events that wait; ``first`` is the lowest number that waits."""

    stream: StreamKey
    state: StreamState | None
    first: Number


class UnavailableError(Exception):
    """The database cannot answer now: stop subscribing, wait for it, start again (protocol §3)."""


@dataclass(slots=True, kw_only=True)
class BatchResult:
    """What became of a batch, for metrics, control and tests."""

    applied: int = 0
    ignored: int = 0
    duplicates: int = 0
    parked: int = 0
    held: int = 0
    dead: int = 0
    refused: int = 0
    missing: dict[StreamKey, Missing] = field(default_factory=dict)
    forgotten: list[tuple[StreamKey, Number]] = field(default_factory=list)
