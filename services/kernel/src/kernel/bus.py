"""The bus side of a consumer: FastStream batch subscribers on raw bytes.

Positions are the database's: on assignment the consumer seeks to them. When a batch cannot be
processed, nothing more is taken until whoever runs the subscription has stopped and started it:
waiting inside a handler or handing back would storm the broker (protocol §3).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, Topic, TopicPartition
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from contracts.topics import TopicCatalogue, TopicSpec, load_topics, topic_name
from kernel.consuming import Record
from kernel.outbox import instant
from kernel.registry import Registry

Process = Callable[[Sequence[Record]], Awaitable[None]]
Positions = Callable[[], Awaitable[Mapping[tuple[str, int], int]]]

MAX_RECORDS = 500
_IDLE_POLL_MS = 1000
_STOP_SECONDS = 10.0


def topics_read(
    catalogue: TopicCatalogue, registry: Registry, *, node: str, service: str
) -> tuple[list[str], list[str]]:
    """Return the mailboxes and the broadcasts that a service reads from the bus.

    What the own node broadcasts comes by the internal door.
    """
    mailboxes: list[str] = []
    broadcasts: list[str] = []
    for spec in catalogue.consumed_by(service):
        if not spec.events:
            continue  # declared for later
        if spec.kind in ("mailbox", "control"):
            mailboxes.append(topic_name(spec.family, node))
        elif spec.kind == "broadcast":
            broadcasts += _owners(spec, registry, node)
    return mailboxes, broadcasts


def _owners(spec: TopicSpec, registry: Registry, node: str) -> list[str]:
    if spec.per == "city":
        return [topic_name(spec.family)] if registry.city != node else []
    return [topic_name(spec.family, other.node) for other in registry.nodes if other.node != node]


class _Reader:
    """Reads from where the database says; one for each subscriber."""

    def __init__(self, positions: Positions, *, seeks_itself: bool) -> None:
        self._positions = positions
        self._seeks_itself = seeks_itself
        self._placed: Any = None

    async def read(self, consumer: Any, limit: int | None) -> tuple[Any, ...]:
        """Return the next records, or none after a while."""
        if self._seeks_itself and consumer is not self._placed:
            await self.place(consumer, consumer.assignment())
            self._placed = consumer
        found = await consumer.getmany(timeout_ms=_IDLE_POLL_MS, max_records=limit)
        if not found:
            await self._notice_lost_log(consumer)
        return tuple(record for records in found.values() for record in records)

    async def place(self, consumer: Any, assigned: Iterable[Any]) -> None:
        """Seek to the positions in the database; what has none is read from its beginning."""
        known = await self._positions()
        new = []
        for place in assigned:
            if (place.topic, place.partition) in known:
                consumer.seek(place, known[(place.topic, place.partition)])
            else:
                new.append(place)
        if new:
            await consumer.seek_to_beginning(*new)

    async def _notice_lost_log(self, consumer: Any) -> None:
        """Begin anew where a broker without durability has come back with a shorter log."""
        for place in consumer.assignment():
            end = consumer.highwater(place)
            if end is not None and await consumer.position(place) > end:
                await consumer.seek_to_beginning(place)


def _prompt(reader: _Reader) -> type[BatchSubscriber]:
    """FastStream's subscriber without its second sleep after an empty poll.

    That sleep is either a delay of each event or, made short, idle rounds that cost a core.
    """

    class PromptSubscriber(BatchSubscriber):
        __slots__ = ()

        async def get_msg(self, consumer: Any) -> tuple[Any, ...]:
            return await reader.read(consumer, self.max_records)

    return PromptSubscriber


class _SeekOnAssignment(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self.subscriber: BatchSubscriber | None = None

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing to do: what is in flight is settled by the stream rows' locks."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        if self.subscriber is not None and self.subscriber.consumer is not None:
            await self._reader.place(self.subscriber.consumer, assigned)


class Subscription:
    """What a service reads from the bus; ``failed`` is set when it has to be started anew."""

    def __init__(
        self,
        bootstrap: str,
        *,
        name: str,
        groups: Mapping[str, Sequence[str]],
        process: Process,
        positions: Positions,
        fetch_max_wait_ms: int = 100,
        consumer_groups: bool = True,
    ) -> None:
        """``groups`` are topics by the end of their consumer group's name (``<name>.<end>``).

        Without ``consumer_groups`` the service's one worker reads all partitions itself.
        """
        self.failed = asyncio.Event()
        self.error: Exception | None = None
        self._process = process
        self._broker = KafkaBroker(
            bootstrap,
            client_id=name,
            apply_types=False,
            consumer_only=True,  # the relay's own producer publishes
            ack_policy=AckPolicy.NACK_ON_ERROR,
            graceful_timeout=_STOP_SECONDS,
            logger=None,  # failures end in ``failed``, and the client library logs its own
        )
        for end, topics in groups.items():
            if topics:
                what = _in_group(f"{name}.{end}", topics) if consumer_groups else _alone(topics)
                reader = _Reader(positions, seeks_itself=not consumer_groups)
                self._subscribe(what, reader, fetch_max_wait_ms=fetch_max_wait_ms)

    def _subscribe(self, what: dict[str, Any], reader: _Reader, *, fetch_max_wait_ms: int) -> None:
        listener = _SeekOnAssignment(reader)
        subscriber = self._broker.subscriber(
            *what.pop("topics"),
            **what,
            batch=True,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=fetch_max_wait_ms,
            max_partition_fetch_bytes=4 << 20,
            max_records=MAX_RECORDS,
            listener=listener,
            parser=_parse,
            decoder=_decode,
            no_reply=True,
        )
        subscriber.__class__ = _prompt(reader)
        listener.subscriber = subscriber
        subscriber(self._handle)

    async def start(self) -> None:
        """Connect and begin reading; raises what the client raises when no broker answers."""
        await self._broker.start()

    async def stop(self) -> None:
        """Let the batch in flight end, then leave the groups."""
        await self._broker.stop()

    async def _handle(self, records: Sequence[Record]) -> None:
        if self.failed.is_set():
            return
        try:
            await self._process(records)
        except Exception as error:  # noqa: BLE001 -- whoever runs us judges it
            self.error = error
            self.failed.set()


def _in_group(group: str, topics: Sequence[str]) -> dict[str, Any]:
    return {
        "topics": [Topic(topic, declare=False) for topic in topics],
        "group_id": group,
        "heartbeat_interval_ms": 500,
    }


def _alone(topics: Sequence[str]) -> dict[str, Any]:
    partitions = [
        TopicPartition(topic, partition, declare=False)
        for topic in topics
        for partition in range(load_topics().spec_of(topic).partitions)
    ]
    return {"topics": [], "partitions": partitions}


async def _parse(message: Any) -> KafkaMessage:
    """Wrap raw records; headers stay bytes, since a foreign one may be no text at all."""
    return KafkaMessage(
        body=b"",
        headers={},
        message_id=str(message[0].offset),
        raw_message=message,
        consumer=FAKE_CONSUMER,  # the positions in the database are the only ones
    )


async def _decode(message: KafkaMessage) -> list[Record]:
    raw = message.raw_message
    return [to_record(record) for record in (raw if isinstance(raw, tuple) else (raw,))]


def to_record(record: Any) -> Record:
    """Return an aiokafka record as the consumer takes it; a tombstone has an empty value."""
    entered = datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        headers=record.headers,
        value=record.value or b"",
        entered_at=instant(entered),
    )
