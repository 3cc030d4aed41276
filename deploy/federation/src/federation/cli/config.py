"""``yiwang config check``."""

from pathlib import Path
from typing import Annotated

import typer

from federation.cli.common import Home, console, plan_of
from federation.home import SETTINGS
from federation.settings_check import explain

app = typer.Typer(help="Configuration.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Configuration."""


@app.command()
def check(
    settings: Annotated[
        Path | None,
        typer.Argument(help="A node's settings file; by default all of the run directory."),
    ] = None,
    home: Home = None,
) -> None:
    """Explain what is wrong with the settings of nodes before anything starts."""
    if settings is not None:
        files = [settings]
    else:
        plan = plan_of(home)
        files = [plan.node_home(node.code) / SETTINGS for node in plan.nodes]
    broken = False
    for path in files:
        problems = explain(path)
        broken = broken or bool(problems)
        console().print(f"{path}: {'ok' if not problems else ''}", highlight=False, soft_wrap=True)
        for problem in problems:
            console().print(f"  [red]{problem}[/red]", highlight=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)
