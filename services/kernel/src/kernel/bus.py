"""The bus side of a consumer: FastStream batch subscribers on raw bytes.

Positions are the database's: on assignment the consumer seeks to them. When a batch cannot be
processed, nothing more is taken until whoever runs the subscription has stopped and started it:
waiting inside a handler or handing back would storm the broker (protocol §3).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import BatchSubscriber

from contracts.topics import TopicCatalogue, TopicSpec, topic_name
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
        if spec.kind in ("mailbox", "control"):
            mailboxes.append(topic_name(spec.family, node))
        elif spec.kind == "broadcast":
            broadcasts += _owners(spec, registry, node)
    return mailboxes, broadcasts


def _owners(spec: TopicSpec, registry: Registry, node: str) -> list[str]:
    if spec.per == "city":
        return [topic_name(spec.family)] if registry.city != node else []
    return [topic_name(spec.family, other.node) for other in registry.nodes if other.node != node]


class _PromptSubscriber(BatchSubscriber):
    """FastStream's, without its second sleep after an empty poll: no delay, no idle rounds."""

    __slots__ = ()

    async def get_msg(self, consumer: Any) -> tuple[Any, ...]:
        found = await consumer.getmany(timeout_ms=_IDLE_POLL_MS, max_records=self.max_records)
        return tuple(record for records in found.values() for record in records)


class _SeekOnAssignment(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self.subscriber: BatchSubscriber | None = None

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing to do: what is in flight is settled by the stream rows' locks."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        consumer = self.subscriber.consumer if self.subscriber else None
        if consumer is None or not assigned:
            return
        known = await self._positions()
        new = [place for place in assigned if (place.topic, place.partition) not in known]
        for place in assigned:
            if (place.topic, place.partition) in known:
                consumer.seek(place, known[(place.topic, place.partition)])
        if new:
            await consumer.seek_to_beginning(*new)


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
    ) -> None:
        """``groups`` are topics by the end of their consumer group's name (``<name>.<end>``)."""
        self.failed = asyncio.Event()
        self.error: Exception | None = None
        self._process = process
        self._broker = KafkaBroker(
            bootstrap,
            client_id=name,
            apply_types=False,
            allow_auto_create_topics=False,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            graceful_timeout=_STOP_SECONDS,
            logger=logging.getLogger("kernel.bus"),
            log_level=logging.DEBUG,
        )
        for end, topics in groups.items():
            if topics:
                self._subscribe(f"{name}.{end}", topics, positions, fetch_max_wait_ms)

    def _subscribe(
        self, group: str, topics: Sequence[str], positions: Positions, fetch_max_wait_ms: int
    ) -> None:
        listener = _SeekOnAssignment(positions)
        subscriber = self._broker.subscriber(
            *topics,
            batch=True,
            group_id=group,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=fetch_max_wait_ms,
            max_partition_fetch_bytes=4 << 20,
            max_records=MAX_RECORDS,
            heartbeat_interval_ms=500,
            listener=listener,
            parser=_parse,
            decoder=_decode,
            no_reply=True,
        )
        subscriber.__class__ = _PromptSubscriber
        listener.subscriber = subscriber
        subscriber(self._handle)

    async def start(self) -> None:
        """Connect and begin reading; raises what the client raises when no broker answers."""
        await self._broker.start()

    async def stop(self) -> None:
        """Let the batch in flight end, then leave the groups."""
        await self._broker.stop()

    async def ping(self) -> bool:
        """Tell whether the broker answers."""
        return await self._broker.ping(timeout=2.0)

    async def _handle(self, records: Sequence[Record]) -> None:
        if self.failed.is_set():
            return
        try:
            await self._process(records)
        except Exception as error:  # noqa: BLE001 -- whoever runs us judges it
            self.error = error
            self.failed.set()


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
