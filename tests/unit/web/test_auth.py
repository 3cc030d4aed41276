"""Tokens that hold, and every way in which one does not."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from kernel.auth import CACHE_SIZE, TokenVerifier
from kernel.ids import Uuid7Source
from kernel.issuer import Issuer
from kernel.problems import (
    TokenExpired,
    TokenForeign,
    TokenInvalid,
    TokenNotYetValid,
    Unauthenticated,
    Unavailable,
)
from kernel.settings import ServiceSettings
from kernel.tokens import encode, import_keys
from tests.support.http import ISSUER, SteadyClock


class Provider:
    """An identity provider whose published keys a test changes."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.reads = 0
        self.away = False

    async def read(self) -> KeySet:
        self.reads += 1
        if self.away:
            raise Unavailable
        return import_keys({"keys": [key.as_dict(private=False) for key in self.keys]})


def settings(**more: Any) -> ServiceSettings:
    given: dict[str, Any] = {
        "node": "441521",
        "service": "sample",
        "database_url": "postgresql+asyncpg://x",
        "registry_file": Path("r"),
        "objects_dir": Path("o"),
        "issuer": ISSUER,
    }
    return ServiceSettings(**{**given, **more})


class World:
    def __init__(self) -> None:
        self.clock = SteadyClock()
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.provider = Provider(self.key)
        self.verifier = TokenVerifier(settings(), clock=self.clock, read_keys=self.provider.read)
        self.issuer = Issuer(
            url=ISSUER, key=self.key, clock=self.clock, ids=Uuid7Source(self.clock)
        )

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        given = {
            "iss": ISSUER,
            "aud": "yiwang:441521",
            "sub": "p1",
            "org": "org-1",
            "node": "441521",
            "roles": ["auditor"],
            "exp": now + 600,
        }
        return {**given, **more}

    def signed(self, key: Any = None, algorithm: str = "ES256", **more: Any) -> str:
        claims = {name: value for name, value in self.claims(**more).items() if value is not None}
        return encode(claims, key or self.key, algorithm=algorithm)

    async def check(self, token: str) -> Any:
        return await self.verifier.authenticate(f"Bearer {token}")


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_of_the_issuer_tells_who_calls(world: World) -> None:
    token = world.issuer.mint(
        subject="p1", node="441521", organisation="org-1", roles=["auditor"], name="甲"
    )
    principal = await world.check(token)
    assert (principal.subject, principal.organisation, principal.node) == ("p1", "org-1", "441521")
    assert principal.roles == {"auditor"}
    assert principal.token_id


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS256", lambda: RSAKey.generate_key(2048, {"kid": "r"})),
        ("ES256", lambda: ECKey.generate_key("P-256", {"kid": "e"})),
        ("EdDSA", lambda: OKPKey.generate_key("Ed25519", {"kid": "o"})),
    ],
)
async def test_the_three_algorithms_of_the_list_are_accepted(
    world: World, algorithm: str, make: Any
) -> None:
    key = make()
    world.provider.keys = [key]
    assert (await world.check(world.signed(key, algorithm))).subject == "p1"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (None, Unauthenticated),
        ("", Unauthenticated),
        ("Basic dTpw", TokenInvalid),
        ("Bearer", TokenInvalid),
        ("Bearer x", TokenInvalid),
        ("Bearer a.b.c", TokenInvalid),
        ("Bearer " + "x" * 9000, TokenInvalid),
        ("Bearer é.é.é", TokenInvalid),
    ],
)
async def test_a_header_without_a_readable_token_is_refused(
    world: World, header: str | None, problem: type[Exception]
) -> None:
    with pytest.raises(problem) as refused:
        await world.verifier.authenticate(header)
    assert type(refused.value) is problem


def unsigned(claims: dict[str, Any]) -> str:
    parts = [orjson.dumps({"alg": "none", "typ": "JWT"}), orjson.dumps(claims), b""]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_an_unsigned_token_is_refused(world: World) -> None:
    with pytest.raises(TokenInvalid):
        await world.check(unsigned(world.claims()))


async def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(
    world: World,
) -> None:
    public = orjson.dumps(world.key.as_dict(private=False))
    forged = jwt.encode({"alg": "HS256", "kid": "one"}, world.claims(), OctKey.import_key(public))
    with pytest.raises(TokenInvalid):
        await world.check(forged)


