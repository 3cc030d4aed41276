"""The receiving side of a worker: the subscription, and everything that is tried again."""

import asyncio
from collections.abc import Callable, Sequence

from contracts.topics import parse_topic
from kernel.bus import Subscription
from kernel.consumer import Consumer
from kernel.consumer_store import PostgresConsumerStore
from kernel.consuming import BatchResult, Record, UnavailableError
from kernel.control import Control
from kernel.logs import Logger
from kernel.loops import Loop

RETRY_SECONDS = 1.0
"""Held keys are looked at this often when nothing hints at them."""
SOON_SECONDS = 0.06
GAP_SECONDS = 5.0
HEAD_SECONDS = 30.0
EVERYTHING_ROUNDS = 120
"""Rounds of heads between two that tell everything: an hour."""
_PING_PAUSE = 0.2
_LONGEST_PING_PAUSE = 5.0


class Receiving:
    """Feeds the consumer from bus and door, and tries again what waits."""

    def __init__(
        self,
        consumer: Consumer,
        store: PostgresConsumerStore,
        *,
        control: Control | None,
        logger: Logger,
    ) -> None:
        self.consumer = consumer
        self._store = store
        self._control = control
        self._logger = logger
        self._soon = False
        self._head_rounds = 0
        self.retry = Loop("retry", self._retry, logger)
        self.gaps = Loop("gaps", self._look_at_gaps, logger)
        self.heads = Loop("heads", self._send_heads, logger)

    def loops(self) -> list[Loop]:
        """Return the loops that this side needs."""
        return [self.retry, self.gaps, *([self.heads] if self._control else [])]

    async def deliver(self, records: Sequence[Record]) -> BatchResult:
        """Take events from the internal door or from the service itself."""
        result = await self.consumer.process(records)
        self._hint(result)
        return result

    async def from_bus(self, records: Sequence[Record]) -> None:
        """Take a batch from the bus: events to the consumer, control messages to control."""
        events = [record for record in records if not _is_control(record)]
        if events:
            self._hint(await self.consumer.process(events))
        controls = [record for record in records if _is_control(record)]
        if controls:
            if self._control is not None:
                await self._control.receive(controls)
            await self._keep_positions(controls)

    def _hint(self, result: BatchResult) -> None:
        if result.held:
            self._soon = True
            self.retry.wake.set()
        if result.missing:
            self.gaps.wake.set()

    async def _keep_positions(self, records: Sequence[Record]) -> None:
        async with self._store.transaction() as tx:
            await tx.save_positions(
                {(record.topic, record.partition): record.offset + 1 for record in records}
            )

    async def _retry(self) -> float:
        if self._soon:
            # the first try of a held key comes due a moment after the batch that held it
            self._soon = False
            await asyncio.sleep(SOON_SECONDS)
        applied = await self.consumer.retry_due()
        self._soon = applied > 0
        return SOON_SECONDS if applied else RETRY_SECONDS

    async def _look_at_gaps(self) -> float:
        missing = await self.consumer.resume()
        await self.consumer.retry_trust()
        if self._control is not None:
            await self._control.ask(missing)
            await self._control.check_tails()
        return GAP_SECONDS

    async def _send_heads(self) -> float:
        assert self._control is not None  # noqa: S101 -- the loop runs only with control
        first = self._head_rounds == 0
        await self._control.send_heads(everything=self._head_rounds % EVERYTHING_ROUNDS == 0)
        if first:
            await self._control.announce_applied(await self._store.stream_states())
        self._head_rounds += 1
        return HEAD_SECONDS


class BusLoop:
    """Keeps a subscription going: starts it, and starts it anew when a batch has failed."""

    def __init__(
        self, make: Callable[[], Subscription], store: PostgresConsumerStore, *, logger: Logger
    ) -> None:
        self._make = make
        self._store = store
        self._logger = logger
        self.subscription: Subscription | None = None
        self.loop = Loop("bus", self._round, logger)

    async def stop(self) -> None:
        await self.loop.stop()
        await self._drop()

    async def _round(self) -> float:
        await self._wait_for_database()
        self.subscription = self._make()
        try:
            await self.subscription.start()
            await self.subscription.failed.wait()
            error = self.subscription.error
        finally:
            await self._drop()
        if isinstance(error, UnavailableError):
            self._logger.warning("database away: subscribers stopped", reason=str(error))
            return 0
        raise error or RuntimeError("the subscription ended")

    async def _drop(self) -> None:
        subscription, self.subscription = self.subscription, None
        if subscription is not None:
            await subscription.stop()

    async def _wait_for_database(self) -> None:
        pause = _PING_PAUSE
        while True:
            try:
                await self._store.ping()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the database is not there
                self._logger.debug("database away", error=type(error).__name__)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PING_PAUSE)


def _is_control(record: Record) -> bool:
    return parse_topic(record.topic).family == "control"
