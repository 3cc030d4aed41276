"""The gate before any state: envelope, signature, destination and the sender's right (protocol §2).

Nothing here touches the database, so a forged record costs a hash and a look-up.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from contracts.envelope import (
    VOID_TYPE,
    Envelope,
    EnvelopeError,
    Received,
    event_leaf,
    from_record,
    read_signed,
)
from contracts.events.base import Payload
from contracts.stream import StreamKey
from contracts.topics import (
    EventSpec,
    TopicCatalogue,
    TopicSpec,
    UnknownEventTypeError,
    UnknownTopicError,
    parse_topic,
    value_at,
)
from kernel.consuming import CaseKey, Record, Refusal, Stored
from kernel.handlers import Handlers
from kernel.signing import Keyring, Trust

_SOURCE = re.compile(r"/nodes/[0-9A-Za-z]{1,32}/[a-z][a-z-]{0,31}")
_TYPE = re.compile(r"yiwang(?:\.[a-z_]{1,40}){1,5}\.v[0-9]{1,4}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MAX_SEQUENCE = 1 << 62


class RefusedError(Exception):
    """The record changes no state; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Authentic:
    """A verified event on its way to its handlers.

    ``spec`` is ``None`` for a type that these contracts do not know. ``problem`` says why the
    payload of a known type cannot be read. ``organisations`` must belong to the sending node.
    """

    stored: Stored
    envelope: Envelope
    broadcast: bool
    spec: EventSpec | None = None
    void: bool = False
    handled: bool = False
    payload: Payload | None = None
    problem: str = ""
    organisations: tuple[str, ...] = ()
    parked_before: bool = False

    @property
    def stream(self) -> StreamKey:
        return self.stored.stream

    @property
    def case(self) -> CaseKey:
        return self.stored.case


@dataclass(slots=True, frozen=True)
class Untrusted:
    """A record whose key the registry does not name yet; nothing of it is verified."""

    stored: Stored


