"""Public keys of using systems (JWK), and the tokens that they sign."""

from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicNumbers,
)

from contracts.encoding import from_base64url

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
_COORDINATE = 32


class KeyInvalidError(ValueError):
    """Not a public JWK on P-256 or Ed25519; the message holds nothing of the key."""


def check_public_jwk(text: str) -> dict[str, str]:
    """Return a public JWK reduced to what identifies it (kty, crv, x, y).

    Raises ``KeyInvalidError``, also when the private part was sent along.
    """
    try:
        key = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise KeyInvalidError("not JSON") from None
    if not isinstance(key, dict) or _PRIVATE & key.keys():
        raise KeyInvalidError("not a public key")
    if key.get("kty") == "OKP" and key.get("crv") == "Ed25519":
        _coordinate(key.get("x"))
        return {"kty": "OKP", "crv": "Ed25519", "x": key["x"]}
    if key.get("kty") == "EC" and key.get("crv") == "P-256":
        _on_curve(_coordinate(key.get("x")), _coordinate(key.get("y")))
        return {"kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"]}
    raise KeyInvalidError("unsupported key")


def _coordinate(value: Any) -> bytes:
    try:
        raw = from_base64url(value)
    except (ValueError, AttributeError):
        raise KeyInvalidError("not base64url") from None
    if len(raw) != _COORDINATE:
        raise KeyInvalidError("wrong length")
    return raw


def _on_curve(x: bytes, y: bytes) -> None:
    numbers = EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1()
    )
    try:
        numbers.public_key()
    except ValueError:
        raise KeyInvalidError("not on the curve") from None
