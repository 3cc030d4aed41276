"""The bytes that a signature covers, and the form of a signature (protocol §2)."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from contracts.stream import leaf_hash

MAGIC = b"yiwang-event-1"
_ROOT_MAGIC = b"yiwang-root-1"
REQUIRED = frozenset({"caseversion", "dataschema", "epoch", "id", "keyid", "sequence"}) | {
    "source",
    "specversion",
    "subject",
    "time",
    "type",
}
ATTRIBUTES = REQUIRED | {"previousepoch", "previouslast", "signature"}


class EnvelopeError(ValueError):
    """The record is no envelope of ours; ``reason`` is a code, never a value of the record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signature(NamedTuple):
    """A root's signature and the path of one event to that root."""

    size: int
    position: int
    signature: bytes
    path: bytes

    def text(self) -> str:
        return f"{self.size}.{self.position}.{self.signature.hex()}.{self.path.hex()}"

    @staticmethod
    def parse(text: str) -> "Signature":
        """Read what :meth:`text` wrote; raises ``EnvelopeError``."""
        try:
            size, position, signature, path = text.split(".")
            return Signature(
                int(size), int(position), bytes.fromhex(signature), bytes.fromhex(path)
            )
        except ValueError:
            raise EnvelopeError("signature_form") from None


_LENGTHS = [length.to_bytes(4, "big") for length in range(512)]


def _length(data: bytes) -> bytes:
    size = len(data)
    return _LENGTHS[size] if size < 512 else size.to_bytes(4, "big")  # noqa: PLR2004


def _name(attribute: str) -> bytes:
    name = attribute.removeprefix("ce_").encode()
    return _length(name) + name


_NAMES = {f"ce_{name}": _name(name) for name in ATTRIBUTES}


def sign_list(
    attributes: Iterable[tuple[str, bytes]],
    topic: str,
    *,
    partition: int,
    key: bytes,
    epoch: bytes,
    sequence: bytes,
    payload_sha256: bytes,
) -> bytes:
    """Return the bytes that are signed: a list of length-prefixed fields in a fixed order.

    Topic, partition, record key, epoch, sequence, every attribute but the signature as name and
    value in the order of names, then SHA-256 of the payload (protocol §2). ``attributes`` come
    sorted and named as in the record's headers; the ``ce_`` is not signed.
    """
    where, place = topic.encode(), b"%d" % partition
    parts = [MAGIC, _length(where), where, _length(place), place, _length(key), key]
    parts += [_length(epoch), epoch, _length(sequence), sequence]
    for name, value in attributes:
        size = len(value)
        length = _LENGTHS[size] if size < 512 else size.to_bytes(4, "big")  # noqa: PLR2004
        parts += (_NAMES.get(name) or _name(name), length, value)
    parts += (_length(payload_sha256), payload_sha256)
    return b"".join(parts)


def event_leaf(signed: bytes) -> bytes:
    """Return the Merkle leaf of an event's signed bytes."""
    return leaf_hash(signed)


def root_bytes(size: int, root: bytes) -> bytes:
    """Return the bytes that a node's key signs for a batch of ``size`` events."""
    return _ROOT_MAGIC + size.to_bytes(4, "big") + root


def digest(payload: bytes) -> bytes:
    """Return SHA-256 of a payload."""
    return sha256(payload).digest()
