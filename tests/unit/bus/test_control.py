"""Control of streams: who may ask for what, and what follows from a head."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from contracts.events.bus import ResendRefused, ResendRequest, StreamHead
from contracts.stream import Missing, StreamKey, StreamState
from contracts.topics import load_topics
from kernel.authenticity import Authentic
from kernel.consumer import Consumer
from kernel.consuming import Record
from kernel.control import HEAD, RESEND, Control, tail_missing
from kernel.control_sender import ControlSender, Limiter
from kernel.handlers import Handlers
from kernel.ids import Uuid7Source
from kernel.logs import make_logger
from kernel.relay import Ack, Message, OutboxRow
from kernel.sent_log import SourceHead
from kernel.signing import BatchSigner, Keyring
from tests.support.buskit import CITY, ENTERED, HAIFENG, LUFENG, RECEIVED, Keys, Source, TestClock

E1 = "01940000-0000-7000-8000-000000000001"
E2 = "01940000-0000-7000-8000-000000000002"
TOPIC = "sharing.441581.v1"
MINE = "/nodes/441521/sharing"


class Bus:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        self.messages += messages
        return [Ack(ENTERED)] * len(messages)


class Store:
    """How far the receiver is."""

    def __init__(self, state: StreamState | None = None) -> None:
        self.state = state

    async def stream_state(self, _: StreamKey) -> StreamState | None:
        return self.state


class Log:
    """A sent log with these numbers of one epoch."""

    def __init__(self, row: OutboxRow, numbers: Sequence[int]) -> None:
        self.rows = [replace(row, epoch=E1, sequence=number) for number in numbers]

    async def between(self, *_: Any, epoch: str, first: int, last: int, limit: int) -> list:
        found = [r for r in self.rows if r.epoch == epoch and first <= r.sequence <= last]
        return found[:limit]

    async def after(self, *_: Any, epoch: str, limit: int) -> list:
        return [r for r in self.rows if r.epoch > epoch][:limit]

    async def heads(self, _: str) -> list[SourceHead]:
        if not self.rows:
            return []
        numbers = [row.sequence for row in self.rows]
        return [SourceHead(TOPIC, 0, E1, min(numbers), max(numbers))]


class Side:
    """One service of one node with its control."""

    def __init__(
        self,
        keys: Keys,
        node: str,
        *,
        state: StreamState | None = None,
        sent: Sequence[int] = (),
    ) -> None:
        self.keys, self.node, self.clock = keys, node, TestClock()
        self.bus, self.again = Bus(), []
        self.log = io.StringIO()
        self.consumer = Consumer(
            store=Store(state),  # type: ignore[arg-type]
            keyring=Keyring(keys.registry()),
            handlers=Handlers(),
            node=node,
            clock=self.clock,
        )
        self.sender = ControlSender(
            node=node,
            source=f"/nodes/{node}/sharing",
            signer=BatchSigner(keys.keys[node]),
            publisher=self.bus,
            ids=Uuid7Source(self.clock),
            clock=self.clock,
        )
        source = Source(keys, node=node)
        row = source.row(source.event())
        self.control = Control(
            consumer=self.consumer,
            sent_log=Log(row, sent),  # type: ignore[arg-type]
            sender=self.sender,
            republish=self._republish,
            clock=self.clock,
            logger=make_logger(stream=self.log, node=node),
        )

    async def _republish(self, rows: Sequence[OutboxRow]) -> None:
        self.again += [row.sequence for row in rows]

    def told(self) -> list[Any]:
        """What this side has sent, as the receiving node reads it."""
        told = []
        for record in self.records():
            node = record.topic.split(".")[1]
            reader = Consumer(
                store=Store(),  # type: ignore[arg-type]
                keyring=Keyring(self.keys.registry()),
                handlers=Handlers(),
                node=node,
                clock=self.clock,
            )
            judged = reader.gate.check(record, RECEIVED)
            assert isinstance(judged, Authentic), judged
            told.append(judged.payload)
        return told

    def records(self) -> list[Record]:
        return [
            Record(m.topic, m.partition, n, m.key, m.headers, m.value, ENTERED)
            for n, m in enumerate(self.bus.messages)
        ]


@pytest.fixture
def keys() -> Keys:
    return Keys()


def ask(requester: str = LUFENG, **changed: Any) -> ResendRequest:
    values = {
        "source": MINE,
        "topic": TOPIC,
        "partition": 0,
        "epoch": E1,
        "first": 2,
        "last": 3,
        "requester": requester,
    }
    return ResendRequest(**{**values, **changed})


async def requested(keys: Keys, by: str, request: ResendRequest, *, sent: Sequence[int]) -> Side:
    """Let ``by`` ask Haifeng, and return Haifeng's side."""
    asking, haifeng = Side(keys, by), Side(keys, HAIFENG, sent=sent)
    await asking.sender.send(RESEND, request, to=HAIFENG)
    await haifeng.control.receive(asking.records())
    return haifeng


