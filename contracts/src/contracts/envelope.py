"""The envelope: CloudEvents 1.0 in Kafka's binary mode, and the bytes that its signature covers.

The ``cloudevents`` package is the oracle in the tests; these functions are written for speed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from contracts.signed import (
    ATTRIBUTES,
    MAGIC,
    REQUIRED,
    EnvelopeError,
    Signature,
    digest,
    event_leaf,
    root_bytes,
    sign_list,
)
from contracts.stream import Number, StreamKey

__all__ = [
    "CONTENT_TYPE",
    "SPEC_VERSION",
    "VOID_TYPE",
    "Envelope",
    "EnvelopeError",
    "Received",
    "Signature",
    "Signed",
    "digest",
    "encoded_attributes",
    "event_leaf",
    "from_record",
    "read_signed",
    "root_bytes",
    "sign_list",
    "signed_bytes",
    "to_headers",
]

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
VOID_TYPE = "yiwang.bus.void.v1"
"""A number without an event: the broker refused it for good, or its grant ended before."""

_MAX_HEADERS = 40
_MAX_ATTRIBUTE = 4096


@lru_cache(maxsize=4096)
def _source_parts(source: str) -> tuple[str, str]:
    root, nodes, node, service = (*source.split("/"), "", "", "")[:4]
    valid = not root and nodes == "nodes" and source.count("/") == 3  # noqa: PLR2004
    return (node, service) if valid else ("", "")


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
        return _source_parts(self.source)[0]

    @property
    def source_service(self) -> str:
        """The service of ``/nodes/<node>/<service>``, or an empty string."""
        return _source_parts(self.source)[1]

    def stream(self, topic: str, partition: int) -> StreamKey:
        return StreamKey(self.source, topic, partition)


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
    """Return the signed bytes of an envelope; see :func:`sign_list`."""
    return sign_list(
        encoded_attributes(envelope),
        topic,
        partition=partition,
        key=key.encode(),
        epoch=envelope.epoch.encode(),
        sequence=b"%d" % envelope.sequence,
        payload_sha256=payload_sha256,
    )


def encoded_attributes(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Return the headers of all attributes but the signature, in the order of their names."""
    pairs = [
        ("ce_caseversion", b"%d" % envelope.case_version),
        ("ce_dataschema", envelope.dataschema.encode()),
        ("ce_epoch", envelope.epoch.encode()),
        ("ce_id", envelope.id.encode()),
        ("ce_keyid", envelope.key_id.encode()),
        ("ce_sequence", b"%d" % envelope.sequence),
        ("ce_source", envelope.source.encode()),
        _SPEC_VERSION,
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", envelope.time.encode()),
        ("ce_type", envelope.type.encode()),
    ]
    if envelope.previous_epoch:
        pairs[5:5] = [
            ("ce_previousepoch", envelope.previous_epoch.encode()),
            ("ce_previouslast", b"%d" % envelope.previous_last),
        ]
    if envelope.extra:
        pairs += [(f"ce_{name}", value.encode()) for name, value in envelope.extra]
        pairs.sort()
    return pairs


def read_signed(data: bytes) -> Signed:
    """Read what :func:`signed_bytes` wrote, for evidence; raises ``EnvelopeError``."""
    if not data.startswith(MAGIC):
        raise EnvelopeError("signed_form")
    fields, at = [], len(MAGIC)
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


_SPEC_VERSION = ("ce_specversion", SPEC_VERSION.encode())
_CONTENT_TYPE = ("content-type", CONTENT_TYPE.encode())


def to_headers(
    attributes: Iterable[tuple[str, bytes]], signature: Signature, traceparent: str | None = None
) -> list[tuple[str, bytes]]:
    """Return the record headers of an event, binary mode; ``traceparent`` is not signed.

    ``attributes`` are those of :func:`encoded_attributes`.
    """
    headers = [*attributes, ("ce_signature", signature.text().encode()), _CONTENT_TYPE]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


class Received(NamedTuple):
    """What a record's headers say; ``signed`` are the bytes that the signature must cover."""

    envelope: Envelope
    signature: Signature
    signature_text: str
    traceparent: str | None
    signed: bytes


def from_record(
    headers: Iterable[tuple[str, bytes]], topic: str, *, partition: int, key: bytes, value: bytes
) -> Received:
    """Read a record; raises ``EnvelopeError`` with a code as reason.

    The signed bytes are made of the header bytes as they came, so an attribute that this version
    does not know is covered like every other.
    """
    raw: dict[str, bytes] = {}
    traceparent: str | None = None
    try:
        for count, (name, content) in enumerate(headers):
            if count >= _MAX_HEADERS:
                raise EnvelopeError("too_many_headers")
            if name.startswith("ce_"):
                if raw.setdefault(name, content) is not content:
                    raise EnvelopeError("repeated_attribute")
            elif name == "traceparent":
                traceparent = content.decode("ascii")
        text = raw.pop("ce_signature").decode("ascii")
        attributes = {name[3:]: content.decode() for name, content in raw.items()}
    except KeyError:
        raise EnvelopeError("unsigned") from None
    except (UnicodeDecodeError, AttributeError):
        raise EnvelopeError("header_form") from None
    envelope = _build(attributes)
    signed = sign_list(
        sorted(raw.items()),
        topic,
        partition=partition,
        key=key,
        epoch=raw["ce_epoch"],
        sequence=raw["ce_sequence"],
        payload_sha256=digest(value),
    )
    return Received(envelope, Signature.parse(text), text, traceparent, signed)


def _build(attributes: Mapping[str, str]) -> Envelope:
    if not attributes.keys() >= REQUIRED:
        raise EnvelopeError("missing_attribute")
    if attributes["specversion"] != SPEC_VERSION:
        raise EnvelopeError("specversion")
    if max(map(len, attributes.values())) > _MAX_ATTRIBUTE:
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
            extra=tuple(sorted((n, v) for n, v in attributes.items() if n not in ATTRIBUTES)),
        )
    except ValueError:
        raise EnvelopeError("attribute_form") from None


def _count(text: str) -> int:
    # canonical form only: "01" or "+1" would be signed as one text and read as another
    value = int(text)
    if str(value) != text or value < 0:
        raise ValueError("not a canonical number")
    return value
