"""The relay: the only publisher of a service.

Three steps (protocol §1): number the new rows in id order and commit; sign and publish in order of
(partition, sequence), what was numbered before first; move the rows to the sent log. All I/O goes
through ports, so that the same code runs on PostgreSQL and in simulated worlds.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol
from uuid import UUID

from contracts.envelope import (
    VOID_TYPE,
    Envelope,
    digest,
    event_leaf,
    signed_bytes,
    to_headers,
)
from kernel.ids import IdSource
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
        """Give the lock back."""
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


def next_epoch(drawn: UUID, latest: str) -> str:
    """Return an epoch above ``latest``, even when the clock has been set back."""
    if str(drawn) > latest:
        return str(drawn)
    # 80 bits below the 48 bits of milliseconds: one millisecond after the latest epoch
    bumped = ((UUID(latest).int >> 80) + 1) << 80 | drawn.int & ((1 << 80) - 1)
    return str(UUID(int=bumped))


def assign_numbers(
    rows: Sequence[OutboxRow], counters: Mapping[tuple[str, int], Counter], epoch: str
) -> tuple[list[OutboxRow], list[Counter], bool]:
    """Number ``rows`` in their order; return rows, new counters and whether an epoch changed.

    Raises ``LockLostError`` when a counter already carries a later epoch.
    """
    now = dict(counters)
    numbered: list[OutboxRow] = []
    changed = False
    for row in rows:
        stream = (row.topic, row.partition)
        counter = now[stream]
        if counter.epoch > epoch:
            raise LockLostError
        if counter.epoch == epoch:
            number = counter.last + 1
            numbered.append(replace(row, epoch=epoch, sequence=number))
        else:
            number, changed = 1, True
            numbered.append(
                replace(
                    row,
                    epoch=epoch,
                    sequence=1,
                    previous_epoch=counter.epoch,
                    previous_last=counter.last,
                )
            )
        now[stream] = Counter(row.topic, row.partition, epoch, number)
    touched = {(row.topic, row.partition) for row in numbered}
    return numbered, [now[stream] for stream in sorted(touched)], changed


def as_void(row: OutboxRow) -> OutboxRow:
    """Return the row as a number without an event."""
    return replace(row, type=VOID_TYPE, dataschema="", payload=VOID_PAYLOAD)


def to_messages(rows: Sequence[OutboxRow], source: str, signer: Signer) -> list[Message]:
    """Sign ``rows`` as one batch and return their records."""
    envelopes, leaves = [], []
    for row in rows:
        envelope = _envelope(row, source, signer.key_id)
        envelopes.append(envelope)
        signed = signed_bytes(
            envelope,
            row.topic,
            partition=row.partition,
            key=row.key,
            payload_sha256=digest(row.payload),
        )
        leaves.append(event_leaf(signed))
    signatures = signer.sign_batch(leaves)
    return [
        Message(
            row.topic,
            row.partition,
            row.key.encode(),
            to_headers(envelope, signature, row.traceparent),
            row.payload,
        )
        for row, envelope, signature in zip(rows, envelopes, signatures, strict=True)
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


class Relay:
    """One relay of a service for one transport. ``step`` does one round and never sleeps."""

    def __init__(
        self,
        *,
        store: RelayStore,
        publisher: Publisher,
        signer: Signer,
        ids: IdSource,
        source: str,
        limit: int = 1000,
    ) -> None:
        self.store = store
        self.publisher = publisher
        self.signer = signer
        self.source = source
        self.limit = limit
        self.epoch = ""
        self._ids = ids
        self._held = False
        self._left_over = True  # numbered rows may wait: after a start, a failure, a new epoch

    async def step(self) -> int:
        """Do one round; return how many rows were published (0: nothing to do, or no lock).

        Raises ``PublishError`` or what the store raises; the next round sends again, in order.
        """
        if not await self._own_lock():
            return 0
        if self._left_over:
            rows = await self.store.numbered(self.limit)
            if rows:
                return await self._send(rows)
            self._left_over = False
        if not self.epoch:
            self.epoch = next_epoch(self._ids.uuid7(), await self.store.latest_epoch())
        rows = await self._number()
        if self._left_over:
            # the first number of an epoch on a stream: a relay that lost its lock may have
            # numbered there until now, and what it numbered goes out first
            rows = await self.store.numbered(self.limit)
        return await self._send(rows) if rows else 0

    async def stop(self) -> None:
        """Give the lock back; what is numbered but unpublished goes out at the next start."""
        if self._held:
            self._forget()
            await self.store.release()

    async def _own_lock(self) -> bool:
        if self._held and not await self.store.holds():
            self._forget()
        if not self._held:
            self._held = await self.store.acquire()
        return self._held

    def _forget(self) -> None:
        self._held = False
        self.epoch = ""
        self._left_over = True

    async def _number(self) -> Sequence[OutboxRow]:
        try:
            async with self.store.numbering() as transaction:
                rows = await transaction.unnumbered(self.limit)
                if not rows:
                    return ()
                streams = sorted({(row.topic, row.partition) for row in rows})
                counters = await transaction.lock_counters(streams)
                numbered, after, changed = assign_numbers(rows, counters, self.epoch)
                await transaction.save(numbered, after)
        except BaseException:
            # the commit may have happened although its answer was lost
            self._left_over = True
            raise
        self._left_over = changed
        return numbered

    async def _send(self, rows: Sequence[OutboxRow]) -> int:
        self._left_over, left_over = True, self._left_over
        ordered = sorted(rows, key=lambda r: (r.topic, r.partition, r.epoch, r.sequence))
        await self.store.finish(await self._publish(ordered))
        self._left_over = left_over
        return len(rows)

    async def _publish(self, rows: Sequence[OutboxRow]) -> list[Sent]:
        guards = sorted({row.guard for row in rows if row.guard})
        if not guards:
            return await self._publish_checked(rows, frozenset())
        async with self.store.guarded(guards) as ended:
            return await self._publish_checked(rows, ended)

    async def _publish_checked(
        self, rows: Sequence[OutboxRow], ended: frozenset[str]
    ) -> list[Sent]:
        void = {row.id: "guard_ended" for row in rows if row.guard in ended} if ended else {}
        out = [as_void(row) if row.id in void else row for row in rows]
        acks = await self.publisher.publish(to_messages(out, self.source, self.signer))
        sent = [
            Sent(row, ack.entered_at, void.get(row.id, ""))
            for row, ack in zip(out, acks, strict=True)
            if not ack.refused
        ]
        refused = [(row, ack) for row, ack in zip(out, acks, strict=True) if ack.refused]
        if refused:
            sent += await self._void_refused(refused)
        return sent

    async def _void_refused(self, refused: Sequence[tuple[OutboxRow, Ack]]) -> list[Sent]:
        """Publish numbers whose events the bus will never take, so that no receiver waits."""
        voids = [as_void(row) for row, _ in refused]
        acks = await self.publisher.publish(to_messages(voids, self.source, self.signer))
        if any(ack.refused for ack in acks):
            raise PublishError("the bus refuses even an empty record")
        return [
            Sent(void, ack.entered_at, f"refused:{answer.refused}")
            for void, ack, (_, answer) in zip(voids, acks, refused, strict=True)
        ]
