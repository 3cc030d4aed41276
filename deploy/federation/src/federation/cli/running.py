"""``yiwang up``, ``down`` and ``status``."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from federation import embedded_postgres, spawn, state
from federation import running as federation_running
from federation.cli.common import Home, console
from federation.errors import SetupError
from federation.plan import Plan, default_home, load_plan, make_plan
from federation.supervisor import is_running

PortBase = Annotated[
    int | None,
    typer.Option("--port-base", envvar="YIWANG_PORT_BASE", help="First port; 8500 by default."),
]
Bootstrap = Annotated[
    str, typer.Option("--bootstrap", help="A Kafka of your own instead of the wheel's broker.")
]
Otlp = Annotated[
    str, typer.Option("--otlp", help="Send traces to this OTLP collector, http://host:4318.")
]
COLOURS = {"ready": "green", "stopped": "dim", "restarting": "red"}


def up(
    home: Home = None, port_base: PortBase = None, bootstrap: Bootstrap = "", otlp: Otlp = ""
) -> None:
    """Start the federation in the background: city 441500, counties 441521 and 441581."""
    place = (home or default_home()).absolute()
    plan = make_plan(place, port_base=port_base, bootstrap=bootstrap, otlp_endpoint=otlp)
    began = time.monotonic()
    start_and_watch(plan, with_me=False)
    console().print(f"Running after {time.monotonic() - began:.1f} s.")
    print_addresses(plan)


def start_and_watch(plan: Plan, *, with_me: bool) -> subprocess.Popen[bytes]:
    """Start a plan and show its processes until all are ready; return the supervisor.

    Whoever interrupts the start ends it: the supervisor is gone before this is left.
    """
    process = federation_running.start(plan, with_me=with_me)
    shown = console()
    with Live(console=shown, transient=True, auto_refresh=False) as live:

        def watch(current: state.State) -> None:
            if shown.is_terminal:
                live.update(processes(current), refresh=True)

        try:
            federation_running.wait_until_ready(plan, process, watch=watch)
        except BaseException:
            spawn.stop(process, patience=federation_running.STOP_WITHIN)
            raise
    return process


def down(
    home: Home = None,
    purge: Annotated[
        bool, typer.Option(help="Remove the run directory with all its data.")
    ] = False,
) -> None:
    """Stop the federation; no process stays."""
    place = (home or default_home()).absolute()
    try:
        plan = load_plan(place)
    except SetupError:
        console().print(f"Nothing to stop in {place}.")
        return
    stopped = federation_running.stop(plan)
    console().print("Stopped." if stopped else "Nothing was running.")
    if purge:
        for node in plan.nodes:
            embedded_postgres.remove(plan.node_home(node.code) / "postgres")
        shutil.rmtree(place)
        console().print(f"Removed {place}.")


def status(home: Home = None) -> None:
    """Show the processes and where the APIs are; exit code 1 when something is not ready."""
    plan = load_plan((home or default_home()).absolute())
    if not is_running(plan.home):
        console().print("The federation is not running.")
        raise typer.Exit(1)
    current = state.read(plan.home)
    console().print(processes(current))
    print_addresses(plan)
    if not current.ready:
        raise typer.Exit(1)


def processes(current: state.State) -> Table:
    """Return the processes as a table."""
    table = Table("process", "state", "pid", "starts")
    for name, unit in current.units.items():
        colour = COLOURS.get(unit.status, "yellow")
        starts = str(unit.starts) if unit.starts else ""
        table.add_row(name, f"[{colour}]{unit.status}[/]", str(unit.pid or ""), starts)
    return table


def print_addresses(plan: Plan) -> None:
    """Tell where APIs, documentation and logs are."""
    table = Table("node", "API", "documentation", show_edge=False)
    for node in plan.nodes:
        docs = ", ".join(f"/{service}/docs" for service in ("catalog", "sharing", "notify"))
        table.add_row(f"{node.code} {node.name}", node.url, docs)
    console().print(table)
    console().print(f"Tokens: yiwang token 441521-mz.clerk    Logs: {_short(plan.logs)}")


def _short(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
