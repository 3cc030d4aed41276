"""``yiwang filing``: the authority's desk."""

from typing import Annotated, Any

import typer

from federation.cli.common import (
    As,
    Home,
    Json,
    acting,
    console,
    items_of,
    print_json,
    print_table,
    run,
)

app = typer.Typer(help="Filings (备案) on an authority's desk.", no_args_is_help=True)
FilingId = Annotated[str, typer.Argument(help="The filing's id.")]
COLUMNS = {
    "filing_no": "number",
    "rule": "rule",
    "state": "state",
    "filer.name": "filer",
    "subject_no": "subject",
    "subject_title": "title",
    "received_at": "received",
    "filing_id": "id",
}


@app.command("list")
def list_filings(
    person: As,
    home: Home = None,
    state: Annotated[str | None, typer.Option(help="Only this state, such as received.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, such as F2b.")] = None,
    as_json: Json = False,
) -> None:
    """List the filings of the person's node."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.get("/notify/v1/filings", state=state, rule=rule, limit=200)

    answer = run(work)
    if as_json:
        print_json(answer)
    else:
        print_table(items_of(answer), COLUMNS, empty="No filings.")


@app.command()
def record(filing_id: FilingId, person: As, home: Home = None) -> None:
    """Record a filing (备案登记)."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.post(f"/notify/v1/filings/{filing_id}/record")

    answer = run(work)
    console().print(f"{answer['filing_no']}: {answer['state']}")


@app.command("return")
def return_filing(
    filing_id: FilingId,
    person: As,
    reason: Annotated[str, typer.Option(help="What must be completed.")],
    home: Home = None,
) -> None:
    """Return a filing for completion (退回补正); what it reports goes on."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.post(f"/notify/v1/filings/{filing_id}/return", {"reason": reason})

    answer = run(work)
    console().print(f"{answer['filing_no']}: {answer['state']}")
