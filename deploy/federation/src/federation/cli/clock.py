"""``yiwang clock list``: running deadlines."""

from typing import Annotated, Any

import typer

from federation.cli.common import As, Home, Json, acting, items_of, print_json, print_table, run

app = typer.Typer(help="Deadlines (时限) of a node.", no_args_is_help=True)
COLUMNS = {
    "rule": "rule",
    "case_no": "case",
    "title": "title",
    "bound.name": "who is bound",
    "starts_on": "starts",
    "counts_on": "due",
    "provisional": "provisional",
    "state": "state",
    "ground.length_article": "article",
}


@app.callback()
def clock() -> None:
    """Deadlines (时限) of a node."""


@app.command("list")
def list_clocks(
    person: As,
    home: Home = None,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; repeat it.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, such as share.reply.")] = None,
    as_json: Json = False,
) -> None:
    """List the deadlines that the person may see, with due dates and legal ground."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.get("/notify/v1/clocks", state=state, rule=rule, limit=200)

    answer = run(work)
    if as_json:
        print_json(answer)
    else:
        print_table(items_of(answer), COLUMNS, empty="No deadlines.")