async def test_a_token_signed_again_by_somebody_else_is_refused(world: World) -> None:
    with pytest.raises(TokenInvalid):
        await world.check(world.signed(ECKey.generate_key("P-256", {"kid": "one"})))


async def test_a_changed_claim_breaks_the_signature(world: World) -> None:
    head, _, signature = world.signed().split(".")
    claims = orjson.dumps(world.claims(roles=["node_operator"]))
    body = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    with pytest.raises(TokenInvalid):
        await world.check(f"{head}.{body}.{signature}")


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"exp": 1}, TokenExpired),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_100}, TokenNotYetValid),
        ({"iss": "http://other"}, TokenForeign),
        ({"aud": "yiwang:441581"}, TokenForeign),
        ({"aud": ["yiwang:441521", "yiwang:441581"]}, TokenForeign),
        ({"aud": None}, TokenForeign),
        ({"node": "441581"}, TokenForeign),
        ({"exp": None}, TokenInvalid),
        ({"exp": "soon"}, TokenInvalid),
        ({"exp": True}, TokenInvalid),
        ({"sub": None}, TokenInvalid),
        ({"sub": {"a": 1}}, TokenInvalid),
        ({"roles": "auditor"}, TokenInvalid),
        ({"roles": [1]}, TokenInvalid),
        ({"kind": "god"}, TokenInvalid),
    ],
)
async def test_claims_that_do_not_fit_are_refused_by_name(
    world: World, claims: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem) as refused:
        await world.check(world.signed(**claims))
    assert type(refused.value) is problem


async def test_a_list_with_the_one_audience_is_as_good_as_the_audience(world: World) -> None:
    assert (await world.check(world.signed(aud=["yiwang:441521"]))).subject == "p1"


async def test_a_remembered_token_ends_with_its_own_end(world: World) -> None:
    token = world.signed(exp=int(world.clock.now().timestamp()) + 20)
    await world.check(token)
    world.clock.advance(seconds=19)
    await world.check(token)
    world.clock.advance(seconds=1)
    with pytest.raises(TokenExpired):
        await world.check(token)


async def test_a_token_is_verified_again_after_a_minute(world: World) -> None:
    token = world.signed()
    await world.check(token)
    world.provider.keys = [ECKey.generate_key("P-256", {"kid": "two"})]
    world.clock.advance(seconds=59)
    await world.check(token)
    world.clock.advance(minutes=5)
    with pytest.raises(TokenInvalid):
        await world.check(token)


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_first_met(world: World) -> None:
    await world.check(world.signed())
    fresh = ECKey.generate_key("P-256", {"kid": "two"})
    world.provider.keys = [world.key, fresh]
    world.clock.advance(seconds=6)
    assert (await world.check(world.signed(fresh))).subject == "p1"


async def test_unknown_keys_do_not_make_us_ask_the_provider_every_time(world: World) -> None:
    await world.check(world.signed())
    stranger = ECKey.generate_key("P-256", {"kid": "three"})
    for _ in range(20):
        with pytest.raises(TokenInvalid):
            await world.check(world.signed(stranger))
    assert world.provider.reads == 1


async def test_known_keys_go_on_serving_while_the_provider_is_away(world: World) -> None:
    await world.check(world.signed())
    world.provider.away = True
    world.clock.instant += timedelta(minutes=6)
    assert (await world.check(world.signed())).subject == "p1"


async def test_without_any_key_yet_the_service_says_unavailable_and_not_forbidden(
    world: World,
) -> None:
    world.provider.away = True
    with pytest.raises(Unavailable):
        await world.check(world.signed())


async def test_the_memory_of_tokens_is_bounded(world: World) -> None:
    for number in range(30):
        await world.check(world.signed(jti=str(number)))
    assert len(world.verifier._known) == 30 <= CACHE_SIZE


def test_a_key_set_with_a_private_or_shared_key_is_refused() -> None:
    key = ECKey.generate_key("P-256", {"kid": "x"})
    for entry in (key.as_dict(private=True), {"kty": "oct", "k": "c2VjcmV0"}):
        with pytest.raises(ValueError, match="public"):
            import_keys({"keys": [entry]})
