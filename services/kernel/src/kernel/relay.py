"""The relay: the only publisher of a service.

Three steps (protocol §1): number the new rows in id order and commit; sign and publish in order of
(partition, sequence), what was numbered before first; move the rows to the sent log. All I/O goes
through ports, so that the same code runs on PostgreSQL and in simulated worlds.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from contracts.stream import Number
from kernel.ids import IdSource
from kernel.relaying import (
    Ack,
    Counter,
    LockLostError,
    Message,
    NumberingTransaction,
    OutboxRow,
    Publisher,
    PublishError,
    RelayStore,
    Sent,
    as_void,
    to_messages,
)
from kernel.signing import Signer

__all__ = [
    "Ack",
    "Counter",
    "LockLostError",
    "Message",
    "NumberingTransaction",
    "OutboxRow",
    "PublishError",
    "Publisher",
    "Relay",
    "RelayStore",
    "Sent",
    "Signer",
    "assign_numbers",
    "next_epoch",
    "to_messages",
]


IDLE_ROUNDS = 8
"""Every so many rounds without new rows, numbered ones are looked for that nobody has sent."""


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
            number = Number(epoch, counter.last + 1)
        else:
            number, changed = Number(epoch, 1, counter.epoch, counter.last), True
        numbered.append(row.numbered(number))
        now[stream] = Counter(row.topic, row.partition, epoch, number.sequence)
    touched = {(row.topic, row.partition) for row in numbered}
    return numbered, [now[stream] for stream in sorted(touched)], changed


def _place(row: OutboxRow) -> tuple[str, int, str, int]:
    return row.topic, row.partition, row.epoch, row.sequence


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
        on_sent: Callable[[Sequence[Sent]], None] | None = None,
    ) -> None:
        """``on_sent`` hears what has been published and moved to the sent log."""
        self.store = store
        self.publisher = publisher
        self.signer = signer
        self.source = source
        self.limit = limit
        self.epoch = ""
        self._ids = ids
        self._on_sent = on_sent
        self._held = False
        self._idle = 0
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
        if not rows:
            # what a relay that lost its lock has numbered since waits for its new owner
            self._idle += 1
            self._left_over |= self._idle % IDLE_ROUNDS == 0
        elif self._left_over:
            # the first number of an epoch on a stream: a relay that lost its lock may have
            # numbered there until now, and what it numbered goes out first
            rows = await self.store.numbered(self.limit)
        return await self._send(rows) if rows else 0

    async def send_again(self, rows: Sequence[OutboxRow]) -> None:
        """Publish rows of the sent log again, signed anew; raises ``PublishError``.

        A row whose guard has ended meanwhile goes out as void, like at its first time.
        """
        await self._publish(sorted(rows, key=_place))

    @property
    def holds_lock(self) -> bool:
        """Whether this relay is the service's one."""
        return self._held

    async def stop(self) -> None:
        """Give the lock back; what is numbered but unpublished goes out at the next start."""
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
                if any(counter.epoch != self.epoch for counter in counters.values()):
                    # while this one waited for the counters, a relay that lost its lock may have
                    # numbered these rows, and even sent and moved them: look again
                    again = await transaction.unnumbered(self.limit)
                    rows = [row for row in again if (row.topic, row.partition) in counters]
                if not rows:
                    self._left_over = True
                    return ()
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
        ordered = sorted(rows, key=_place)
        sent = await self._publish(ordered)
        await self.store.finish(sent)
        if self._on_sent is not None:
            self._on_sent(sent)
        self._left_over = left_over
        return len(rows)

    async def _publish(self, rows: Sequence[OutboxRow]) -> list[Sent]:
        # guarded rows go in batches of their own: inside a node a handler of a row behind one
        # (a withdrawal) may need the very row that the guard holds until the batch is taken
        sent: list[Sent] = []
        for guarded, run in groupby(rows, key=lambda row: row.guard is not None):
            batch = list(run)
            if guarded:
                sent += await self._publish_guarded(batch)
            else:
                sent += await self._publish_checked(batch, frozenset())
        return sent

    async def _publish_guarded(self, rows: Sequence[OutboxRow]) -> list[Sent]:
        guards = sorted({row.guard for row in rows if row.guard})
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
