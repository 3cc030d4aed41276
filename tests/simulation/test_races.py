"""Races that worlds have found, told in the fewest steps: each failed before its repair."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from kernel.ids import Uuid7Source
from kernel.relay import Relay, next_epoch
from kernel.relaying import Ack, Counter, Message, OutboxRow, Sent
from kernel.signing import BatchSigner
from tests.simulation.federation import node_key

STREAM = ("sharing.441581.v1", 0)


def row(number: int, *, guard: str | None = None) -> OutboxRow:
    return OutboxRow(
        id=number,
        topic=STREAM[0],
        partition=STREAM[1],
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


class Outbox:
    """Rows, numbers and counters; ``while_waiting`` happens while a relay waits for counters."""

    def __init__(self, *rows: OutboxRow) -> None:
        self.rows = {each.id: each for each in rows}
        self.numbers: dict[int, OutboxRow] = {}
        self.counter = Counter(*STREAM)
        self.moved: list[int] = []
        self.held_guards: list[str] = []
        self.batches: list[tuple[list[int], list[str]]] = []
        self.while_waiting = lambda: None

    async def acquire(self) -> bool:
        return True

    async def holds(self) -> bool:
        return True

    async def release(self) -> None:
        return

    async def latest_epoch(self) -> str:
        return self.counter.epoch

    @asynccontextmanager
    async def numbering(self) -> AsyncGenerator["Outbox"]:
        yield self

    async def unnumbered(self, limit: int) -> Sequence[OutboxRow]:
        return [r for n, r in sorted(self.rows.items()) if n not in self.numbers][:limit]

    async def lock_counters(
        self, streams: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Counter]:
        self.while_waiting()
        self.while_waiting = lambda: None
        return dict.fromkeys(streams, self.counter)

    async def save(self, rows: Sequence[OutboxRow], counters: Sequence[Counter]) -> None:
        self.numbers |= {each.id: each for each in rows}
        self.counter = counters[0]

    async def numbered(self, limit: int) -> Sequence[OutboxRow]:
        return [self.numbers[n] for n in sorted(self.numbers) if n in self.rows][:limit]

    @asynccontextmanager
    async def guarded(self, guards: Sequence[str]) -> AsyncGenerator[frozenset[str]]:
        self.held_guards = list(guards)
        yield frozenset()
        self.held_guards = []

    async def finish(self, sent: Sequence[Sent]) -> None:
        for item in sent:
            self.move(item.row.id)

    def move(self, number: int) -> None:
        self.rows.pop(number, None)
        self.numbers.pop(number, None)
        self.moved.append(number)

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        ids = [UUID(dict(m.headers)["ce_id"].decode()).int for m in messages]
        self.batches.append((ids, list(self.held_guards)))
        return [Ack("2026-02-13T08:30:01.000000Z")] * len(messages)


def relay_of(outbox: Outbox) -> Relay:
    return Relay(
        store=outbox,
        publisher=outbox,
        signer=BatchSigner(node_key("441521")),
        ids=Uuid7Source(),
        source="/nodes/441521/sharing",
    )


async def test_a_row_that_another_relay_sent_meanwhile_takes_no_number() -> None:
    outbox = Outbox(row(1), row(2))
    other = next_epoch(UUID(int=7 << 76), "")

    def other_relay_sends_the_first() -> None:
        outbox.counter = Counter(*STREAM, other, 1)
        outbox.move(1)

    outbox.while_waiting = other_relay_sends_the_first
    relay = relay_of(outbox)
    while await relay.step():
        pass
    assert outbox.batches == [([2], [])]
    assert outbox.numbers == {}
    assert outbox.counter.last == 1


async def test_a_relay_that_finds_nothing_left_looks_for_what_the_other_one_numbered() -> None:
    outbox = Outbox(row(1))
    other = next_epoch(UUID(int=7 << 76), "")

    def other_relay_numbers_it_and_dies() -> None:
        outbox.counter = Counter(*STREAM, other, 1)
        outbox.numbers[1] = replace(row(1), epoch=other, sequence=1)

    outbox.while_waiting = other_relay_numbers_it_and_dies
    relay = relay_of(outbox)
    await relay.step()
    await relay.step()
    assert outbox.batches == [([1], [])]


async def test_an_idle_relay_finds_numbered_rows_that_nobody_has_sent() -> None:
    outbox = Outbox()
    relay = relay_of(outbox)
    assert await relay.step() == 0
    other = next_epoch(UUID(int=7 << 76), "")
    outbox.rows[1] = row(1)
    outbox.numbers[1] = replace(row(1), epoch=other, sequence=1)
    for _ in range(10):
        await relay.step()
    assert outbox.moved == [1]


async def test_no_row_without_a_guard_goes_out_while_a_guard_is_held() -> None:
    outbox = Outbox(row(1), row(2, guard="grant:1"), row(3))
    await relay_of(outbox).step()
    assert outbox.batches == [([1], []), ([2], ["grant:1"]), ([3], [])]
