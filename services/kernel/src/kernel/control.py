"""Control of streams: heads, re-send requests, refusals; signed, not numbered, latest wins.

The thin form of protocol §4: a gap or a lost tail is asked for and sent again from the sent log;
what cannot be sent again is refused, and the refusal is an alarm for an operator.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.envelope import Envelope
from contracts.events.bus import ResendRefused, ResendRequest, StreamHead
from contracts.stream import Missing, StreamKey, StreamState
from contracts.topics import parse_topic
from kernel.authenticity import Authentic
from kernel.clock import Clock
from kernel.consumer import Consumer
from kernel.consuming import Record
from kernel.control_sender import ControlSender, Limiter
from kernel.logs import Logger
from kernel.outbox import KAFKA, instant
from kernel.relaying import OutboxRow, PublishError
from kernel.sent_log import SentLog, SourceHead, covers

HEAD = "yiwang.control.head.v1"
RESEND = "yiwang.control.resend.v1"
REFUSED = "yiwang.control.refused.v1"
RESEND_LIMIT = 1000
"""Events of one answer; the receiver asks again for what is still missing."""
TAIL_PATIENCE = timedelta(seconds=2)
"""What a head names may still be on its way this long."""
LONGEST_TAIL_PATIENCE = timedelta(minutes=10)

Republish = Callable[[Sequence[OutboxRow]], Awaitable[None]]
"""Publishes sent rows again (``kernel.relay.Relay.send_again``)."""


class ToldHead(NamedTuple):
    """A head that a source has told: looked at again when ``pause`` has passed since ``at``."""

    head: StreamHead
    at: datetime
    pause: timedelta


class Control:
    """Both ends of control for one service: it answers for its streams and asks for others'."""

    def __init__(
        self,
        *,
        consumer: Consumer,
        sent_log: SentLog,
        sender: ControlSender,
        republish: Republish,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._consumer = consumer
        self._sent_log = sent_log
        self._sender = sender
        self._republish = republish
        self._asks = Limiter(clock)
        self._answers = Limiter(clock)
        self._clock = clock
        self._logger = logger
        self._sent_heads: dict[tuple[str, int], SourceHead] = {}
        self._told: dict[StreamKey, ToldHead] = {}

    async def receive(self, records: Sequence[Record]) -> None:
        """Judge and answer control messages; what is not authentic is counted, nothing more."""
        for record in records:
            item = self._consumer.gate.check(record, instant(self._clock.now()))
            if not isinstance(item, Authentic):
                self._logger.warning("control message refused", reason=getattr(item, "reason", ""))
                continue
            payload, sender = item.payload, item.envelope
            if isinstance(payload, ResendRequest):
                await self._answer(payload, sender)
            elif isinstance(payload, StreamHead):
                await self._compare(payload, sender)
            elif isinstance(payload, ResendRefused):
                self._alarm(payload)

    # -- the receiver's side ------------------------------------------------------------------

    async def ask(self, missing: Mapping[StreamKey, Missing]) -> None:
        """Ask the sources of streams for what is missing."""
        for stream, gap in missing.items():
            if self._asks.allows((stream, gap)):
                await self._ask(stream, gap)

    async def _ask(self, stream: StreamKey, gap: Missing) -> None:
        _, _, node, _ = stream.source.split("/")
        request = ResendRequest(
            source=stream.source,
            topic=stream.topic,
            partition=stream.partition,
            epoch=gap.epoch,
            first=gap.first,
            last=gap.last,
            requester=self._sender.node,
        )
        sent = await self._sender.send(RESEND, request, to=node)
        self._logger.info(
            "asked for missing events",
            source=stream.source,
            topic=stream.topic,
            first=gap.first,
            last=gap.last,
            sent=sent,
        )

    async def announce_applied(self, streams: Mapping[StreamKey, StreamState]) -> None:
        """Tell sources how far this receiver is (at start): they answer with their heads."""
        for stream, state in streams.items():
            _, _, node, _ = stream.source.split("/")
            head = StreamHead(
                role="receiver",
                source=stream.source,
                topic=stream.topic,
                partition=stream.partition,
                epoch=state.epoch,
                first=1,
                last=state.watermark,
            )
            await self._sender.send(HEAD, head, to=node)

    async def _compare(self, head: StreamHead, sender: Envelope) -> None:
        stream = StreamKey(head.source, head.topic, head.partition)
        if head.role == "receiver":
            if head.source == self._sender.source and _owns(head.topic, sender.source_node):
                await self._answer_head(head, sender)
            return
        if head.source != sender.source or not self._reads(head.topic):
            return
        self._told[stream] = ToldHead(head, self._clock.now(), TAIL_PATIENCE)

    async def check_tails(self) -> None:
        """Ask for what heads have named a while ago and has not come, until it has.

        An answer may get lost like the events; each question waits twice as long as the one before.
        """
        now = self._clock.now()
        for stream, told in list(self._told.items()):
            if told.at <= now < told.at + told.pause:
                continue
            gap = tail_missing(await self._consumer.store.stream_state(stream), told.head)
            if self._told.get(stream) is not told:
                continue  # a newer head came meanwhile
            if gap is None:
                del self._told[stream]
                continue
            pause = min(told.pause * 2, LONGEST_TAIL_PATIENCE)
            self._told[stream] = ToldHead(told.head, now, pause)
            await self.ask({stream: gap})

    def _reads(self, topic: str) -> bool:
        spec = self._consumer.gate.topics.spec_of(topic)
        mine = self._sender.source.rpartition("/")[2] in spec.consumers
        return mine and spec.kind == "mailbox" and parse_topic(topic).node == self._sender.node

    def _alarm(self, refused: ResendRefused) -> None:
        self._logger.error(
            "missing events cannot be sent again: an operator decides",
            source=refused.source,
            topic=refused.topic,
            partition=refused.partition,
            epoch=refused.epoch,
            first=refused.first,
            last=refused.last,
            reason=refused.reason,
        )

    # -- the source's side --------------------------------------------------------------------

    async def send_heads(self, *, everything: bool = False) -> None:
        """Send the heads of changed streams (or all) to the nodes that read them."""
        for head in await self._sent_log.heads(KAFKA):
            place = (head.topic, head.partition)
            if not everything and self._sent_heads.get(place) == head:
                continue
            spec = self._consumer.gate.topics.spec_of(head.topic)
            node = parse_topic(head.topic).node
            if spec.kind != "mailbox" or node is None:
                continue
            if await self._sender.send(HEAD, self._head(head), to=node):
                self._sent_heads[place] = head

    def _head(self, head: SourceHead) -> StreamHead:
        return StreamHead(
            role="source",
            source=self._sender.source,
            topic=head.topic,
            partition=head.partition,
            epoch=head.epoch,
            first=head.first,
            last=head.last,
            previous_epoch=head.previous_epoch,
            previous_last=head.previous_last,
        )

    async def _answer_head(self, told: StreamHead, sender: Envelope) -> None:
        for head in await self._sent_log.heads(KAFKA):
            if (head.topic, head.partition) != (told.topic, told.partition):
                continue
            agrees = (head.epoch, head.last) == (told.epoch, told.last)
            if not agrees and self._answers.allows((sender.source, head)):
                await self._sender.send(HEAD, self._head(head), to=sender.source_node)

    async def _answer(self, request: ResendRequest, sender: Envelope) -> None:
        """Send a range again; only the owner of the mailbox may ask."""
        if request.source != self._sender.source or not _owns(request.topic, sender.source_node):
            return
        if not self._answers.allows((sender.source, request)):
            return
        rows = await self._find(request)
        if not rows:
            await self._refuse(request, sender, "not_in_the_sent_log")
            return
        last = min(request.last or rows[-1].sequence, request.first + RESEND_LIMIT - 1)
        if request.last and not covers(rows, request.first, last):
            await self._refuse(request, sender, "partly_not_in_the_sent_log")
        try:
            await self._republish(rows)
        except PublishError as error:
            self._logger.warning("re-sending failed", reason=str(error))

    async def _find(self, request: ResendRequest) -> list[OutboxRow]:
        place = (KAFKA, request.topic, request.partition)
        rows: list[OutboxRow] = []
        if request.epoch:
            last = request.last or (1 << 62)
            rows = await self._sent_log.between(
                *place, epoch=request.epoch, first=request.first, last=last, limit=RESEND_LIMIT
            )
        if not request.last and len(rows) < RESEND_LIMIT:
            rows += await self._sent_log.after(
                *place, epoch=request.epoch, limit=RESEND_LIMIT - len(rows)
            )
        return rows

    async def _refuse(self, request: ResendRequest, sender: Envelope, reason: str) -> None:
        refused = ResendRefused(
            source=request.source,
            topic=request.topic,
            partition=request.partition,
            epoch=request.epoch,
            first=request.first,
            last=request.last,
            reason=reason,
        )
        await self._sender.send(REFUSED, refused, to=sender.source_node)


def tail_missing(state: StreamState | None, head: StreamHead) -> Missing | None:
    """Return what a receiver in ``state`` misses of a source's head; ``last`` 0 is "to the end"."""
    if state is None:
        return Missing("", 0, 0)
    if state.epoch == head.epoch:
        behind = state.watermark < head.last
        return Missing(state.epoch, state.watermark + 1, head.last) if behind else None
    if any(epoch == head.epoch for epoch, _ in state.past):
        return None
    return Missing(state.epoch, state.watermark + 1, 0)


def _owns(topic: str, node: str) -> bool:
    return parse_topic(topic).node == node
