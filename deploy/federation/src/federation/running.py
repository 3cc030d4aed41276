"""Starting, watching and stopping a federation from another process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from federation import spawn, state
from federation.errors import SetupError
from federation.plan import Plan, check_ports, save_plan
from federation.state import State
from federation.supervisor import is_running

READY_WITHIN = 180.0  # seconds; a first start on a busy machine
STOP_WITHIN = 60.0
POLL = 0.1


def start(plan: Plan, *, with_me: bool) -> subprocess.Popen[bytes]:
    """Start the supervisor of a plan; ``with_me`` ends it when this process ends.

    Raises ``SetupError`` when a federation runs in the directory or a port is taken.
    """
    if is_running(plan.home):
        raise SetupError(f"A federation already runs in {plan.home}: yiwang down stops it.")
    check_ports(plan)
    plan.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    save_plan(plan)
    state.write(plan.home, State())
    command = [sys.executable, "-m", "federation.supervisor_process", str(plan.home)]
    if with_me:
        command = spawn.guarded(command, on_parent_death=signal.SIGTERM)
    return spawn.start(command, log=plan.logs / "supervisor.log", env=spawn.python_environment())


def wait_until_ready(
    plan: Plan, process: subprocess.Popen[bytes], *, watch: Callable[[State], None] | None = None
) -> State:
    """Wait until every process is ready, telling ``watch`` of each state; return the last one.

    Raises ``SetupError`` with the supervisor's own sentence when the start fails.
    """
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        current = state.read(plan.home)
        if watch is not None:
            watch(current)
        if current.ready:
            return current
        if process.poll() is not None:
            current = state.read(plan.home)
            reason = current.error or spawn.tail(plan.logs / "supervisor.log", 1)
            raise SetupError(reason or "The supervisor ended without a word.")
        time.sleep(POLL)
    raise SetupError(f"The federation was not ready within {READY_WITHIN:.0f} seconds.")


def stop(plan: Plan) -> bool:
    """Stop the federation of a run directory; return whether one ran. No process stays."""
    if not is_running(plan.home):
        return False
    current = state.read(plan.home)
    with suppress(ProcessLookupError):
        os.kill(current.supervisor, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN
    while is_running(plan.home) or _is_alive(current.supervisor):
        if time.monotonic() > deadline:
            _kill_all(state.read(plan.home))
            break
        time.sleep(POLL)
    return True


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits for its parent to notice does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _kill_all(current: State) -> None:
    pids = [unit.pid for unit in current.units.values() if unit.pid]
    with suppress(ProcessLookupError):
        os.kill(current.supervisor, signal.SIGKILL)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
