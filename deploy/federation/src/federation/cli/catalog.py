"""``yiwang catalog``: import, search, submit and review entries."""

from pathlib import Path
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
from federation.client import file_part

app = typer.Typer(help="Catalogue entries (目录条目).", no_args_is_help=True)
Ids = Annotated[list[str], typer.Argument(help="Ids of entries.")]
BATCH = 200
COLUMNS = {
    "title": "title",
    "node": "node",
    "providing_org.name": "provided by",
    "share_type": "sharing",
    "resource_code": "code",
    "entry_id": "id",
}


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, help="JSON lines or CSV.")],
    person: As,
    home: Home = None,
    profile: Annotated[
        str | None, typer.Option(help="A confirmed completion profile for what is missing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import a catalogue file: rows become drafts, with a report of what each lacks."""
    media_type = "text/csv" if file.suffix == ".csv" else "application/x-ndjson"

    async def work() -> Any:
        async with acting(home, person) as client:
            answer = await client.upload(
                "/catalog/v1/imports", files={"file": file_part(file, media_type)}
            )
            if profile:
                path = f"/catalog/v1/imports/{answer['import_id']}/complete"
                answer["completed"] = await client.post(path, {"profile_id": profile})
            return answer

    answer = run(work)
    if as_json:
        print_json(answer)
        return
    console().print(
        f"{answer['rows']} rows, {answer['drafts']} drafts, import {answer['import_id']}"
    )
    print_json(answer["report"])


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="Any part of titles, two characters or more.")],
    person: As,
    home: Home = None,
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """Search the published entries of the whole federation, in the own node's replica."""

    async def work() -> Any:
        async with acting(home, person) as client:
            return await client.get("/catalog/v1/search", q=words, limit=limit)

    answer = run(work)
    if as_json:
        print_json(answer)
    else:
        print_table(items_of(answer), COLUMNS, empty="Nothing found.")


@app.command()
def submit(ids: Ids, person: As, home: Home = None) -> None:
    """Submit drafts of the person's organisation for review (报审定)."""
    _show(_batch(home, person, "submit", ids))


@app.command()
def review(
    ids: Ids,
    person: As,
    act: Annotated[str, typer.Option(help="accept, return, approve or publish.")] = "approve",
    reason: Annotated[str, typer.Option(help="For a return: what must be changed.")] = "",
    home: Home = None,
) -> None:
    """Review submitted entries as the data authority (审定)."""
    _show(_batch(home, person, act, ids, reason=reason))


def _batch(home: Path | None, person: str, act: str, ids: list[str], *, reason: str = "") -> Any:
    async def work() -> list[Any]:
        answers = []
        async with acting(home, person) as client:
            for start in range(0, len(ids), BATCH):
                body: dict[str, Any] = {"act": act, "ids": ids[start : start + BATCH]}
                if reason:
                    body["opinion"] = reason
                answers.append(await client.post("/catalog/v1/entries/batch", body))
        return answers

    return run(work)


def _show(answers: list[Any]) -> None:
    for answer in answers:
        print_json(answer)
