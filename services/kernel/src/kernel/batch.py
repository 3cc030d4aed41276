"""One attempt at a batch of records, inside one transaction.

Order of work: lock the streams and read their watermarks; say of each record what its number
means; insert the inbox rows of what is new; run the handlers in order; write what waits, what is
dead, receipts, watermarks and positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from contracts.stream import (
    APPLICABLE,
    StreamKey,
    Verdict,
    advance,
    classify,
    missing_before,
)
from kernel.applying import (
    APPLIED,
    Observe,
    Outcome,
    apply,
    apply_carefully,
    hold,
    known_before,
    organisations_of,
)
from kernel.authenticity import Authentic, Gate, Untrusted
from kernel.consuming import (
    BatchResult,
    ConsumerTransaction,
    Hold,
    ReceiptDue,
    Record,
    Refusal,
    Stored,
    StreamRow,
    Waiting,
)

Judged = Authentic | Untrusted | Refusal
_PAGE = 200


@dataclass(slots=True, kw_only=True)
class Batch:
    """The state of one attempt; ``careful`` runs each event under a savepoint of its own."""

    tx: ConsumerTransaction
    gate: Gate
    observe: Observe
    careful: bool
    now: datetime
    result: BatchResult = field(default_factory=BatchResult)
    streams: dict[StreamKey, StreamRow] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    over_limit: frozenset[str] = frozenset()
    plan: list[Authentic] = field(default_factory=list)
    gapped: list[Authentic] = field(default_factory=list)

    async def run(self, judged: Sequence[Judged], records: Sequence[Record]) -> BatchResult:
        """Do everything but commit; ``judged`` are the gate's answers to ``records``."""
        refusals = [item for item in judged if isinstance(item, Refusal)]
        untrusted = [item.stored for item in judged if isinstance(item, Untrusted)]
        items = [item for item in judged if isinstance(item, Authentic)]
        await self._learn_organisations(items)
        items, strangers = self._split_strangers(items, judged, records)
        await self._lock({item.stream for item in items})
        for item in items:
            await self._place(item)
        await self._park_gapped()
        await self._settle()
        await self._note(refusals + strangers, untrusted)
        await self.tx.save_streams(self.streams)
        await self._save_positions(records)
        return self.result

    async def resume(self, stream: StreamKey) -> BatchResult:
        """Go on with what waits in a stream, as far as its numbers allow."""
        await self._lock({stream})
        if stream.source not in self.over_limit:
            await self._follow(stream)
        await self._settle()
        await self.tx.save_streams(self.streams)
        return self.result

    # -- before any state ---------------------------------------------------------------------

    async def _learn_organisations(self, items: Sequence[Authentic]) -> None:
        names = [name for name in organisations_of(items) if name not in self.organisations]
        if names:
            self.organisations |= await self.tx.organisations(names)

    def _split_strangers(
        self, items: Sequence[Authentic], judged: Sequence[Judged], records: Sequence[Record]
    ) -> tuple[list[Authentic], list[Refusal]]:
        """Take out events that name an organisation of another node: they change no state."""
        strangers = {
            id(item)
            for item in items
            if any(
                self.organisations.get(name, item.envelope.source_node) != item.envelope.source_node
                for name in item.organisations
            )
        }
        if not strangers:
            return list(items), []
        refused = [
            self.gate.refuse(record, "organisation_of_another_node")
            for item, record in zip(judged, records, strict=True)
            if id(item) in strangers
        ]
        return [item for item in items if id(item) not in strangers], refused

    async def _lock(self, streams: set[StreamKey]) -> None:
        if not streams:
            return
        self.streams |= await self.tx.lock_streams(sorted(streams))
        sources = sorted({stream.source for stream in streams})
        self.over_limit = frozenset(await self.tx.sources_over_limit(sources))

    # -- numbers ------------------------------------------------------------------------------

    async def _place(self, item: Authentic) -> None:
        """Say what the event's number means, and plan or park it."""
        row = self.streams[item.stream]
        verdict = _verdict(row, item)
        if verdict is Verdict.DUPLICATE:
            self.result.duplicates += 1
        elif item.stored.source in self.over_limit:
            self.gapped.append(item)
        elif verdict in APPLICABLE:
            self._take(item)
            if row.parked or self.gapped:
                await self._follow(item.stream)
        else:
            self.gapped.append(item)
            if verdict is Verdict.FORGOTTEN:
                self.result.forgotten.append((item.stream, item.stored.number))
            else:
                self.result.missing.setdefault(
                    item.stream, missing_before(row.state, item.stored.number)
                )

    def _take(self, item: Authentic) -> None:
        row = self.streams[item.stream]
        self.streams[item.stream] = row._replace(state=advance(row.state, item.stored.number))
        self.plan.append(item)

    async def _follow(self, stream: StreamKey) -> None:
        """Plan the parked events that the stream's new watermark allows."""
        await self._park_gapped()
        while self.streams[stream].parked:
            page = await self.tx.parked_in_stream(stream, _PAGE)
            done: list[Stored] = []
            for stored in page:
                item = self.gate.recall(stored)
                verdict = _verdict(self.streams[stream], item)
                if verdict in APPLICABLE:
                    self._take(item)
                elif verdict is not Verdict.DUPLICATE:
                    break
                done.append(stored)
            if not done:
                return
            await self._learn_organisations(self.plan)
            await self.tx.unpark(done, Waiting.GAP)
            row = self.streams[stream]
            self.streams[stream] = row._replace(parked=max(0, row.parked - len(done)))

    async def _park_gapped(self) -> None:
        if not self.gapped:
            return
        waiting, self.gapped = self.gapped, []
        new = await self.tx.park([item.stored for item in waiting], Waiting.GAP)
        self.result.parked += len(new)
        self.result.duplicates += len(waiting) - len(new)
        for stored in new:
            row = self.streams[stored.stream]
            self.streams[stored.stream] = row._replace(parked=row.parked + 1)
        numbers = {(stored.stream, stored.number) for stored in new}
        await self._keep([i for i in waiting if (i.stream, i.stored.number) in numbers])

    # -- effects ------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Run the planned events in order, each once."""
        plan = [item for item in self.plan if item.handled and not item.void]
        self.result.ignored += len(self.plan) - len(plan)
        plan = await self._only_new(plan)
        await self._keep([item for item in plan if not item.parked_before])
        cases = sorted({item.case for item in plan})
        held = set(await self.tx.held_keys(cases)) if cases else set()
        waiting: list[Stored] = []
        for item in plan:
            if item.case not in held:
                outcome = await self._apply(item)
                if outcome.applied:
                    self.result.applied += 1
                    continue
                held.add(item.case)
                self.result.dead += outcome.hold is Hold.DEAD
                await hold(self.tx, item, outcome, attempts=1, now=self.now)
            waiting.append(item.stored)
        if waiting:
            self.result.held += len(waiting)
            await self.tx.park(waiting, Waiting.KEY)

    async def _only_new(self, plan: list[Authentic]) -> list[Authentic]:
        """Insert inbox rows; leave out what is there already. Broadcasts carry versions instead."""
        once = [item.stored for item in plan if not item.broadcast]
        fresh = set(await self.tx.insert_inbox(once)) if once else set()
        kept = []
        for item in plan:
            identity = item.stored.identity
            if item.broadcast or identity in fresh:
                fresh.discard(identity)
                kept.append(item)
        self.result.duplicates += len(plan) - len(kept)
        return kept

    async def _apply(self, item: Authentic) -> Outcome:
        outcome = known_before(item, self.organisations)
        if outcome is not None:
            return outcome
        handlers, observe = self.gate.handlers, self.observe
        if self.careful:
            return await apply_carefully(self.tx, item, handlers=handlers, observe=observe)
        await apply(self.tx, item, handlers=handlers, observe=observe)
        return APPLIED

    async def _keep(self, items: Sequence[Authentic]) -> None:
        """Keep evidence of events stored for the first time, and owe their receipts."""
        kept = [i for i in items if i.handled and not i.void and not i.broadcast]
        if kept:
            await self.tx.keep_evidence([item.stored for item in kept])
        due = [
            ReceiptDue(item.stored, sha256(item.stored.payload).hexdigest())
            for item in kept
            if item.spec is not None and item.spec.receipt
        ]
        if due:
            await self.tx.send_receipts(due)

    # -- the rest -----------------------------------------------------------------------------

    async def _note(self, refusals: Sequence[Refusal], untrusted: Sequence[Stored]) -> None:
        self.result.refused += len(refusals) + len(untrusted)
        if refusals:
            await self.tx.note_refusals(refusals)
        if untrusted:
            await self.tx.park(untrusted, Waiting.TRUST)

    async def _save_positions(self, records: Sequence[Record]) -> None:
        positions: dict[tuple[str, int], int] = {}
        for record in records:
            if record.offset >= 0:
                place = (record.topic, record.partition)
                positions[place] = max(positions.get(place, 0), record.offset + 1)
        if positions:
            await self.tx.save_positions(positions)


def _verdict(row: StreamRow, item: Authentic) -> Verdict:
    verdict = classify(row.state, item.stored.number)
    if item.broadcast and verdict is not Verdict.DUPLICATE:
        # a compacted topic has gaps by nature; each record is the whole state with its version
        return Verdict.NEXT
    return verdict
