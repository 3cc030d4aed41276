"""Simulated processes: they can be paused like SIGSTOP and killed like SIGKILL at any await."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.simulation.history import History
from tests.simulation.loop import SimulationLoop

BIRTH = datetime(2026, 2, 9, 1, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone; nothing of it runs on (no ``except Exception`` may catch it)."""


@dataclass
class Machine:
    """What all processes of a world share: loop, history, and how slow things are."""

    loop: SimulationLoop
    history: History
    rng: random.Random
    closing: bool = False

    def latency(self, scale: float) -> float:
        """Return a delay in seconds: mostly short, now and then ten times as long."""
        draw = self.rng.random()
        return scale * (draw if draw < 0.9 else draw * 10)

    def instant(self, skew: float = 0.0) -> datetime:
        return BIRTH + timedelta(seconds=self.loop.time() + skew)


@dataclass(eq=False)
class Process:
    """One incarnation of an operating-system process.

    ``step`` is where it may be paused or killed; every port calls it before it acts.
    """

    machine: Machine
    name: str
    node: str
    skew: float = 0.0
    alive: bool = True
    resumed: asyncio.Event = field(default_factory=asyncio.Event)
    crash_at: dict[str, int] = field(default_factory=dict)
    on_death: list[Callable[[], None]] = field(default_factory=list)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    ids: "SeededIds" = field(init=False)

    def __post_init__(self) -> None:
        self.resumed.set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = self.machine.loop.create_task(self._guarded(work), name=f"{self.name}/{name}")
        self.tasks.append(task)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await work
        except (Killed, asyncio.CancelledError):
            if self.alive and not self.machine.closing:
                raise
            return None

    async def step(self, label: str, scale: float = 0.002) -> None:
        """Spend time before an action; die or stand still here when the nemesis says so."""
        if self.crash_at or not self.alive:
            self._die_if_due(label)
        loop = self.machine.loop
        timer = loop.create_future()
        loop.call_at(loop._virtual + self.machine.latency(scale), _wake, timer)
        await timer
        while not self.resumed.is_set():
            await self.resumed.wait()
        if not self.alive:
            raise Killed(self.name)

    def check(self) -> None:
        if not self.alive:
            raise Killed(self.name)

    def _die_if_due(self, label: str) -> None:
        if not self.alive:
            raise Killed(self.name)
        left = self.crash_at.get(label)
        if left is None:
            return
        if left > 1:
            self.crash_at[label] = left - 1
            return
        del self.crash_at[label]
        self.machine.history.note("crash", process=self.name, at=label)
        self.kill()
        raise Killed(self.name)

    def kill(self) -> None:
        """End the process at once; its connections notice later, its memory is gone."""
        if not self.alive:
            return
        self.alive = False
        self.resumed.set()
        for task in self.tasks:
            task.cancel()
        for callback in self.on_death:
            callback()

    def pause(self, seconds: float) -> None:
        self.resumed.clear()
        self.machine.loop.call_later(seconds, self.resumed.set)

    def now(self) -> datetime:
        """Implements ``kernel.clock.Clock`` with this machine's error of the clock."""
        return self.machine.instant(self.skew)


def _wake(timer: "asyncio.Future[None]") -> None:
    if not timer.done():
        timer.set_result(None)


class SeededIds:
    """UUIDv7 from a seed: time from the process's (possibly wrong) clock, the rest drawn."""

    def __init__(self, process: Process, rng: random.Random) -> None:
        self._process = process
        self._rng = rng
        self._last = 0

    def uuid7(self) -> UUID:
        millis = int(self._process.now().timestamp() * 1000)
        self._last = max(self._last + 1, millis << 12)
        stamp = self._last
        value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
        return UUID(int=value | self._rng.getrandbits(62))
