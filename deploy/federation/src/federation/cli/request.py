"""``yiwang request``: share requests (共享申请)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from federation import using_system
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
from federation.errors import SetupError

app = typer.Typer(help="Share requests.", no_args_is_help=True)
RequestId = Annotated[str, typer.Argument(help="The request's id.")]
Basis = Annotated[
    str, typer.Option(help="Legal basis as level:title[:article], such as law:统计法:第七条.")
]
COLUMNS = {
    "request_no": "number",
    "state": "state",
    "title": "title",
    "requester.name": "requester",
    "source.name": "source",
    "reply_due.due_on": "reply due",
    "deliver_due.due_on": "delivery due",
    "request_id": "id",
}


@app.command()
def create(
    entry_id: Annotated[str, typer.Argument(help="The entry's id, from yiwang catalog search.")],
    person: As,
    purpose: Annotated[str, typer.Option(help="What the data is for.")],
    basis: Basis,
    scene: Annotated[str, typer.Option(help="Where it is used.")],
    scope: Annotated[str, typer.Option(help="Which part is needed.")],
    item: Annotated[list[str], typer.Option(help="An item's English name; repeat it.")],
    mode: Annotated[str, typer.Option(help="api or file.")] = "api",
    term_days: Annotated[int, typer.Option(help="For how many days.")] = 365,
    key_file: Annotated[
        Path, typer.Option(help="Private key of the using system; made if missing.")
    ] = Path("using-system.key.json"),
    home: Home = None,
) -> None:
    """Ask for the data of an entry; the law's filings go out at the same moment (第二十条)."""
    level, title, article = [*basis.split(":", 2), "", ""][:3]
    if not title:
        raise SetupError("A basis is written level:title[:article], such as law:统计法:第七条.")
    system = using_system.load_or_make(key_file, system_id=f"{person.rsplit('.', 1)[0]}-cli")
    body = {
        "entry_id": entry_id,
        "items": item,
        "purpose": purpose,
        "basis": [{"level": level, "title": title, "article": article}],
        "scene": scene,
        "scope": scope,
        "mode": mode,
        "term_days": term_days,
        "system": system.as_submitted(),
    }

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.post("/sharing/v1/requests", body)

    answer = run(work)
    console().print(f"{answer['request_no']}  {answer['state']}  id {answer['request_id']}")
    print_table(
        answer.get("filings", []),
        {"rule": "filing", "receiver_node": "with", "state": "state", "filing_id": "id"},
        empty="No filing: same level and region.",
    )


@app.command("list")
def list_requests(
    person: As,
    home: Home = None,
    box: Annotated[str, typer.Option(help="sent or received.")] = "sent",
    as_json: Json = False,
) -> None:
    """List the requests of the person's organisation."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.get("/sharing/v1/requests", box=box, limit=200)

    answer = run(work)
    if as_json:
        print_json(answer)
    else:
        print_table(items_of(answer), COLUMNS, empty="No requests.")


@app.command()
def show(request_id: RequestId, person: As, home: Home = None) -> None:
    """Show a request with its receipts, due dates, filings and reply."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.get(f"/sharing/v1/requests/{request_id}")

    print_json(run(work))


@app.command()
def reply(
    request_id: RequestId,
    person: As,
    outcome: Annotated[str, typer.Option(help="agreed, agreed_partly or refused.")] = "agreed",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    basis: Annotated[
        str, typer.Option(help="For a refusal: level:title[:article] of law, regulation or rule.")
    ] = "",
    home: Home = None,
) -> None:
    """Answer a request as its source department (第十九条第三款)."""
    body: dict[str, Any] = {"outcome": outcome, "reason": reason}
    if outcome == "refused":
        level, _, rest = basis.partition(":")
        title, _, article = rest.partition(":")
        grounds = [{"level": level, "title": title, "article": article}] if title else []
        body["refused"] = [{"part": "all", "reason": reason, "basis": grounds}]

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.post(f"/sharing/v1/requests/{request_id}/reply", body)

    answer = run(work)
    console().print(f"{answer['request_no']}: {answer['state']}")
