"""The consumer: one transaction a batch, watermarks read under their locks, nothing lost or doubled.

The rules are those of protocol §3; the SQL is in ``kernel.consumer_store``. A batch is tried as a
whole; when one event fails, it is rolled back and run again event by event under savepoints.
"""

from collections.abc import Sequence

from contracts.envelope import Signature, encoded_attributes, read_signed, to_headers
from contracts.stream import Missing, StreamKey, Verdict, classify, missing_before, skip_to
from contracts.topics import TopicCatalogue, load_topics
from kernel.applying import Observe, without_span
from kernel.authenticity import Authentic, Gate
from kernel.batch import Batch, Judged
from kernel.clock import Clock
from kernel.consuming import (
    BatchResult,
    CaseKey,
    ConsumerStore,
    ConsumerTransaction,
    Record,
    Stored,
    UnavailableError,
    Waiting,
)
from kernel.failures import Meaning, read_failure
from kernel.handlers import Handlers, NotYet, Poison
from kernel.outbox import instant
from kernel.release import release
from kernel.signing import Keyring

__all__ = [
    "BatchResult",
    "CaseKey",
    "Consumer",
    "ConsumerStore",
    "ConsumerTransaction",
    "Handlers",
    "NotYet",
    "Poison",
    "Record",
    "UnavailableError",
]


class Consumer:
    """The consumer of one service; everything it knows is in its store."""

    def __init__(
        self,
        *,
        store: ConsumerStore,
        keyring: Keyring,
        handlers: Handlers,
        node: str,
        clock: Clock,
        topics: TopicCatalogue | None = None,
        observe: Observe = without_span,
    ) -> None:
        self.store = store
        self.gate = Gate(
            keyring=keyring, topics=topics or load_topics(), handlers=handlers, node=node
        )
        self.clock = clock
        self.observe = observe

    async def process(self, records: Sequence[Record], received_at: str = "") -> BatchResult:
        """Process a batch in one transaction.

        ``received_at`` defaults to now. Raises ``UnavailableError`` when the database is away;
        nothing has been done then, or all of it: the same batch may be given again.
        """
        at = received_at or instant(self.clock.now())
        judged = [self.gate.check(record, at) for record in records]
        return await self._process(judged, records)

    async def _process(
        self, judged: Sequence[Judged], records: Sequence[Record], *, trusted: Sequence[Stored] = ()
    ) -> BatchResult:
        try:
            return await self._attempt(judged, records, trusted=trusted, careful=False)
        except Exception as error:
            failure = read_failure(error)
            if failure.meaning is Meaning.AWAY:
                raise UnavailableError(failure.reason) from error
            if not any(isinstance(item, Authentic) for item in judged):
                raise
        # one event failed: all is rolled back, now event by event
        try:
            return await self._attempt(judged, records, trusted=trusted, careful=True)
        except Exception as error:
            failure = read_failure(error)
            if failure.meaning is Meaning.AWAY:
                raise UnavailableError(failure.reason) from error
            raise

    async def _attempt(
        self,
        judged: Sequence[Judged],
        records: Sequence[Record],
        *,
        trusted: Sequence[Stored],
        careful: bool,
    ) -> BatchResult:
        async with self.store.transaction() as tx:
            result = await self._batch(tx, careful=careful).run(judged, records)
            if trusted:
                await tx.unpark(trusted, Waiting.TRUST)
        return result

    def _batch(self, tx: ConsumerTransaction, *, careful: bool) -> Batch:
        return Batch(
            tx=tx, gate=self.gate, observe=self.observe, careful=careful, now=self.clock.now()
        )

    async def retry_due(self, limit: int = 50) -> int:
        """Try held keys again whose time has come; return how many events were applied."""
        applied = 0
        for held in await self.store.due_keys(instant(self.clock.now()), limit):
            applied += await self.replay(held.case)
        return applied

    async def replay(self, case: CaseKey, *, discard_first: bool = False, reason: str = "") -> int:
        """Run the events behind a key in order; return how many were applied.

        ``discard_first`` drops the event that holds the key: an operator's decision.
        """
        return await release(
            self.store,
            case,
            gate=self.gate,
            observe=self.observe,
            now=self.clock.now(),
            discard_first=discard_first,
            reason=reason,
        )

    async def resume(self, limit: int = 50) -> dict[StreamKey, Missing]:
        """Go on with streams whose parked events can run; return what the others miss."""
        missing: dict[StreamKey, Missing] = {}
        for gap in await self.store.gaps(limit):
            verdict = classify(gap.state, gap.first)
            if verdict is Verdict.GAP and not self.gate.is_broadcast(gap.stream.topic):
                missing[gap.stream] = missing_before(gap.state, gap.first)
            elif verdict is not Verdict.FORGOTTEN:
                async with self.store.transaction() as tx:
                    await self._batch(tx, careful=True).resume(gap.stream)
        return missing

    async def skip_gap(self, stream: StreamKey, *, reason: str) -> bool:
        """Give up what is missing before the first event that waits; an operator's decision."""
        async with self.store.transaction() as tx:
            if not await tx.parked_in_stream(stream, 1):
                return False
            row = (await tx.lock_streams([stream]))[stream]
            waiting = await tx.parked_in_stream(stream, 1)
            if not waiting:
                return False
            skipped = row._replace(state=skip_to(row.state, waiting[0].number))
            await tx.save_streams({stream: skipped})
            number = waiting[0].number
            await tx.note_skip(stream, before=row.state, after=number, reason=reason)
            await self._batch(tx, careful=True).resume(stream)
        return True

    async def retry_trust(self, limit: int = 200) -> int:
        """Judge again what waited for a key that the registry names by now."""
        waiting = await self.store.parked_for_trust(limit)
        registry = self.gate.keyring.registry
        known = [
            (stored, to_record(stored))
            for stored in waiting
            if registry.key(read_signed(stored.signed).envelope.key_id)
        ]
        if not known:
            return 0
        records = [record for _, record in known]
        judged = [self.gate.check(record, stored.received_at) for stored, record in known]
        await self._process(judged, records, trusted=[stored for stored, _ in known])
        return len(known)


def to_record(stored: Stored) -> Record:
    """Return the record of a stored event as it came: what was signed, and the signature."""
    signed = read_signed(stored.signed)
    return Record(
        topic=signed.topic,
        partition=signed.partition,
        offset=-1,
        key=signed.key.encode(),
        headers=to_headers(
            encoded_attributes(signed.envelope),
            Signature.parse(stored.signature),
            stored.traceparent,
        ),
        value=stored.payload,
        entered_at=stored.entered_at,
    )
