"""A seeded event loop on virtual time: one seed, one order of events, no waiting.

Time stands still while anything is ready and jumps to the next timer when nothing is. What is
ready at the same instant runs in an order drawn from the seed. There is no selector, no thread
and no executor, so nothing from outside can change a run.
"""

import asyncio
import contextvars
import heapq
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Standstill(Exception):  # noqa: N818 - it describes the world, it is not raised by our code
    """Nothing is ready and no timer is set: every task waits for another one."""


class OutsideWorld(Exception):  # noqa: N818
    """Code under simulation reached for a thread, a socket or a process."""


class SimulationLoop(asyncio.BaseEventLoop):
    """An asyncio loop whose clock and whose order of ready callbacks come from a seed."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self._virtual = 0.0
        self._made = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.turns = 0
        self.failures: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _loop, context: self._note(context))

    def _note(self, context: dict[str, Any]) -> None:
        # a killed process's tasks end as they like; whatever else dies unseen is a finding
        if isinstance(context.get("exception"), Exception | None):
            self.failures.append(context)

    def time(self) -> float:
        return self._virtual

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        # tuples compare in C; the number keeps timers of one instant in the order of their making
        self._made += 1
        heapq.heappush(self._timers, (when, self._made, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when their time comes."""

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        timers = self._timers
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            self._jump()
        while timers and timers[0][0] <= self._virtual:
            ready.append(heapq.heappop(timers)[2])
        batch = list(ready)
        ready.clear()
        if len(batch) > 1:
            self._rng.shuffle(batch)
        for handle in batch:
            if not handle._cancelled:
                self.turns += 1
                handle._run()

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:  # type: ignore[attr-defined]
            heapq.heappop(timers)
        if not timers:
            raise Standstill
        self._virtual = max(self._virtual, timers[0][0])

    def _process_events(self, event_list: Any) -> None:
        """Nothing to do: there is no selector."""

    def _write_to_self(self) -> None:
        """Nothing to wake: there is no selector."""

    def call_soon_threadsafe(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        raise OutsideWorld("call_soon_threadsafe")

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        raise OutsideWorld(f"run_in_executor({func!r})")

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run ``main`` to its end, cancel what is left and close."""
        try:
            return self.run_until_complete(main)
        finally:
            self._cancel_rest()
            self.close()

    def _cancel_rest(self) -> None:
        rest = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        for task in rest:
            task.cancel()
        if rest:
            self.run_until_complete(asyncio.gather(*rest, return_exceptions=True))


def seeded(seed: int | str, purpose: str) -> random.Random:
    """Return a generator of its own for a purpose, so that one purpose never shifts another."""
    return random.Random(f"{seed}/{purpose}")