class Gate:
    """Checks records for one service of one node."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        topics: TopicCatalogue,
        handlers: Handlers,
        node: str,
    ) -> None:
        self.keyring = keyring
        self.topics = topics
        self.handlers = handlers
        self.node = node
        self._known: dict[str, tuple[TopicSpec, str | None]] = {}
        self._types: dict[str, frozenset[str]] = {}

    def is_broadcast(self, topic: str) -> bool:
        """Tell whether a topic of ours carries whole states with versions."""
        return self._topic(topic)[0].kind == "broadcast"

    def check(self, record: Record, received_at: str) -> Authentic | Untrusted | Refusal:
        """Judge a record; never raises."""
        try:
            return self._check(record, received_at)
        except EnvelopeError as error:
            return self.refuse(record, error.reason)
        except RefusedError as error:
            return self.refuse(record, error.reason)

    def recall(self, stored: Stored) -> Authentic:
        """Make an event ready again that was verified when it was stored."""
        topic, _ = self._topic(stored.topic)
        envelope = read_signed(stored.signed).envelope
        item = self._authentic(stored, envelope, topic)
        try:
            self._read_payload(item, topic)
        except RefusedError as error:
            # the type was unknown when the event came, and now its sender proves to be wrong
            item.problem = error.reason
        item.parked_before = True
        return item

    def _check(self, record: Record, received_at: str) -> Authentic | Untrusted:
        topic, owner = self._topic(record.topic)
        if len(record.value) > topic.max_bytes:
            raise RefusedError("oversize")
        received = from_record(
            record.headers,
            record.topic,
            partition=record.partition,
            key=record.key,
            value=record.value,
        )
        envelope = received.envelope
        _check_form(envelope, numbered=topic.numbered)
        self._check_destination(envelope, topic, owner)
        stored = _store(record, received, received_at)
        trust = self.keyring.verify(
            received.signature,
            event_leaf(received.signed),
            key_id=envelope.key_id,
            node=envelope.source_node,
            time=envelope.time,
        )
        if trust is Trust.UNKNOWN_KEY:
            return Untrusted(stored)
        if trust is not Trust.VALID:
            raise RefusedError(trust.value)
        item = self._authentic(stored, envelope, topic)
        self._read_payload(item, topic)
        return item

    def _topic(self, name: str) -> tuple[TopicSpec, str | None]:
        found = self._known.get(name)
        if found is None:
            try:
                found = self.topics.spec_of(name), parse_topic(name).node
            except UnknownTopicError:
                raise RefusedError("unknown_topic") from None
            self._known[name] = found
            self._types[found[0].family] = frozenset(event.type for event in found[0].events)
        return found

    def _check_destination(self, envelope: Envelope, topic: TopicSpec, owner: str | None) -> None:
        if envelope.source_service not in topic.producers:
            raise RefusedError("sender_service")
        if topic.kind == "broadcast":
            if envelope.source_node != (owner or self.keyring.registry.city):
                raise RefusedError("not_the_owner_of_the_topic")
        elif owner != self.node:
            raise RefusedError("destination")

    def _authentic(self, stored: Stored, envelope: Envelope, topic: TopicSpec) -> Authentic:
        item = Authentic(stored=stored, envelope=envelope, broadcast=topic.kind == "broadcast")
        if envelope.type == VOID_TYPE:
            item.void = True
            return item
        try:
            item.spec = self.topics.event(envelope.type)
        except UnknownEventTypeError:
            item.handled = True  # not understood is not ignored
            return item
        item.handled = bool(self.handlers.of(envelope.type)) or not topic.numbered
        return item

    def _read_payload(self, item: Authentic, topic: TopicSpec) -> None:
        """Parse the payload and check the sender's right; raises ``RefusedError``."""
        spec = item.spec
        if spec is None:
            return
        if spec.type not in self._types[topic.family]:
            raise RefusedError("type_not_of_topic")
        if not item.handled:
            return
        try:
            item.payload = spec.model.model_validate_json(item.stored.payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"][:4] if not _odd(part))
            item.problem = f"payload:{place}:{first['type']}"
            return
        self._check_right(item, spec, item.payload)

    def _check_right(self, item: Authentic, spec: EventSpec, payload: Payload) -> None:
        sender = item.envelope.source_node
        city = self.keyring.registry.city
        if (spec.sender == "city" and sender != city) or (
            spec.sender == "own_node" and sender != self.node
        ):
            raise RefusedError("sender_right")
        if spec.sender_field and value_at(payload, spec.sender_field) != sender:
            raise RefusedError("sender_right")
        if spec.key_field and value_at(payload, spec.key_field) != item.stored.key:
            raise RefusedError("key_not_of_case")
        named = [value_at(payload, path) for path in spec.organisation_fields]
        if any(organisation.node != sender for organisation in named if organisation):
            raise RefusedError("organisation_of_another_node")
        item.organisations = tuple(organisation.org_id for organisation in named if organisation)

    def _is_ours(self, topic: str) -> bool:
        """Tell whether a name is a topic of a node that exists; a sender made up any other."""
        try:
            _, owner = self._topic(topic)
        except RefusedError:
            return False
        return owner is None or owner in self.keyring.registry

    def _is_known(self, source: str) -> bool:
        match = _SOURCE.fullmatch(source)
        return match is not None and source.split("/")[2] in self.keyring.registry

    def refuse(self, record: Record, reason: str) -> Refusal:
        """Describe a record that is not trusted by facts of a safe form only."""
        claimed = {
            name: content.decode("ascii", "replace")
            for name, content in record.headers
            if name in {"ce_source", "ce_type"} and isinstance(content, bytes)
        }
        source, kind = claimed.get("ce_source", ""), claimed.get("ce_type", "")
        return Refusal(
            topic=record.topic if self._is_ours(record.topic) else "",
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            claimed_source=source if self._is_known(source) else "",
            claimed_type=kind if _TYPE.fullmatch(kind) else "",
            payload_sha256=sha256(record.value or b"").hexdigest(),
            size=len(record.value or b""),
        )


def _check_form(envelope: Envelope, *, numbered: bool) -> None:
    if not _SOURCE.fullmatch(envelope.source) or not _is_uuid(envelope.id):
        raise RefusedError("attribute_form")
    if not numbered:
        return
    first = envelope.sequence == 1 and envelope.previous_epoch
    if not _is_uuid(envelope.epoch) or not 1 <= envelope.sequence < _MAX_SEQUENCE:
        raise RefusedError("number_form")
    if envelope.previous_epoch and not (first and _is_uuid(envelope.previous_epoch)):
        raise RefusedError("number_form")


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _odd(part: Any) -> bool:
    """A key of a mapping may be a value of the sender's; names of our fields and indexes are not."""
    return not (isinstance(part, int) or (isinstance(part, str) and part.isidentifier()))


def _store(record: Record, received: Received, received_at: str) -> Stored:
    envelope = received.envelope
    try:
        key = record.key.decode()
    except (UnicodeDecodeError, AttributeError):
        raise RefusedError("key_form") from None
    return Stored(
        source=envelope.source,
        topic=record.topic,
        partition=record.partition,
        key=key,
        number=envelope.number,
        event_id=envelope.id,
        type=envelope.type,
        signed=received.signed,
        signature=received.signature_text,
        payload=record.value,
        entered_at=record.entered_at,
        received_at=received_at,
        traceparent=received.traceparent,
    )
