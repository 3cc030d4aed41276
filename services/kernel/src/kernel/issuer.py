"""An OpenID provider for one machine: tests and the single-machine federation, never production.

It starts only when settings say so and every listener is a loopback address.
"""

import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kernel.clock import Clock
from kernel.ids import IdSource
from kernel.tokens import encode


class IssuerRefused(RuntimeError):  # noqa: N818
    """The embedded issuer must not run here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered caller of the token endpoint; ``secret`` is SHA-256 in hex of its secret."""

    secret: str = field(repr=False)
    claims: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Issuer:
    """Signs tokens with one ES256 key."""

    url: str
    key: ECKey = field(repr=False)
    clock: Clock
    ids: IdSource
    clients: Mapping[str, Client] = field(default_factory=dict)

    def mint(
        self,
        *,
        subject: str,
        node: str,
        organisation: str = "",
        roles: Sequence[str] = (),
        name: str = "",
        kind: str = "person",
        audience: str = "",
        seconds: int = 3600,
    ) -> str:
        """Return a token; the audience is the node's unless another is named."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.url,
            "aud": audience or f"yiwang:{node}",
            "sub": subject,
            "name": name or subject,
            "org": organisation,
            "node": node,
            "roles": sorted(roles),
            "kind": kind,
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "jti": str(self.ids.uuid7()),
        }
        return encode(claims, self.key, algorithm="ES256")

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JWK set."""
        public = self.key.as_dict(private=False)
        return {"keys": [{**public, "use": "sig", "alg": "ES256"}]}


def make_key(path: Path, *, key_id: str) -> ECKey:
    """Make a signing key and write it (mode 0600); never over an existing one."""
    key = ECKey.generate_key("P-256", {"kid": key_id})
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(orjson.dumps(key.as_dict(private=True)))
    return key


def load_key(path: Path) -> ECKey:
    """Read a key written by ``make_key``."""
    return ECKey.import_key(orjson.loads(path.read_bytes()))


def issuer_app(issuer: Issuer, *, listeners: Sequence[str], allowed: bool) -> Starlette:
    """Make the issuer's application; raises ``IssuerRefused`` off loopback or unasked.

    ``listeners`` are the hosts of every socket of this process's node.
    """
    if not allowed:
        raise IssuerRefused("settings do not allow the embedded issuer")
    if not listeners or not all(is_loopback(host) for host in listeners):
        raise IssuerRefused("the embedded issuer runs only when every listener is loopback")

    async def discovery(_: Request) -> Response:
        return JSONResponse(
            {
                "issuer": issuer.url,
                "jwks_uri": f"{issuer.url}/jwks",
                "token_endpoint": f"{issuer.url}/token",
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        )

    async def keys(_: Request) -> Response:
        return JSONResponse(issuer.jwks())

    async def token(request: Request) -> Response:
        async with request.form() as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return _token_answer(issuer, fields)

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", keys),
            Route("/token", token, methods=["POST"]),
        ]
    )


def _token_answer(issuer: Issuer, fields: Mapping[str, str]) -> Response:
    if fields.get("grant_type") != "client_credentials":
        return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
    client = issuer.clients.get(fields.get("client_id", ""))
    given = sha256(fields.get("client_secret", "").encode()).hexdigest()
    if client is None or not hmac.compare_digest(given, client.secret):
        return JSONResponse({"error": "invalid_client"}, status_code=401)
    seconds = 3600
    minted = issuer.mint(**client.claims, seconds=seconds)
    return JSONResponse(
        {"access_token": minted, "token_type": "Bearer", "expires_in": seconds},
        headers={"Cache-Control": "no-store"},
    )


def is_loopback(host: str) -> bool:
    """Tell whether a listener's host is loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
