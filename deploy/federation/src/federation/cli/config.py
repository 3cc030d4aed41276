"""``yiwang config``: check settings, prepare compose, create topics."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from federation.cli.common import Home, console, plan_of
from federation.files import SETTINGS
from federation.supervisor import is_running

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
    from federation.settings_check import explain  # noqa: PLC0415 - needs the database libraries

    up = True
    if settings is not None:
        files = [settings]
    else:
        plan = plan_of(home)
        files = [plan.node_home(node.code) / SETTINGS for node in plan.nodes]
        up = is_running(plan.home)
    broken = False
    for path in files:
        problems = explain(path, database=up)
        broken = broken or bool(problems)
        console().print(f"{path}: {'ok' if not problems else ''}", highlight=False, soft_wrap=True)
        for problem in problems:
            console().print(f"  [red]{problem}[/red]", highlight=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)


@app.command("compose")
def write_compose(
    directory: Annotated[Path, typer.Argument(help="Where docker-compose.yml finds it.")] = Path(
        ".yiwang/compose"
    ),
) -> None:
    """Make keys, registry, calendar and secrets that docker-compose.yml mounts."""
    from federation import compose  # noqa: PLC0415 - needs the signing libraries

    for path in compose.write(directory):
        console().print(path, highlight=False)


@app.command("topics")
def make_topics(
    bootstrap: Annotated[str, typer.Option(help="The Kafka, host:port.")],
    node: Annotated[list[str], typer.Option(help="A node's code; repeat it.")],
    replication: Annotated[int, typer.Option(help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics of these nodes, as the contracts declare them."""
    from federation.embedded_broker import create_topics  # noqa: PLC0415 - the Kafka client
    from federation.topics import federation_topics  # noqa: PLC0415

    topics = federation_topics(node, replication=replication)
    asyncio.run(create_topics(bootstrap, topics))
    console().print(f"{len(topics)} topics.")
