"""What the commands share: where the federation is, who acts, how answers are shown."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console
from rich.table import Table

from federation import tokens
from federation.client import NodeClient
from federation.errors import SetupError
from federation.plan import Plan, default_home, load_plan
from kernel.http import HttpClient

T = TypeVar("T")
PIPE_WIDTH = 132

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="YIWANG_HOME", help="Run directory; .yiwang here by default."),
]
As = Annotated[
    str, typer.Option("--as", help="Who acts: <organisation>.<post>, such as 441521-mz.clerk.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def console() -> Console:
    """Return where answers go; a pipe or a file is not cut to eighty columns."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=PIPE_WIDTH)


def error_console() -> Console:
    return Console(stderr=True)


def plan_of(home: Path | None) -> Plan:
    """Return the plan of the federation that runs in the run directory."""
    return load_plan((home or default_home()).absolute())


@asynccontextmanager
async def acting(home: Path | None, person: str) -> AsyncGenerator[NodeClient]:
    """Call the person's own node as that person."""
    plan = plan_of(home)
    http = HttpClient(timeout=60.0)
    try:
        token = await tokens.token_of(plan, person, http=http)
        yield NodeClient(url=plan.node(node_of(person)).url, http=http, token=token)
    finally:
        await http.close()


def node_of(person: str) -> str:
    """Return the node that a person's id begins with."""
    code = person.split("-", 1)[0]
    if not code.isdecimal():
        raise SetupError(f"{person} is no person's id; ids look like 441521-mz.clerk.")
    return code


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine to its end."""

    async def call() -> T:
        return await work()

    return asyncio.run(call())


def print_json(answer: Any) -> None:
    console().print_json(orjson.dumps(answer).decode())


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str
) -> None:
    """Print rows as a table; ``columns`` maps paths such as ``reply_due.due_on`` to headings."""
    if not rows:
        console().print(empty)
        return
    table = Table(*columns.values(), highlight=False)
    for row in rows:
        table.add_row(*(_text(at(row, path)) for path in columns))
    console().print(table)


def at(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


def items_of(answer: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a list answer, whether paged or plain."""
    return list(answer["items"]) if isinstance(answer, Mapping) else list(answer)
