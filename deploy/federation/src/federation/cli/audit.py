"""``yiwang audit verify``: the chain of audit batches of every service."""

from typing import Annotated, Any

import typer

from federation.agencies import authority_of
from federation.cli.common import Home, Json, acting, plan_of, print_json, print_table, run
from federation.plan import SERVICES

app = typer.Typer(help="The audit chain.", no_args_is_help=True)
COLUMNS = {
    "node": "node",
    "service": "service",
    "whole": "whole",
    "batches": "batches",
    "rows": "rows",
    "pending": "pending",
    "head.hash": "head",
    "broken": "first broken link",
}


@app.callback()
def audit() -> None:
    """The audit chain."""


@app.command()
def verify(
    home: Home = None,
    node: Annotated[str | None, typer.Option(help="Only this node.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute the audit chain of every service and find the first broken link."""
    plan = plan_of(home)
    codes = [plan.node(node).code] if node else [each.code for each in plan.nodes]

    async def work() -> list[dict[str, Any]]:
        found = []
        for code in codes:
            async with acting(home, f"{authority_of(code).org_id}.auditor") as client:
                for service in SERVICES:
                    answer = await client.get(f"/{service}/v1/audit/verify")
                    found.append({"node": code, "service": service, **answer})
        return found

    answers = run(work)
    if as_json:
        print_json(answers)
    else:
        print_table(answers, COLUMNS, empty="No node.")
    if not all(answer["whole"] for answer in answers):
        raise typer.Exit(1)
