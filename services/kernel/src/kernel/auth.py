"""Bearer tokens of the configured OpenID provider, verified and remembered for a minute."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import orjson
from joserfc.jwk import KeySet

from kernel.clock import Clock
from kernel.http import HttpClient, HttpUnreachable
from kernel.principal import Principal
from kernel.problems import TokenForeign, TokenInvalid, Unauthenticated, Unavailable
from kernel.settings import ServiceSettings
from kernel.tokens import check_claims, decode, import_keys

CACHE_SIZE = 4096
KEYS_LIFE = 300.0
KEYS_RETRY = 5.0
KINDS = ("person", "system", "service")


def file_keys(settings: ServiceSettings) -> Callable[[], Awaitable[KeySet]]:
    """Read the JWK set from the file that settings name."""

    async def read() -> KeySet:
        path = settings.jwks_file
        try:
            if path is None:
                raise Unavailable
            content = await asyncio.to_thread(path.read_bytes)
            return import_keys(orjson.loads(content))
        except (OSError, ValueError):
            raise Unavailable from None

    return read


def http_keys(settings: ServiceSettings, http: HttpClient) -> Callable[[], Awaitable[KeySet]]:
    """Fetch the JWK set from the address that settings name."""

    async def read() -> KeySet:
        try:
            answer = await http.request("GET", settings.jwks_url, timeout=5.0)
            if answer.status != 200:  # noqa: PLR2004
                raise Unavailable
            return import_keys(answer.json())
        except (HttpUnreachable, ValueError):
            raise Unavailable from None

    return read


class TokenVerifier:
    """Turns an ``Authorization`` header into a ``Principal``.

    A verified token is remembered by its hash for at most ``token_cache_seconds`` and never past
    its own end; the keys are read again after five minutes or when a token's key is not known,
    but not more often than every five seconds.
    """

    def __init__(
        self, settings: ServiceSettings, *, clock: Clock, read_keys: Callable[[], Awaitable[KeySet]]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._read_keys = read_keys
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def authenticate(self, authorization: str | None) -> Principal:
        """Return the caller; raises ``Unauthenticated`` or one of its kinds, or ``Unavailable``."""
        if not authorization:
            raise Unauthenticated
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid
        mark = sha256(token.encode("utf-8", "surrogateescape")).digest()
        now = self._clock.now().timestamp()
        known = self._known.get(mark)
        if known is not None:
            if now < known[1]:
                return known[0]
            del self._known[mark]
        claims = await self._verify(token.strip(), now)
        principal = principal_of(claims, self._settings)
        self._remember(
            mark, principal, min(claims["exp"], now + self._settings.token_cache_seconds)
        )
        return principal

    async def _verify(self, token: str, now: float) -> dict[str, Any]:
        algorithms = self._settings.token_algorithms
        keys = await self._current_keys(now, fresh=False)
        try:
            claims = decode(token, keys, algorithms=algorithms)
        except TokenInvalid:
            keys = await self._current_keys(now, fresh=True)
            claims = decode(token, keys, algorithms=algorithms)
        check_claims(
            claims,
            issuer=self._settings.issuer,
            audience=self._settings.effective_audience,
            now=now,
        )
        return claims

    async def _current_keys(self, now: float, *, fresh: bool) -> KeySet:
        age = now - self._keys_at
        if self._keys is None or age > KEYS_LIFE or (fresh and age > KEYS_RETRY):
            try:
                self._keys = await self._read_keys()
                self._keys_at = now
            except Unavailable:
                # known keys go on serving while the provider is away
                if self._keys is None:
                    raise
        return self._keys

    def _remember(self, mark: bytes, principal: Principal, until: float) -> None:
        self._known[mark] = (principal, until)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)


def principal_of(claims: dict[str, Any], settings: ServiceSettings) -> Principal:
    """Read the caller from verified claims: ``sub name org node roles kind jti``."""
    texts = {name: claims.get(name, "") for name in ("sub", "name", "org", "node", "jti")}
    roles, kind = claims.get("roles", []), claims.get("kind", "person")
    well_formed = (
        all(isinstance(value, str) and len(value) <= 200 for value in texts.values())  # noqa: PLR2004
        and isinstance(roles, list)
        and all(isinstance(role, str) for role in roles)
        and kind in KINDS
        and texts["sub"]
    )
    if not well_formed:
        raise TokenInvalid
    if texts["node"] != settings.node:
        raise TokenForeign
    return Principal(
        subject=texts["sub"],
        name=texts["name"],
        organisation=texts["org"],
        node=texts["node"],
        roles=frozenset(roles),
        kind=kind,
        token_id=texts["jti"],
    )
