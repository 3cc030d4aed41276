"""Whole federations of real processes for tests, each on ports and in a directory of its own."""

import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from federation import embedded_postgres, running, state
from federation.errors import SetupError
from federation.plan import BLOCK, Plan, make_plan
from federation.ports import is_taken

#: below the range from which the system takes ports for outgoing connections
PORTS = range(20_000, 30_000, 50)


def free_port_base() -> int:
    """Return a base from which a whole block of ports is free."""
    candidates = list(PORTS)
    random.shuffle(candidates)
    for base in candidates:
        if not any(is_taken(port) for port in range(base, base + BLOCK)):
            return base
    raise SetupError("no free block of ports")


@contextmanager
def running_federation(
    *,
    otlp_endpoint: str = "",
    bootstrap: str = "",
    rules_files: tuple[Path, ...] = (),
    clock_shift: float = 0.0,
    extra_settings: Mapping[str, str] | None = None,
) -> Iterator[Plan]:
    """Run a federation for the length of a block; its logs are printed when the block fails."""
    home = Path(tempfile.mkdtemp(prefix="yiwang-federation-"))
    home.chmod(0o755)  # the database's system user must pass through
    plan = make_plan(
        home / "run",
        port_base=free_port_base(),
        otlp_endpoint=otlp_endpoint,
        bootstrap=bootstrap,
        rules_files=rules_files,
        clock_shift=clock_shift,
        extra_settings=extra_settings,
    )
    process = running.start(plan, with_me=True)
    try:
        running.wait_until_ready(plan, process)
        yield plan
    except BaseException:
        print_logs(plan)
        raise
    finally:
        running.stop(plan)
        process.wait(30)
        for node in plan.nodes:
            embedded_postgres.remove(plan.node_home(node.code) / "postgres")
        shutil.rmtree(home, ignore_errors=True)


def print_logs(plan: Plan, *, lines: int = 40) -> None:
    """Print the end of every log, for a failed test's report."""
    print(f"port base {plan.issuer_port}, state {state.read(plan.home).model_dump_json()}")
    for log in sorted(plan.logs.glob("*.log")):
        text = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"---- {log.name}", *text[-lines:], sep="\n")
