"""What a node costs when nothing happens, and how long a federation takes to start.

A first start makes databases and runs migrations; a second one finds everything.
"""

import shutil
import tempfile
import time
from pathlib import Path

import psutil

from federation import embedded_postgres, running, state
from federation.plan import Plan, make_plan
from federation.units import node_unit_name
from tests.bench.report import Figure, median_figure
from tests.support.federations import free_port_base

RUNS = 5
IDLE_AFTER = 5.0  # seconds until caches of the start have settled
MEGABYTE = 1_000_000
MOST_MEMORY = 250
MOST_SECONDS = 20


def figures() -> list[Figure]:
    first, second, memory = [], [], []
    for _ in range(RUNS):
        home = Path(tempfile.mkdtemp(prefix="yiwang-bench-"))
        home.chmod(0o755)
        plan = make_plan(home / "run", port_base=free_port_base())
        try:
            first.append(_start(plan))
            running.stop(plan)
            second.append(_start(plan))
            time.sleep(IDLE_AFTER)
            memory += _memory(plan)
        finally:
            running.stop(plan)
            for node in plan.nodes:
                embedded_postgres.remove(plan.node_home(node.code) / "postgres")
            shutil.rmtree(home)
    return [
        median_figure("footprint.node_pss", memory, unit="MB", target=MOST_MEMORY, better="lower"),
        median_figure(
            "footprint.first_start", first, unit="s", target=MOST_SECONDS, better="lower"
        ),
        median_figure(
            "footprint.second_start", second, unit="s", target=MOST_SECONDS, better="lower"
        ),
    ]


def _start(plan: Plan) -> float:
    began = time.monotonic()
    process = running.start(plan, with_me=True)
    running.wait_until_ready(plan, process)
    return time.monotonic() - began


def _memory(plan: Plan) -> list[float]:
    """Return each node process's proportional set size (PSS), without its database."""
    units = state.read(plan.home).units
    pids = [units[node_unit_name(node.code)].pid for node in plan.nodes]
    return [psutil.Process(pid).memory_full_info().pss / MEGABYTE for pid in pids]
