"""The embedded issuer serves one machine and refuses anything wider."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from kernel.ids import Uuid7Source
from kernel.issuer import Client, Issuer, IssuerRefused, is_loopback, issuer_app, load_key, make_key
from kernel.tokens import decode, import_keys
from tests.support.http import SteadyClock


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    clock = SteadyClock()
    client = Client(
        secret=sha256(b"s3cret").hexdigest(),
        claims={"subject": "sys-1", "node": "441521", "organisation": "org-1", "kind": "system"},
    )
    return Issuer(
        url="http://issuer.test",
        key=make_key(tmp_path / "issuer.key", key_id="i1"),
        clock=clock,
        ids=Uuid7Source(clock),
        clients={"sys-1": client},
    )


EVERYWHERE = "0.0.0.0"  # noqa: S104 - the address that must be refused


@pytest.mark.parametrize(
    "listeners", [[EVERYWHERE], ["127.0.0.1", "10.0.0.1"], ["::"], [], ["x.cn"]]
)
def test_it_refuses_to_start_beside_a_listener_that_others_can_reach(
    issuer: Issuer, listeners: list[str]
) -> None:
    with pytest.raises(IssuerRefused):
        issuer_app(issuer, listeners=listeners, allowed=True)


def test_it_refuses_to_start_unasked(issuer: Issuer) -> None:
    with pytest.raises(IssuerRefused):
        issuer_app(issuer, listeners=["127.0.0.1"], allowed=False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("example.cn", False)],
)
def test_only_loopback_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


async def ask(issuer: Issuer, **form: str) -> httpx.Response:
    app = issuer_app(issuer, listeners=["127.0.0.1", "::1"], allowed=True)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://issuer.test") as client:
        return await client.post("/token", data=form)


async def test_a_registered_client_gets_a_token_with_its_own_claims_alone(issuer: Issuer) -> None:
    answer = await ask(
        issuer,
        grant_type="client_credentials",
        client_id="sys-1",
        client_secret="s3cret",
        org="org-9",
    )
    assert answer.status_code == 200
    claims = decode(answer.json()["access_token"], import_keys(issuer.jwks()), algorithms=["ES256"])
    assert claims["sub"] == "sys-1"
    assert claims["org"] == "org-1"
    assert claims["aud"] == "yiwang:441521"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "sys-1"}, "invalid_client"),
        (
            {"grant_type": "client_credentials", "client_id": "x", "client_secret": "s3cret"},
            "invalid_client",
        ),
    ],
)
async def test_others_get_no_token(issuer: Issuer, form: dict[str, str], error: str) -> None:
    answer = await ask(issuer, **form)
    assert answer.status_code in (400, 401)
    assert answer.json() == {"error": error}


async def test_discovery_leads_to_the_public_keys(issuer: Issuer) -> None:
    app = issuer_app(issuer, listeners=["127.0.0.1"], allowed=True)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://issuer.test") as client:
        found = (await client.get("/.well-known/openid-configuration")).json()
        keys = (await client.get(found["jwks_uri"])).json()["keys"]
    assert found["issuer"] == "http://issuer.test"
    assert "d" not in keys[0]


def test_a_key_file_is_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "issuer.key"
    key = make_key(path, key_id="k")
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path).as_dict() == key.as_dict()
    with pytest.raises(FileExistsError):
        make_key(path, key_id="k")
