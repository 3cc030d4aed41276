"""Tokens of the demonstration's people, from the embedded issuer."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from federation import files
from federation.client import UnreachableError
from federation.clocks import clock_of
from federation.errors import SetupError
from federation.plan import Plan
from kernel.http import HttpClient, HttpUnreachable

OK = 200


async def token_of(plan: Plan, person: str, *, http: HttpClient) -> str:
    """Get a person's token from the issuer's token endpoint, as a registered client."""
    secrets = passwords(plan.home)
    if person not in secrets:
        raise SetupError(f"Nobody is called {person}; ids look like 441521-mz.clerk.")
    form = {"grant_type": "client_credentials", "client_id": person}
    try:
        answer = await http.request(
            "POST", f"{plan.issuer_url}/token", form={**form, "client_secret": secrets[person]}
        )
    except HttpUnreachable:
        raise UnreachableError(
            "The issuer does not answer: yiwang up starts the federation."
        ) from None
    if answer.status != OK:
        raise SetupError(f"The issuer gave no token to {person}: {answer.status}.")
    return str(answer.json()["access_token"])


def mint(
    plan: Plan,
    *,
    subject: str,
    node: str,
    organisation: str,
    roles: Sequence[str],
    kind: str = "person",
    audience: str = "",
    seconds: int = 3600,
) -> str:
    """Sign a token with claims of one's own, with the issuer's key of the run directory."""
    from federation.issuer_process import open_issuer  # noqa: PLC0415 - needs the signing libraries

    issuer = open_issuer(plan.home, plan.issuer_url, clock=clock_of(plan.clock_shift))
    return issuer.mint(
        subject=subject,
        node=node,
        organisation=organisation,
        roles=roles,
        kind=kind,
        audience=audience,
        seconds=seconds,
    )


def passwords(place: Path) -> dict[str, str]:
    """Return the client secrets of the demonstration's people."""
    try:
        found: dict[str, str] = orjson.loads((place / files.PEOPLE).read_bytes())
    except FileNotFoundError:
        raise SetupError(f"There is no federation in {place}: yiwang up starts one.") from None
    return found
