"""The ``yiwang`` command."""

import sys

import typer

from federation.cli import (
    audit,
    catalog,
    clock,
    config,
    deadletters,
    filing,
    node,
    request,
    running,
    token,
)
from federation.cli.common import console, error_console
from federation.cli.demo import demo
from federation.client import RefusedError, UnreachableError
from federation.errors import SetupError

cli = typer.Typer(
    help="One net: a city's federated platform for sharing public data, on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.command("demo")(demo)
cli.command("up")(running.up)
cli.command("down")(running.down)
cli.command("status")(running.status)
cli.command("token")(token.token)
cli.add_typer(node.app, name="node")
cli.add_typer(catalog.app, name="catalog")
cli.add_typer(request.app, name="request")
cli.add_typer(filing.app, name="filing")
cli.add_typer(clock.app, name="clock")
cli.add_typer(audit.app, name="audit")
cli.add_typer(deadletters.app, name="dlq")
cli.add_typer(config.app, name="config")


def app() -> None:
    """Run the command; what cannot be done is told in one sentence with exit code 1."""
    try:
        cli()
    except (SetupError, UnreachableError) as error:
        error_console().print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        sys.exit(1)
    except RefusedError as error:
        _show_problem(error)
        sys.exit(1)


def _show_problem(error: RefusedError) -> None:
    shown = error_console()
    shown.print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
    listed = error.problem.get("errors") or [error.problem]
    for problem in listed:
        for name in ("field", "detail", "article", "remedy"):
            if problem.get(name) and not (name == "detail" and problem is error.problem):
                shown.print(f"  {name}: {problem[name]}", highlight=False, soft_wrap=True)


__all__ = ["app", "cli", "console"]
