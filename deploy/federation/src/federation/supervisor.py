"""Keeps the processes of a federation running and ends them all together.

Every process is a child in a session of its own and dies with the supervisor; a process that ends
by itself is started again. What runs is written to ``state.json`` for the other commands.
"""

import asyncio
import fcntl
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from federation import spawn, state
from federation.errors import SetupError

UnitStatus = Literal["waiting", "starting", "ready", "restarting", "stopped"]
READY_WITHIN = 90.0  # seconds: three nodes that migrate at once on two cores
READY_POLL = 0.05
FIRST_BACKOFF = 0.2
LONGEST_BACKOFF = 5.0
LOCK = "supervisor.lock"


async def _nothing() -> None:
    """Nothing to set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One process: how it is started, when it is ready and what must be ready before it.

    ``is_ready`` gets the process id. ``once_ready`` runs after every start before anybody who
    waits for this unit goes on, and is safe to repeat.
    """

    name: str
    command: Sequence[str]
    log: Path
    is_ready: Callable[[int], Awaitable[bool]]
    once_ready: Callable[[], Awaitable[None]] = _nothing
    environment: Mapping[str, str] | None = None
    after: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 15.0


@dataclass(slots=True)
class _Running:
    unit: Unit
    status: UnitStatus = "waiting"
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs units until ``stop`` is set; a unit's first failure to start ends the whole run."""

    def __init__(self, units: Sequence[Unit], *, home: Path) -> None:
        self._units = {unit.name: _Running(unit) for unit in units}
        self._home = home
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Start everything, keep it running, and stop it in reverse order.

        Raises ``SetupError`` when a unit does not become ready at its first start.
        """
        keepers = [asyncio.create_task(self._keep(unit)) for unit in self._units.values()]
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait([stopping, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for keeper in keepers:
                if keeper.done():
                    keeper.result()  # only a failure ends a keeper before the stop
        finally:
            for task in (stopping, *keepers):
                task.cancel()
            await asyncio.gather(stopping, *keepers, return_exceptions=True)
            await self._end_all()

    async def _keep(self, running: _Running) -> None:
        for name in running.unit.after:
            await self._units[name].ready.wait()
        backoff = FIRST_BACKOFF
        while True:
            failure = await self._start(running)
            if failure is None:
                backoff = FIRST_BACKOFF
                await self._wait_for_end(running)
            elif running.starts == 1:
                raise failure
            self._note(running, "restarting")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF)

    async def _start(self, running: _Running) -> SetupError | None:
        unit = running.unit
        running.starts += 1
        with unit.log.open("ab") as output:
            running.process = await asyncio.create_subprocess_exec(
                *unit.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd="/",
                env=None if unit.environment is None else dict(unit.environment),
                start_new_session=True,
            )
        self._note(running, "starting")
        try:
            await asyncio.wait_for(self._until_ready(running), READY_WITHIN)
        except (SetupError, TimeoutError) as error:
            await _end(running)
            reason = str(error) or f"not ready within {READY_WITHIN:.0f} seconds"
            return SetupError(f"{unit.name} did not start ({reason}); its log: {unit.log}")
        running.ready.set()
        self._note(running, "ready")
        return None

    async def _until_ready(self, running: _Running) -> None:
        process = running.process
        if process is None:
            raise SetupError("no process")
        while not await running.unit.is_ready(process.pid):
            if process.returncode is not None:
                last = spawn.tail(running.unit.log, 1).strip()
                raise SetupError(last or f"it ended with code {process.returncode}")
            await asyncio.sleep(READY_POLL)
        await running.unit.once_ready()

    async def _wait_for_end(self, running: _Running) -> None:
        if running.process is not None:
            await running.process.wait()
        running.ready.clear()

    async def _end_all(self) -> None:
        remaining = list(self._units.values())
        while remaining:
            needed = {name for running in remaining for name in running.unit.after}
            free = [running for running in remaining if running.unit.name not in needed]
            await asyncio.gather(*(_end(running) for running in free))
            for running in free:
                self._note(running, "stopped")
            remaining = [running for running in remaining if running not in free]

    def _note(self, running: _Running, status: UnitStatus) -> None:
        running.status = status
        units = {
            name: state.UnitState(
                pid=entry.process.pid if entry.process else 0,
                status=entry.status,
                starts=entry.starts,
            )
            for name, entry in self._units.items()
        }
        state.write(self._home, state.State(supervisor=os.getpid(), units=units))


async def _end(running: _Running) -> None:
    process, unit = running.process, running.unit
    if process is None or process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(unit.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), unit.patience)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the run directory for one supervisor; raises ``SetupError`` when another has it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"A federation already runs in {home}.") from None
        yield


def is_running(home: Path) -> bool:
    """Tell whether a supervisor holds the run directory."""
    if not (home / LOCK).exists():
        return False
    with (home / LOCK).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def supervise(units: Sequence[Unit], *, home: Path) -> None:
    """Run units in this process until SIGTERM or SIGINT."""
    supervisor = Supervisor(units, home=home)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop.set)
    await supervisor.run()