async def test_the_owner_of_a_mailbox_gets_its_range_again(keys: Keys) -> None:
    haifeng = await requested(keys, LUFENG, ask(), sent=[1, 2, 3, 4])
    assert haifeng.again == [2, 3]
    assert haifeng.told() == []


async def test_nobody_else_may_ask_for_a_mailbox(keys: Keys) -> None:
    for by, requester in ((CITY, CITY), (CITY, LUFENG)):
        haifeng = await requested(keys, by, ask(requester), sent=[1, 2, 3])
        assert haifeng.again == []
        assert haifeng.told() == []


async def test_what_is_not_in_the_sent_log_is_refused_and_the_refusal_is_an_alarm(
    keys: Keys,
) -> None:
    haifeng = await requested(keys, LUFENG, ask(), sent=[])
    (refused,) = haifeng.told()
    assert isinstance(refused, ResendRefused)
    assert (refused.first, refused.last, refused.reason) == (2, 3, "not_in_the_sent_log")
    lufeng = Side(keys, LUFENG)
    await lufeng.control.receive(haifeng.records())
    assert "an operator decides" in lufeng.log.getvalue()


async def test_what_is_left_of_a_range_is_sent_and_the_rest_refused(keys: Keys) -> None:
    haifeng = await requested(keys, LUFENG, ask(first=1, last=4), sent=[3, 4])
    assert haifeng.again == [3, 4]
    assert [told.reason for told in haifeng.told()] == ["partly_not_in_the_sent_log"]


async def test_a_receiver_that_knows_nothing_gets_everything(keys: Keys) -> None:
    haifeng = await requested(keys, LUFENG, ask(epoch="", first=0, last=0), sent=[1, 2, 3])
    assert haifeng.again == [1, 2, 3]


async def test_the_same_request_is_answered_once_in_a_while(keys: Keys) -> None:
    lufeng, haifeng = Side(keys, LUFENG), Side(keys, HAIFENG, sent=[1, 2, 3])
    for _ in range(5):
        await lufeng.sender.send(RESEND, ask(), to=HAIFENG)
    await haifeng.control.receive(lufeng.records())
    assert haifeng.again == [2, 3]
    haifeng.clock.move(seconds=6)
    await haifeng.control.receive(lufeng.records()[:1])
    assert haifeng.again == [2, 3, 2, 3]


async def test_a_forged_request_is_ignored(keys: Keys) -> None:
    lufeng, haifeng = Side(keys, LUFENG), Side(keys, HAIFENG, sent=[1, 2, 3])
    await lufeng.sender.send(RESEND, ask(), to=HAIFENG)
    (record,) = lufeng.records()
    forged = record._replace(value=record.value.replace(b'"first":2', b'"first":1'))
    await haifeng.control.receive([forged])
    assert haifeng.again == []
    assert "refused" in haifeng.log.getvalue()


@pytest.mark.parametrize(
    ("state", "epoch", "last", "missing"),
    [
        (None, E1, 3, Missing("", 0, 0)),
        (StreamState(E1, 3), E1, 3, None),
        (StreamState(E1, 4), E1, 3, None),
        (StreamState(E1, 1), E1, 3, Missing(E1, 2, 3)),
        (StreamState(E1, 1), E2, 3, Missing(E1, 2, 0)),
        (StreamState(E2, 1, ((E1, 3),)), E1, 9, None),
    ],
)
def test_what_a_head_tells_a_receiver(
    state: StreamState | None, epoch: str, last: int, missing: Missing | None
) -> None:
    head = StreamHead(
        role="source", source=MINE, topic=TOPIC, partition=0, epoch=epoch, first=1, last=last
    )
    assert tail_missing(state, head) == missing


