"""``yiwang node run``: one node in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from federation.cli.common import Home, plan_of
from federation.errors import SetupError
from federation.files import SETTINGS

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
    from federation import node_process  # noqa: PLC0415 - imports every service, a second
    from federation.settings_check import explain  # noqa: PLC0415

    path = settings or run_directory_settings(code, home)
    if problems := explain(path):
        raise SetupError("; ".join(problems))
    node_process.serve(path)


def run_directory_settings(code: str, home: Path | None) -> Path:
    """Return the settings file of a node of the run directory."""
    plan = plan_of(home)
    return plan.node_home(plan.node(code).code) / SETTINGS
