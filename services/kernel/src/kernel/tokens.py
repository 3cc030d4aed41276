"""Signed tokens (JWT): decoding with an allow-list, and what each failure is called."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from kernel.problems import TokenExpired, TokenForeign, TokenInvalid, TokenNotYetValid

MAX_TOKEN = 8192
NOT_BEFORE_LEEWAY = 5
SigningKey = RSAKey | ECKey | OKPKey
_KIND_OF = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}


def import_keys(document: Mapping[str, Any]) -> KeySet:
    """Read a JWK set; raises ``ValueError`` when it is none or holds a private or shared key."""
    keys = document.get("keys")
    if not isinstance(keys, list) or any("d" in key or key.get("kty") == "oct" for key in keys):
        raise ValueError("a JWK set of public keys is needed")
    try:
        return KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, KeyError, TypeError):
        raise ValueError("the JWK set cannot be read") from None


def decode(token: str, keys: KeySet, *, algorithms: Sequence[str]) -> dict[str, Any]:
    """Verify a token's signature and return its claims.

    Only ``algorithms`` are accepted (never ``none`` nor a shared secret), and only with a key of
    their own kind. Raises ``TokenInvalid``.
    """
    if len(token) > MAX_TOKEN:
        raise TokenInvalid
    accepted = [*algorithms, "Ed25519"] if "EdDSA" in algorithms else list(algorithms)
    try:
        with warnings.catch_warnings():
            # RFC 9864 renames EdDSA to Ed25519; issuers in the field still write EdDSA
            warnings.simplefilter("ignore", SecurityWarning)
            decoded = jwt.decode(token, keys, algorithms=accepted)
    except (JoseError, BadSignatureError, ValueError, KeyError, TypeError):
        raise TokenInvalid from None
    return decoded.claims


def check_claims(claims: Mapping[str, Any], *, issuer: str, audience: str, now: float) -> None:
    """Check who made the token for whom, and when it holds (``now`` in seconds since 1970).

    The audience is exactly ours: a token for two nodes could be replayed by one at the other.
    """
    expires, begins = _number(claims.get("exp")), _number(claims.get("nbf", claims.get("iat", 0)))
    stated = claims.get("aud")
    if claims.get("iss") != issuer or stated not in (audience, [audience]):
        raise TokenForeign
    if now >= expires:
        raise TokenExpired
    if now < begins - NOT_BEFORE_LEEWAY:
        raise TokenNotYetValid


def encode(claims: Mapping[str, Any], key: SigningKey, *, algorithm: str) -> str:
    """Sign claims; the header names the key's id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        header = {"alg": algorithm, "typ": "JWT", "kid": key.kid or ""}
        return jwt.encode(header, dict(claims), key, algorithms=[algorithm])


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TokenInvalid
    return value
