"""Loops of a worker: each goes on after a failure, with a growing pause, and says so once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from kernel.logs import Logger

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

Round = Callable[[], Awaitable[float]]
"""One round of work; returns the longest time in seconds to wait for a wake-up before the next."""


@dataclass(slots=True)
class Loop:
    """Calls ``round`` again and again; ``wake`` starts the next round at once."""

    name: str
    round: Round
    logger: Logger
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Cancel and wait; what a round has committed stays."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    @property
    def healthy(self) -> bool:
        return self.failures == 0

    async def _run(self) -> None:
        while True:
            try:
                patience = await self.round()
            except Exception as error:  # noqa: BLE001 -- a loop outlives every failure of a round
                await self._fail(error)
            else:
                if self.failures:
                    self.logger.info("goes on", loop=self.name, failures=self.failures)
                    self.failures = 0
                if patience > 0:
                    await self._wait(patience)

    async def _fail(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            self.logger.warning("failed, tries again", loop=self.name, exc_info=error)
        await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE))

    async def _wait(self, patience: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.wake.wait()
        self.wake.clear()
