"""The relay's three steps over a store in memory, with failures between them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from contracts.envelope import VOID_TYPE, from_record
from contracts.stream import Number
from kernel.ids import Uuid7Source
from kernel.relay import (
    Ack,
    Counter,
    LockLostError,
    Message,
    OutboxRow,
    PublishError,
    Relay,
    Sent,
    assign_numbers,
    next_epoch,
)
from kernel.signing import BatchSigner, NodeKey

SOURCE = "/nodes/441521/sharing"
EARLY, LATE = (
    "01940000-0000-7000-8000-000000000001",
    "01990000-0000-7000-8000-000000000001",
)


def row(number: int, *, topic: str = "sharing.441581.v1", guard: str | None = None) -> OutboxRow:
    return OutboxRow(
        id=number,
        topic=topic,
        partition=0,
        key="case",
        event_id=str(UUID(int=number)),
        type="yiwang.sharing.request.confirmed.v1",
        subject="case",
        time="2026-02-13T08:30:00.000000Z",
        dataschema="",
        case_version=number,
        payload=b"{}",
        guard=guard,
    )


class Store:
    """Committed rows, numbers and counters; ``new`` are rows without a number."""

    def __init__(self, *rows: OutboxRow) -> None:
        self.new = {r.id: r for r in rows}
        self.waiting: dict[int, OutboxRow] = {}
        self.counters: dict[tuple[str, int], Counter] = {}
        self.sent: list[Sent] = []
        self.free = True
        self.alive = True
        self.ended: set[str] = set()
        self.fail_finish = False

    async def acquire(self) -> bool:
        taken, self.free = self.free, False
        self.alive = self.alive or taken
        return taken

    async def holds(self) -> bool:
        return self.alive

    async def release(self) -> None:
        self.free = True

    async def latest_epoch(self) -> str:
        return max((c.epoch for c in self.counters.values()), default="")

    @asynccontextmanager
    async def numbering(self) -> AsyncIterator["Store"]:
        yield self

    async def unnumbered(self, limit: int) -> Sequence[OutboxRow]:
        return [self.new[i] for i in sorted(self.new)][:limit]

    async def lock_counters(
        self, streams: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], Counter]:
        return {stream: self.counters.get(stream, Counter(*stream)) for stream in streams}

    async def save(self, rows: Sequence[OutboxRow], counters: Sequence[Counter]) -> None:
        for numbered in rows:
            self.waiting[numbered.id] = numbered
            del self.new[numbered.id]
        self.counters |= {(c.topic, c.partition): c for c in counters}

    async def numbered(self, limit: int) -> Sequence[OutboxRow]:
        ordered = sorted(
            self.waiting.values(), key=lambda r: (r.topic, r.partition, r.epoch, r.sequence)
        )
        return ordered[:limit]

    @asynccontextmanager
    async def guarded(self, guards: Sequence[str]) -> AsyncIterator[frozenset[str]]:
        yield frozenset(self.ended & set(guards))

    async def finish(self, sent: Sequence[Sent]) -> None:
        if self.fail_finish:
            self.fail_finish = False
            raise ConnectionError
        self.sent += sent
        for item in sent:
            del self.waiting[item.row.id]


class Bus:
    """What was published, in order; ``refuse`` are ids that it will never take."""

    def __init__(self) -> None:
        self.numbers: list[tuple[str, Number]] = []
        self.types: list[str] = []
        self.away = False
        self.refuse: set[str] = set()

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        if self.away:
            raise PublishError("away")
        acks = []
        for message in messages:
            envelope = from_record(
                message.headers,
                message.topic,
                partition=message.partition,
                key=message.key,
                value=message.value,
            ).envelope
            if envelope.id in self.refuse and envelope.type != VOID_TYPE:
                acks.append(Ack("", "MessageSizeTooLargeError"))
                continue
            self.numbers.append((envelope.id, envelope.number))
            self.types.append(envelope.type)
            acks.append(Ack("2026-02-13T08:30:01.000000Z"))
        return acks


def make(store: Store, bus: Bus, *, limit: int = 100) -> Relay:
    return Relay(
        store=store,
        publisher=bus,
        signer=BatchSigner(NodeKey.generate("k")),
        ids=Uuid7Source(),
        source=SOURCE,
        limit=limit,
    )


async def drain(relay: Relay) -> None:
    while await relay.step():
        pass


def sequences(bus: Bus) -> list[int]:
    return [number.sequence for _, number in bus.numbers]


async def test_rows_go_out_numbered_in_the_order_of_their_ids() -> None:
    store, bus = Store(*(row(n) for n in (3, 1, 2))), Bus()
    await drain(make(store, bus, limit=2))
    assert [UUID(i).int for i, _ in bus.numbers] == [1, 2, 3]
    assert sequences(bus) == [1, 2, 3]
    assert len(store.sent) == 3


async def test_what_was_numbered_before_a_crash_goes_out_first_under_its_own_number() -> None:
    store, bus = Store(row(5)), Bus()
    bus.away = True
    with pytest.raises(PublishError):
        await make(store, bus).step()
    store.new[2] = row(2)  # an older id whose transaction committed late
    store.free, bus.away = True, False
    await drain(make(store, bus))
    (first, one), (second, two) = bus.numbers
    assert (UUID(first).int, UUID(second).int) == (5, 2)
    assert one.sequence == 1
    assert (two.sequence, two.previous_epoch, two.previous_last) == (1, one.epoch, 1)
    assert two.epoch > one.epoch


async def test_a_crash_after_publishing_sends_the_same_numbers_again() -> None:
    store, bus = Store(row(1), row(2)), Bus()
    relay = make(store, bus)
    store.fail_finish = True
    with pytest.raises(ConnectionError):
        await relay.step()
    await drain(relay)
    assert bus.numbers[:2] == bus.numbers[2:]
    assert len(store.sent) == 2


async def test_a_relay_without_the_lock_does_nothing() -> None:
    store, bus = Store(row(1)), Bus()
    store.free = False
    assert await make(store, bus).step() == 0
    assert bus.numbers == []


async def test_a_relay_that_lost_its_lock_begins_a_new_epoch_when_it_gets_it_back() -> None:
    store, bus = Store(row(1)), Bus()
    relay = make(store, bus)
    await drain(relay)
    epoch = relay.epoch
    store.alive, store.free = False, True
    store.new[2] = row(2)
    await drain(relay)
    assert relay.epoch > epoch
    assert bus.numbers[1][1] == Number(relay.epoch, 1, epoch, 1)


async def test_a_zombie_cannot_number_after_its_successor() -> None:
    counters = {("t", 0): Counter("t", 0, LATE, 4)}
    with pytest.raises(LockLostError):
        assign_numbers([replace(row(1), topic="t")], counters, EARLY)


async def test_what_a_zombie_numbered_goes_out_before_the_successors_first_number() -> None:
    store, bus = Store(row(1)), Bus()
    zombie, successor = make(store, bus), make(store, bus)
    await drain(zombie)
    store.free = True
    assert await successor.step() == 0  # has its epoch now, nothing to do yet
    store.new[2] = row(2)
    await zombie._number()  # lost its lock a moment ago and does not know
    store.new[3] = row(3)
    await drain(successor)
    assert [UUID(i).int for i, _ in bus.numbers] == [1, 2, 3]
    assert bus.numbers[2][1].previous_last == 2


async def test_an_event_whose_guard_has_ended_goes_out_as_void_with_its_number() -> None:
    store, bus = Store(row(1), row(2, guard="grant:g"), row(3, guard="grant:h")), Bus()
    store.ended = {"grant:g"}
    await drain(make(store, bus))
    assert sequences(bus) == [1, 2, 3]
    assert [kind == VOID_TYPE for kind in bus.types] == [False, True, False]
    assert [item.void for item in store.sent] == ["", "guard_ended", ""]


async def test_an_event_that_the_bus_refuses_for_good_becomes_void_and_holds_nobody_up() -> None:
    store, bus = Store(row(1), row(2), row(3)), Bus()
    bus.refuse = {str(UUID(int=2))}
    await drain(make(store, bus))
    assert sorted(sequences(bus)) == [1, 2, 3]
    assert {item.row.id: item.void for item in store.sent} == {
        1: "",
        3: "",
        2: "refused:MessageSizeTooLargeError",
    }


async def test_streams_are_numbered_apart() -> None:
    store = Store(row(1), row(2, topic="filings.441500.v1"), row(3))
    bus = Bus()
    await drain(make(store, bus))
    numbers = {UUID(i).int: number.sequence for i, number in bus.numbers}
    assert numbers == {1: 1, 2: 1, 3: 2}


def test_an_epoch_rises_although_the_clock_was_set_back() -> None:
    drawn = UUID(EARLY)
    later = next_epoch(drawn, LATE)
    assert later > LATE
    assert UUID(later).version == 7
    assert next_epoch(UUID(LATE), EARLY) == LATE
