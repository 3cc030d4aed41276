"""Signatures of nodes: one algorithm suite behind a port, a node's key, and everybody's public keys.

Only the worker reads a private key, and only here; it is never logged or shown.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contracts.encoding import from_base64url, to_base64url
from contracts.envelope import Signature, root_bytes
from contracts.stream import merkle_paths, root_of_path
from kernel.registry import Registry

_KNOWN_ROOTS = 4096


class SigningError(ValueError):
    """A key file is unusable; the text names no secret."""


class Suite(Protocol):
    """A signature algorithm on raw keys; SM2 is a profile of the same shape."""

    algorithm: str

    def generate(self) -> bytes:
        """Return a new private key."""
        ...

    def public_of(self, private: bytes) -> bytes:
        """Return the public half."""
        ...

    def sign(self, private: bytes, data: bytes) -> bytes:
        """Return the signature of ``data``."""
        ...

    def verify(self, public: bytes, signature: bytes, data: bytes) -> bool:
        """Tell whether the signature holds."""
        ...


class Ed25519Suite:
    """Ed25519 (RFC 8032)."""

    algorithm = "Ed25519"

    def generate(self) -> bytes:
        return Ed25519PrivateKey.generate().private_bytes_raw()

    def public_of(self, private: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()

    def sign(self, private: bytes, data: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(private).sign(data)

    def verify(self, public: bytes, signature: bytes, data: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


SUITES: Mapping[str, Suite] = {suite.algorithm: suite for suite in (Ed25519Suite(),)}


@dataclass(frozen=True, slots=True)
class NodeKey:
    """A node's private signing key; its text form never shows the secret."""

    id: str
    suite: Suite
    private: bytes = field(repr=False)

    @classmethod
    def generate(cls, key_id: str, algorithm: str = "Ed25519") -> "NodeKey":
        """Make a new key."""
        suite = SUITES[algorithm]
        return cls(key_id, suite, suite.generate())

    @classmethod
    def load(cls, path: Path) -> "NodeKey":
        """Read a key file (JSON: id, algorithm, private in base64url); raises ``SigningError``."""
        try:
            document = orjson.loads(path.read_bytes())
            suite = SUITES[document["algorithm"]]
            return cls(document["id"], suite, from_base64url(document["private"]))
        except OSError as error:
            raise SigningError(f"the key file cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise SigningError("the key file is not a key of a known algorithm") from None

    def save(self, path: Path) -> None:
        """Write the key file, readable by its owner only; never over an existing one."""
        document = {
            "id": self.id,
            "algorithm": self.suite.algorithm,
            "private": to_base64url(self.private),
        }
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(orjson.dumps(document))

    def public(self) -> str:
        """Return the public key as the registry writes it."""
        return to_base64url(self.suite.public_of(self.private))

    def sign(self, data: bytes) -> bytes:
        return self.suite.sign(self.private, data)


class Signer(Protocol):
    """Signs a published batch once."""

    key_id: str

    def sign_batch(self, leaves: Sequence[bytes]) -> list[Signature]:
        """Return the root's signature with each leaf's path."""
        ...


class BatchSigner:
    """Signs the Merkle root of a batch with a node's key (protocol §2)."""

    def __init__(self, key: NodeKey) -> None:
        self._key = key
        self.key_id = key.id

    def sign_batch(self, leaves: Sequence[bytes]) -> list[Signature]:
        root, paths = merkle_paths(leaves)
        size = len(leaves)
        signature = self._key.sign(root_bytes(size, root))
        return [Signature(size, index, signature, path) for index, path in enumerate(paths)]


class Trust(StrEnum):
    """What a signature is worth."""

    VALID = "valid"
    UNKNOWN_KEY = "unknown_key"
    WRONG_NODE = "key_of_another_node"
    NOT_IN_FORCE = "key_not_in_force"
    REVOKED = "key_revoked"
    FORGED = "signature_invalid"


class Keyring:
    """The public keys of the registry; verifies each root once."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._roots: OrderedDict[tuple[str, int, bytes, bytes], bool] = OrderedDict()

    def check_key(self, key_id: str, node: str, time: str) -> Trust:
        """Tell whether this key may have signed for ``node`` at ``time`` (RFC 3339)."""
        found = self.registry.key(key_id)
        if found is None:
            return Trust.UNKNOWN_KEY
        owner, key = found
        if owner.node != node or key.purpose != "sign" or key.algorithm not in SUITES:
            return Trust.WRONG_NODE
        if key.state == "revoked":
            return Trust.REVOKED
        if key.valid_from or key.valid_to:
            try:
                at = datetime.fromisoformat(time)
            except ValueError:
                return Trust.NOT_IN_FORCE
            if (key.valid_from and at < key.valid_from) or (key.valid_to and at > key.valid_to):
                return Trust.NOT_IN_FORCE
        return Trust.VALID

    def verify(
        self, signature: Signature, leaf: bytes, *, key_id: str, node: str, time: str
    ) -> Trust:
        """Verify that ``leaf`` stands in a batch that ``node`` has signed."""
        trust = self.check_key(key_id, node, time)
        if trust is not Trust.VALID:
            return trust
        root = root_of_path(leaf, signature.position, signature.size, signature.path)
        if root is None:
            return Trust.FORGED
        good = self._root_is_signed(key_id, signature.size, root, signature.signature)
        return Trust.VALID if good else Trust.FORGED

    def _root_is_signed(self, key_id: str, size: int, root: bytes, signature: bytes) -> bool:
        mark = (key_id, size, root, signature)
        known = self._roots.get(mark)
        if known is None:
            known = self.verify_bytes(key_id, signature, root_bytes(size, root))
            self._roots[mark] = known
            if len(self._roots) > _KNOWN_ROOTS:
                self._roots.popitem(last=False)
        return known

    def verify_bytes(self, key_id: str, signature: bytes, data: bytes) -> bool:
        """Verify a signature over ``data`` itself (documents, sealed audit batches)."""
        found = self.registry.key(key_id)
        if found is None or found[1].state == "revoked" or found[1].algorithm not in SUITES:
            return False
        return SUITES[found[1].algorithm].verify(from_base64url(found[1].public), signature, data)
