"""The envelope: CloudEvents 1.0 in Kafka's binary mode, and the bytes that its signature covers.

The ``cloudevents`` package is the oracle in the tests; these functions are written for speed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from contracts.stream import Number, StreamKey, leaf_hash

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
VOID_TYPE = "yiwang.bus.void.v1"
"""A number without an event: the broker refused it for good, or its grant ended before."""

_MAGIC = b"yiwang-event-1"
_ROOT_MAGIC = b"yiwang-root-1"
_MAX_HEADERS = 40
_MAX_ATTRIBUTE = 4096


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The attributes of one event; ``time`` is RFC 3339 in UTC, as the sender wrote it.

    ``epoch`` and ``sequence`` place it in its stream; both are empty on the control topic.
    ``case_version`` counts the events of the case. ``extra`` holds attributes of newer senders.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    dataschema: str
    epoch: str
    sequence: int
    case_version: int
    key_id: str
    previous_epoch: str = ""
    previous_last: int = 0
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def number(self) -> Number:
        return Number(self.epoch, self.sequence, self.previous_epoch, self.previous_last)

    @property
    def source_node(self) -> str:
        """The node of ``/nodes/<node>/<service>``, or an empty string."""
        parts = self.source.split("/")
        return parts[2] if len(parts) == 4 and parts[1] == "nodes" and not parts[0] else ""  # noqa: PLR2004

    @property
    def source_service(self) -> str:
        """The service of ``/nodes/<node>/<service>``, or an empty string."""
        return self.source.rpartition("/")[2] if self.source_node else ""

    def stream(self, topic: str, partition: int) -> StreamKey:
        return StreamKey(self.source, topic, partition)

    def attributes(self) -> list[tuple[str, str]]:
        """Return all attributes but the signature, in the order of their names."""
        pairs = [
            ("caseversion", str(self.case_version)),
            ("dataschema", self.dataschema),
            ("epoch", self.epoch),
            ("id", self.id),
            ("keyid", self.key_id),
        ]
        if self.previous_epoch:
            pairs.append(("previousepoch", self.previous_epoch))
            pairs.append(("previouslast", str(self.previous_last)))
        pairs += [
            ("sequence", str(self.sequence)),
            ("source", self.source),
            ("specversion", SPEC_VERSION),
            ("subject", self.subject),
            ("time", self.time),
            ("type", self.type),
        ]
        return sorted([*pairs, *self.extra]) if self.extra else pairs


_REQUIRED = frozenset({"caseversion", "dataschema", "epoch", "id", "keyid", "sequence"}) | {
    "source",
    "specversion",
    "subject",
    "time",
    "type",
}
_KNOWN = _REQUIRED | {"previousepoch", "previouslast", "signature"}


class Signed(NamedTuple):
    """An envelope with where it was signed for, and the digest of its payload."""

    topic: str
    partition: int
    key: str
    envelope: Envelope
    payload_sha256: bytes


def signed_bytes(
    envelope: Envelope, topic: str, *, partition: int, key: str, payload_sha256: bytes
) -> bytes:
    """Return the bytes that are signed: a list of length-prefixed fields in a fixed order.

    Topic, partition, record key, epoch, sequence, every attribute but the signature as name and
    value in the order of names, then SHA-256 of the payload (protocol §2).
    """
    fields: list[bytes] = [
        topic.encode(),
        b"%d" % partition,
        key.encode(),
        envelope.epoch.encode(),
        b"%d" % envelope.sequence,
    ]
    for name, value in envelope.attributes():
        fields.append(name.encode())
        fields.append(value.encode())
    fields.append(payload_sha256)
    parts = [_MAGIC]
    for field in fields:
        parts.append(len(field).to_bytes(4, "big"))
        parts.append(field)
    return b"".join(parts)


def read_signed(data: bytes) -> Signed:
    """Read what :func:`signed_bytes` wrote, for evidence; raises ``EnvelopeError``."""
    if not data.startswith(_MAGIC):
        raise EnvelopeError("signed_form")
    fields, at = [], len(_MAGIC)
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        fields.append(data[at + 4 : end])
        at = end
    if at != len(data) or len(fields) % 2:
        raise EnvelopeError("signed_form")
    names, values = fields[5:-1:2], fields[6:-1:2]
    attributes = {n.decode(): v.decode() for n, v in zip(names, values, strict=True)}
    return Signed(
        fields[0].decode(), int(fields[1]), fields[2].decode(), _build(attributes), fields[-1]
    )


def event_leaf(signed: bytes) -> bytes:
    """Return the Merkle leaf of an event's signed bytes."""
    return leaf_hash(signed)


def root_bytes(size: int, root: bytes) -> bytes:
    """Return the bytes that a node's key signs for a batch of ``size`` events."""
    return _ROOT_MAGIC + size.to_bytes(4, "big") + root


def digest(payload: bytes) -> bytes:
    """Return SHA-256 of a payload."""
    return sha256(payload).digest()


def to_headers(
    envelope: Envelope, signature: Signature, traceparent: str | None = None
) -> list[tuple[str, bytes]]:
    """Return the record headers of an event, binary mode; ``traceparent`` is not signed."""
    headers = [(f"ce_{name}", value.encode()) for name, value in envelope.attributes()]
    headers.append(("ce_signature", signature.text().encode()))
    headers.append(("content-type", CONTENT_TYPE.encode()))
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


class Received(NamedTuple):
    """What a record's headers say."""

    envelope: Envelope
    signature: Signature
    traceparent: str | None


def from_headers(headers: Iterable[tuple[str, bytes]]) -> Received:
    """Read the headers of a record; raises ``EnvelopeError`` with a code as reason."""
    attributes: dict[str, str] = {}
    traceparent: str | None = None
    try:
        for count, (name, raw) in enumerate(headers):
            if count >= _MAX_HEADERS:
                raise EnvelopeError("too_many_headers")
            if name.startswith("ce_"):
                short = name[3:]
                if short in attributes:
                    raise EnvelopeError("repeated_attribute")
                attributes[short] = raw.decode()
            elif name == "traceparent":
                traceparent = raw.decode("ascii")
    except (UnicodeDecodeError, AttributeError):
        raise EnvelopeError("header_form") from None
    text = attributes.pop("signature", None)
    if text is None:
        raise EnvelopeError("unsigned")
    return Received(_build(attributes), Signature.parse(text), traceparent)


def _build(attributes: Mapping[str, str]) -> Envelope:
    if not attributes.keys() >= _REQUIRED:
        raise EnvelopeError("missing_attribute")
    if attributes["specversion"] != SPEC_VERSION:
        raise EnvelopeError("specversion")
    if any(len(value) > _MAX_ATTRIBUTE for value in attributes.values()):
        raise EnvelopeError("attribute_size")
    try:
        return Envelope(
            id=attributes["id"],
            source=attributes["source"],
            type=attributes["type"],
            subject=attributes["subject"],
            time=attributes["time"],
            dataschema=attributes["dataschema"],
            epoch=attributes["epoch"],
            sequence=_count(attributes["sequence"]),
            case_version=_count(attributes["caseversion"]),
            key_id=attributes["keyid"],
            previous_epoch=attributes.get("previousepoch", ""),
            previous_last=_count(attributes.get("previouslast", "0")),
            extra=tuple(sorted((n, v) for n, v in attributes.items() if n not in _KNOWN)),
        )
    except ValueError:
        raise EnvelopeError("attribute_form") from None


def _count(text: str) -> int:
    # canonical form only: "01" or "+1" would be signed as one text and read as another
    value = int(text)
    if str(value) != text or value < 0:
        raise ValueError("not a canonical number")
    return value
