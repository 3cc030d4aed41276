"""The token of a delivery call: signed by the using system's own key, for one grant, for minutes.

Its issuer is the using system, its subject the grant, its audience this node; its ``jti`` is good
for one call (protocol §10.2).
"""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey

from kernel.problems import TokenInvalid, Unauthenticated
from kernel.tokens import check_claims, decode
from sharing.delivery.errors import TokenTooLong
from sharing.grants.domain import Grant
from sharing.keys import KeyInvalidError, check_public_jwk

_MAX_JTI = 200
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallToken:
    """A verified token; ``digest`` stands for its ``jti``."""

    digest: str
    expires_at: datetime


def bearer_of(authorization: str | None) -> str:
    """Return the token of an ``Authorization`` header; raises ``Unauthenticated``."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise Unauthenticated
    return token.strip()


def verify(token: str, grant: Grant, *, node: str, now: datetime, longest: int) -> CallToken:
    """Return the token when this grant's using system has signed it for this call.

    Raises ``TokenInvalid``, ``TokenForeign``, ``TokenExpired``, ``TokenNotYetValid`` or
    ``TokenTooLong`` (``longest`` in seconds).
    """
    key, algorithm = _key_of(grant)
    claims = decode(token, key, algorithms=[algorithm])
    seconds = now.timestamp()
    check_claims(claims, issuer=grant.system_id, audience=f"yiwang:{node}", now=seconds)
    jti = claims.get("jti")
    if claims.get("sub") != grant.grant_id or not isinstance(jti, str):
        raise TokenInvalid
    if not 0 < len(jti) <= _MAX_JTI:
        raise TokenInvalid
    if claims["exp"] > seconds + longest:
        raise TokenTooLong(limit=longest)
    return CallToken(
        digest=sha256(jti.encode("utf-8", "surrogatepass")).hexdigest(),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def _key_of(grant: Grant) -> tuple[KeySet, str]:
    """Return the grant's key and the one algorithm that fits it."""
    try:
        document: dict[str, Any] = dict(check_public_jwk(grant.public_jwk))
    except KeyInvalidError:
        raise TokenInvalid from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        key = ECKey if document["kty"] == "EC" else OKPKey
        # the set is of one key; whatever ``kid`` the system writes, it is this key that must fit
        return _OneKey([key.import_key(document)]), "ES256" if key is ECKey else "EdDSA"


class _OneKey(KeySet):
    """A key set that answers every key id with its one key."""

    def get_by_kid(self, kid: str | None = None, parameters: Any = None) -> Any:  # noqa: ARG002
        """Return the key."""
        return self.keys[0]
