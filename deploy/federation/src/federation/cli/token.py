"""``yiwang token``: a bearer token of one of the demonstration's people."""

from typing import Annotated

import typer

from federation import tokens
from federation.cli.common import Home, plan_of, run
from federation.errors import SetupError
from kernel.http import HttpClient


def token(
    person: Annotated[str, typer.Argument(help="Whose, such as 441521-mz.clerk.")] = "",
    home: Home = None,
    node: Annotated[str, typer.Option(help="Sign claims of your own for this node instead.")] = "",
    org: Annotated[str, typer.Option(help="With --node: the organisation.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="With --node: a role; repeat it.")] = None,
    subject: Annotated[str, typer.Option(help="With --node: the person's id.")] = "",
    kind: Annotated[str, typer.Option(help="With --node: person, system or service.")] = "person",
    audience: Annotated[str, typer.Option(help="With --node: another audience.")] = "",
    seconds: Annotated[int, typer.Option(help="With --node: how long it is valid.")] = 3600,
) -> None:
    """Print a bearer token: from the issuer for a known person, or signed with claims given here."""
    plan = plan_of(home)
    if node:
        signed = tokens.mint(
            plan,
            subject=subject or f"{org or node}.operator",
            node=plan.node(node).code,
            organisation=org,
            roles=role or [],
            kind=kind,
            audience=audience,
            seconds=seconds,
        )
        typer.echo(signed)
        return
    if not person:
        some = ", ".join(list(tokens.passwords(plan.home))[:6])
        raise SetupError(f"Name a person, such as one of {some}, or use --node.")

    async def work() -> str:
        http = HttpClient()
        try:
            return await tokens.token_of(plan, person, http=http)
        finally:
            await http.close()

    typer.echo(run(work))
