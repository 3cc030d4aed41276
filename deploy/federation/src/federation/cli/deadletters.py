"""``yiwang dlq``: events that could not be applied, in order."""

from typing import Annotated, Any

import typer

from federation.agencies import authority_of
from federation.cli.common import (
    Home,
    Json,
    acting,
    console,
    items_of,
    print_json,
    print_table,
    run,
)

app = typer.Typer(help="Dead letters of a node's services.", no_args_is_help=True)
Node = Annotated[str, typer.Option(help="The node, such as 441581.")]
Service = Annotated[str, typer.Option(help="catalog, sharing or notify.")]
LetterId = Annotated[str, typer.Argument(help="The dead letter's id.")]
COLUMNS = {
    "id": "id",
    "type": "type",
    "source": "source",
    "topic": "topic",
    "key": "key",
    "reason": "reason",
    "state": "state",
}


def _operator(node: str) -> str:
    return f"{authority_of(node).org_id}.operator"


@app.command("list")
def list_letters(node: Node, service: Service, home: Home = None, as_json: Json = False) -> None:
    """List the dead letters; each holds its key until it is replayed or discarded."""

    async def work() -> Any:
        async with acting(home, _operator(node)) as client:
            return await client.get(f"/{service}/v1/dead-letters", limit=200)

    answer = run(work)
    if as_json:
        print_json(answer)
    else:
        print_table(items_of(answer), COLUMNS, empty="No dead letters.")


@app.command()
def show(letter_id: LetterId, node: Node, service: Service, home: Home = None) -> None:
    """Show one dead letter and what waits behind it."""

    async def work() -> Any:
        async with acting(home, _operator(node)) as client:
            return await client.get(f"/{service}/v1/dead-letters/{letter_id}")

    print_json(run(work))


@app.command()
def replay(letter_id: LetterId, node: Node, service: Service, home: Home = None) -> None:
    """Apply a dead letter again and then, in order, what waits behind it."""

    async def work() -> Any:
        async with acting(home, _operator(node)) as client:
            return await client.post(f"/{service}/v1/dead-letters/{letter_id}/replay")

    print_json(run(work))
    console().print("Replayed.")
