"""Where relays publish to: the Kafka bus, by batches of one partition with one ack each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from contracts.topics import TopicSpec
from kernel.clock import Clock
from kernel.outbox import instant
from kernel.relay import Ack, Message, PublishError

BATCH_BYTES = 900_000
"""Below Kafka's default limit of a record batch (1 MB)."""

_HEADER_BYTES = 1_500
"""What a record's headers take at least, with the path of a batch of a thousand."""
_FOR_GOOD = (MessageSizeTooLargeError, RecordListTooLargeError)


class KafkaPublisher:
    """Publishes by the raw producer, so that a stored ``traceparent`` survives (design §4)."""

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        clock: Clock,
        spec_of: Callable[[str], TopicSpec] | None = None,
        idempotent: bool = False,
        timeout: float = 20.0,
    ) -> None:
        """``spec_of`` tells what a topic must be by the contracts (partitions, largest record)."""
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "client_id": client_id,
            "acks": "all",
            "enable_idempotence": idempotent,
            "max_batch_size": BATCH_BYTES,
            "max_request_size": 4 * BATCH_BYTES,
            "request_timeout_ms": int(timeout * 1000),
        }
        self._clock = clock
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None
        self._spec_of = spec_of
        self._checked: set[str] = set()

    async def start(self) -> AIOKafkaProducer:
        """Connect if need be; raises ``PublishError`` when no broker answers."""
        if self._producer is None:
            producer = AIOKafkaProducer(**self._options)
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
            except (KafkaError, TimeoutError, OSError) as error:
                await producer.stop()
                raise PublishError(type(error).__name__) from None
            self._producer = producer
        return self._producer

    async def stop(self) -> None:
        """Close the connection; nothing is in flight when ``publish`` is not running."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def ping(self) -> bool:
        """Tell whether a broker answers now."""
        try:
            producer = await self.start()
            return bool(await producer.client.force_metadata_update())
        except (PublishError, KafkaError, OSError):
            return False

    async def partitions_of(self, topic: str) -> int:
        """Return the broker's partition count of a topic; raises ``PublishError``."""
        producer = await self.start()
        try:
            async with asyncio.timeout(self._timeout):
                return len(await producer.partitions_for(topic))
        except (KafkaError, TimeoutError, OSError) as error:
            raise PublishError(type(error).__name__) from None

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        """Publish in order per partition; raises ``PublishError`` unless every one is answered."""
        await self.start()
        await self._check_topics({message.topic for message in messages})
        groups: dict[tuple[str, int], list[int]] = {}
        for index, message in enumerate(messages):
            groups.setdefault((message.topic, message.partition), []).append(index)
        answers = await asyncio.gather(
            *(self._publish_group([messages[i] for i in group]) for group in groups.values()),
            return_exceptions=True,
        )
        acks: dict[int, Ack] = {}
        for group, answer in zip(groups.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                raise PublishError(type(answer).__name__) from None
            acks.update(zip(group, answer, strict=True))
        return [acks[index] for index in range(len(messages))]

    async def _check_topics(self, topics: set[str]) -> None:
        """Refuse to publish where the broker's partition count differs from the contracts'."""
        if self._spec_of is None:
            return
        for topic in topics - self._checked:
            if await self.partitions_of(topic) != self._spec_of(topic).partitions:
                raise PublishError(f"{topic} has another number of partitions than its contract")
            self._checked.add(topic)

    async def _publish_group(self, messages: Sequence[Message]) -> list[Ack]:
        """Publish what goes to one partition, a batch at a time."""
        acks: list[Ack] = []
        while len(acks) < len(messages):
            rest = messages[len(acks) :]
            batch, count = self._fill(rest)
            acks += await self._send(batch, rest[:count])
        return acks

    def _fill(self, messages: Sequence[Message]) -> tuple[Any, int]:
        assert self._producer is not None  # noqa: S101 -- publish() has started it
        batch = self._producer.create_batch()
        room = BATCH_BYTES
        if self._spec_of is not None:
            # a broker's limit of a topic is one for the batch, and a batch holds one record at least
            room = min(room, self._spec_of(messages[0].topic).max_bytes)
        for count, message in enumerate(messages):
            room -= len(message.value) + _HEADER_BYTES
            if room < 0 and count:
                return batch, count
            taken = batch.append(
                key=message.key, value=message.value, timestamp=None, headers=message.headers
            )
            if taken is None:
                return batch, count
        return batch, len(messages)

    async def _send(self, batch: Any, messages: Sequence[Message]) -> list[Ack]:
        assert self._producer is not None  # noqa: S101 -- publish() has started it
        first = messages[0]
        try:
            async with asyncio.timeout(self._timeout):
                future = await self._producer.send_batch(
                    batch, first.topic, partition=first.partition
                )
                await future
        except _FOR_GOOD as error:
            if len(messages) == 1:
                return [Ack("", type(error).__name__)]
            # one record of the batch is to blame: find it by sending them one by one
            acks = []
            for message in messages:
                acks += await self._publish_group([message])
            return acks
        return [Ack(instant(self._clock.now()))] * len(messages)
