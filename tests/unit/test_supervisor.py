"""Processes of a federation live and die together."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from federation import spawn, state
from federation.errors import SetupError
from federation.supervisor import Supervisor, Unit, alone, is_running
from tests.support.waiting import eventually

SLEEPER = "import time; time.sleep(600)"
#: a process that ignores its polite signal and has a child of its own
STUBBORN = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True);"
    "time.sleep(600)"
)


async def _at_once(_pid):
    return True


def _unit(name, home, *, code=SLEEPER, **rest):
    return Unit(
        name=name,
        command=spawn.guarded([sys.executable, "-c", code]),
        log=home / f"{name}.log",
        is_ready=rest.pop("is_ready", _at_once),
        **rest,
    )


def _pid(home, name):
    return state.read(home).units[name].pid


async def _ready(home):
    return await eventually(lambda: state.read(home).ready and state.read(home))


async def test_a_killed_process_is_started_again(tmp_path):
    supervisor = Supervisor([_unit("one", tmp_path)], home=tmp_path)
    run = asyncio.create_task(supervisor.run())
    first = (await _ready(tmp_path)).units["one"]
    os.kill(first.pid, signal.SIGKILL)
    second = await eventually(
        lambda: (
            (unit := state.read(tmp_path).units["one"]).starts == 2
            and unit.status == "ready"
            and unit
        )
    )
    assert second.pid != first.pid
    supervisor.stop.set()
    await run
    assert not psutil.pid_exists(second.pid)


async def test_a_unit_waits_for_what_it_needs_and_stops_before_it(tmp_path):
    events = []

    async def set_up():
        events.append("database set up")

    async def node_ready(_pid):
        events.append("node started")
        return True

    database = _unit("database", tmp_path, once_ready=set_up)
    node = _unit("node", tmp_path, is_ready=node_ready, after=("database",))
    supervisor = Supervisor([node, database], home=tmp_path)
    run = asyncio.create_task(supervisor.run())
    await _ready(tmp_path)
    assert events == ["database set up", "node started"]
    supervisor.stop.set()
    await run
    assert {unit.status for unit in state.read(tmp_path).units.values()} == {"stopped"}


async def test_a_process_that_ignores_its_signal_goes_with_its_whole_group(tmp_path):
    unit = _unit("stubborn", tmp_path, code=STUBBORN, patience=0.3)
    supervisor = Supervisor([unit], home=tmp_path)
    run = asyncio.create_task(supervisor.run())
    await _ready(tmp_path)
    grandchild = int(await eventually(lambda: unit.log.read_text().strip()))
    supervisor.stop.set()
    await run
    await eventually(lambda: not _alive(grandchild))


async def test_a_first_start_that_fails_is_told_with_the_last_line_of_its_log(tmp_path):
    async def never(_pid):
        return False

    unit = _unit("broken", tmp_path, code="raise SystemExit('port 1 is taken')", is_ready=never)
    with pytest.raises(SetupError, match=r"broken did not start .port 1 is taken"):
        await Supervisor([unit], home=tmp_path).run()


async def test_children_die_when_their_supervisor_is_killed(tmp_path):
    program = (
        "import asyncio, sys; from pathlib import Path; from federation.supervisor import *;"
        "from federation import spawn\n"
        "async def ready(pid): return True\n"
        "home = Path(sys.argv[1])\n"
        f"unit = Unit(name='one', command=spawn.guarded([sys.executable, '-c', {SLEEPER!r}]),"
        " log=home / 'one.log', is_ready=ready)\n"
        "asyncio.run(supervise([unit], home=home))"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(tmp_path))
    try:
        child = (await _ready(tmp_path)).units["one"].pid
        assert psutil.pid_exists(child)
    finally:
        parent.kill()
        await parent.wait()
    await eventually(lambda: not _alive(child))


def test_only_one_supervisor_holds_a_run_directory(tmp_path: Path):
    assert not is_running(tmp_path)
    with alone(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(SetupError, match="already runs"), alone(tmp_path):
            pass
    assert not is_running(tmp_path)


def _alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
