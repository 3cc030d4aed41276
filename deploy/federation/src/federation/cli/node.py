"""``yiwang node run``: one node in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from federation.cli.common import Home, plan_of
from federation.errors import SetupError
from federation.files import SETTINGS
from federation.plan import PLAN, default_home

app = typer.Typer(help="A single node.", no_args_is_help=True)


@app.callback()
def node() -> None:
    """A single node."""


@app.command()
def run(
    code: Annotated[str, typer.Argument(help="The node's code, such as 441523.")],
    home: Home = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings file of the node; by default the run directory's."),
    ] = None,
) -> None:
    """Run all services of one node in this process until Ctrl-C.

    Without --settings and without a run directory everything comes from YIWANG_* variables.
    """
    from federation import node_process, ports  # noqa: PLC0415 - imports every service, a second
    from federation.settings_check import explain  # noqa: PLC0415

    path = settings or _run_directory_settings(code, home)
    if problems := explain(path):
        raise SetupError("\n".join(problems))
    chosen = node_process.read_settings(path)[0]
    if chosen.node != code:
        raise SetupError(f"These settings are of node {chosen.node}, not {code}.")
    if ports.is_taken(chosen.port):
        raise SetupError(
            f"Port {chosen.port} is taken by another program, or the node runs already."
        )
    node_process.serve(path)


def _run_directory_settings(code: str, home: Path | None) -> Path | None:
    """Return the settings file of a node of the run directory; None when there is none."""
    if not ((home or default_home()) / PLAN).exists():
        return None
    plan = plan_of(home)
    return plan.node_home(plan.node(code).code) / SETTINGS