async def test_a_lost_tail_is_asked_for_when_it_had_time_to_come(keys: Keys) -> None:
    haifeng = Side(keys, HAIFENG, sent=[1, 2, 3])
    await haifeng.control.send_heads(everything=True)
    lufeng = Side(keys, LUFENG, state=StreamState(E1, 1))
    await lufeng.control.receive(haifeng.records())
    await lufeng.control.check_tails()
    assert lufeng.told() == []
    lufeng.clock.move(seconds=3)
    await lufeng.control.check_tails()
    (request,) = lufeng.told()
    assert (request.first, request.last, request.requester) == (2, 3, LUFENG)


async def test_a_lost_tail_is_asked_for_again_until_it_has_come(keys: Keys) -> None:
    haifeng = Side(keys, HAIFENG, sent=[1, 2, 3])
    await haifeng.control.send_heads(everything=True)
    lufeng = Side(keys, LUFENG, state=StreamState(E1, 1))
    await lufeng.control.receive(haifeng.records())
    for _ in range(6):
        lufeng.clock.move(seconds=10)
        await lufeng.control.check_tails()
    asked = len(lufeng.told())
    assert asked > 1
    lufeng.consumer.store = Store(StreamState(E1, 3))  # type: ignore[assignment]
    for _ in range(6):
        lufeng.clock.move(seconds=600)
        await lufeng.control.check_tails()
    assert len(lufeng.told()) == asked


async def test_a_head_about_somebody_elses_stream_is_ignored(keys: Keys) -> None:
    city, lufeng = Side(keys, CITY), Side(keys, LUFENG, state=StreamState(E1, 1))
    head = StreamHead(
        role="source", source=MINE, topic=TOPIC, partition=0, epoch=E1, first=1, last=9
    )
    await city.sender.send(HEAD, head, to=LUFENG)
    await lufeng.control.receive(city.records())
    lufeng.clock.move(seconds=3)
    await lufeng.control.check_tails()
    assert lufeng.told() == []


async def test_an_unchanged_head_is_not_told_again(keys: Keys) -> None:
    haifeng = Side(keys, HAIFENG, sent=[1, 2, 3])
    await haifeng.control.send_heads()
    await haifeng.control.send_heads()
    assert len(haifeng.told()) == 1
    await haifeng.control.send_heads(everything=True)
    assert len(haifeng.told()) == 2


async def test_a_receiver_that_is_behind_is_answered_with_the_head(keys: Keys) -> None:
    lufeng, haifeng = Side(keys, LUFENG), Side(keys, HAIFENG, sent=[1, 2, 3])
    behind = {StreamKey(MINE, TOPIC, 0): StreamState(E1, 2)}
    await lufeng.control.announce_applied(behind)
    await haifeng.control.receive(lufeng.records())
    (head,) = haifeng.told()
    assert (head.role, head.last) == ("source", 3)
    level = Side(keys, LUFENG)
    await level.control.announce_applied({StreamKey(MINE, TOPIC, 0): StreamState(E1, 3)})
    again = Side(keys, HAIFENG, sent=[1, 2, 3])
    await again.control.receive(level.records())
    assert again.told() == []


def test_a_limiter_forgets_what_is_long_ago() -> None:
    clock = TestClock()
    limiter = Limiter(clock, size=3)
    assert limiter.allows("a")
    assert not limiter.allows("a")
    clock.move(seconds=6)
    for what in "abcd":
        assert limiter.allows(what)
    assert not limiter.allows("d")


def test_a_clock_that_is_set_back_silences_nobody() -> None:
    clock = TestClock()
    limiter = Limiter(clock)
    assert limiter.allows("a")
    clock.move(seconds=-3600)
    assert limiter.allows("a")
    assert not limiter.allows("a")


def test_control_messages_travel_outside_the_numbered_streams() -> None:
    spec = load_topics().topic("control")
    assert not spec.numbered
    assert {event.type for event in spec.events} >= {HEAD, RESEND}
