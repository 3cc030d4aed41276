"""A using system (使用系统): its key, and the short-lived tokens that prove its calls."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from kernel.clock import Clock, SystemClock
from kernel.ids import IdSource, Uuid7Source

LIFE = 120  # seconds; the delivery API takes at most five minutes


@dataclass(frozen=True, slots=True)
class UsingSystem:
    """A system of a requesting agency; the platform only ever sees its public key."""

    system_id: str
    name: str
    key: ECKey = field(repr=False)

    def as_submitted(self) -> dict[str, Any]:
        """Return what a request says about the system."""
        public = self.key.as_dict(private=False)
        shown = {name: public[name] for name in ("kty", "crv", "x", "y")}
        return {"system_id": self.system_id, "name": self.name, "public_jwk": shown}

    def grant_token(
        self,
        grant_id: str,
        source_node: str,
        *,
        clock: Clock | None = None,
        ids: IdSource | None = None,
    ) -> str:
        """Return a token for one call with a grant, for the source's node only."""
        now = int((clock or SystemClock()).now().timestamp())
        claims = {
            "iss": self.system_id,
            "sub": grant_id,
            "aud": f"yiwang:{source_node}",
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "jti": str((ids or Uuid7Source()).uuid7()),
        }
        return str(jwt.encode({"alg": "ES256"}, claims, self.key, algorithms=["ES256"]))


def make(system_id: str, name: str) -> UsingSystem:
    """Make a system with a new key."""
    return UsingSystem(system_id, name, ECKey.generate_key("P-256"))


def load_or_make(path: Path, *, system_id: str) -> UsingSystem:
    """Read a system from its key file, or make one and write the file (mode 0600)."""
    if path.exists():
        document = orjson.loads(path.read_bytes())
        key = ECKey.import_key(document["key"])
        return UsingSystem(document["system_id"], document["name"], key)
    system = make(system_id, f"{system_id} (command line)")
    path.touch(mode=0o600)
    document = {
        "system_id": system.system_id,
        "name": system.name,
        "key": system.key.as_dict(private=True),
    }
    path.write_bytes(orjson.dumps(document))
    return system
