"""The sending side of a worker: one relay and one loop a transport, woken by new outbox rows."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from contracts.stream import Missing, StreamKey
from kernel.control import RESEND_LIMIT
from kernel.db import Database
from kernel.logs import Logger
from kernel.loops import Loop
from kernel.relay import Relay
from kernel.relay_store import plain_url
from kernel.sent_log import SentLog

IDLE_SECONDS = 5.0
"""A relay looks by itself this often, should every wake-up be lost."""
LOCK_SECONDS = 2.0
"""A standby asks for the lock this often."""
CHANNEL = "yiwang_outbox"


class RelayLoop:
    """Runs one relay; sends again what the receiving sibling says it misses."""

    def __init__(self, relay: Relay, transport: str, *, sent_log: SentLog, logger: Logger) -> None:
        self.relay = relay
        self.transport = transport
        self._sent_log = sent_log
        self._logger = logger
        self._missing: dict[StreamKey, Missing] = {}
        self.loop = Loop(f"relay {transport}", self._round, logger)

    def hear_missing(self, missing: Mapping[StreamKey, Missing]) -> None:
        """Note what a sibling misses; the next round sends it again."""
        self._missing |= missing

    async def stop(self) -> None:
        await self.loop.stop()
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.relay.stop()

    async def _round(self) -> float:
        done = await self.relay.step()
        if self._missing and self.relay.holds_lock:
            await self._send_again()
        if done:
            return 0
        return IDLE_SECONDS if self.relay.holds_lock else LOCK_SECONDS

    async def _send_again(self) -> None:
        missing, self._missing = self._missing, {}
        for stream, gap in missing.items():
            if stream.source != self.relay.source or not gap.epoch:
                continue
            rows = await self._sent_log.between(
                self.transport,
                stream.topic,
                stream.partition,
                epoch=gap.epoch,
                first=gap.first,
                last=gap.last,
                limit=RESEND_LIMIT,
            )
            if rows:
                await self.relay.send_again(rows)
            else:
                self._logger.error(
                    "a sibling misses events that cannot be sent again",
                    topic=stream.topic,
                    partition=stream.partition,
                    first=gap.first,
                    last=gap.last,
                )


class OutboxWatch:
    """Wakes relays for rows that another process has written: by polling, or by notification."""

    def __init__(
        self,
        database: Database,
        relays: Sequence[RelayLoop],
        *,
        notify: bool,
        every: float,
        logger: Logger,
    ) -> None:
        self._database = database
        self._loops = {relay.transport: relay.loop for relay in relays}
        self._notify = notify
        self._every = every
        self._listener: Any = None
        self.loop = Loop("outbox watch", self._round, logger)

    def wake_all(self) -> None:
        """Wake every relay: something was committed in this process."""
        for loop in self._loops.values():
            loop.wake.set()

    def start(self) -> None:
        self._database.on_emit.append(self.wake_all)
        self.loop.start()

    async def stop(self) -> None:
        if self.wake_all in self._database.on_emit:
            self._database.on_emit.remove(self.wake_all)
        await self.loop.stop()
        if self._listener is not None and not self._listener.is_closed():
            await self._listener.close(timeout=5)

    async def _round(self) -> float:
        if self._notify:
            return await self._listen()
        rows = await self._database.hot.fetch(
            "SELECT DISTINCT transport FROM (SELECT transport FROM kernel.outbox LIMIT 500) AS o",
            (),
        )
        for row in rows:
            if row["transport"] in self._loops:
                self._loops[row["transport"]].wake.set()
        return self._every

    async def _listen(self) -> float:
        if self._listener is None or self._listener.is_closed():
            url = self._database.engine.url.render_as_string(hide_password=False)
            self._listener = await asyncpg.connect(plain_url(url), timeout=5)
            await self._listener.execute("ALTER TABLE kernel.outbox ENABLE TRIGGER outbox_notify")
            await self._listener.add_listener(CHANNEL, lambda *_: self.wake_all())
            self.wake_all()
        return IDLE_SECONDS
