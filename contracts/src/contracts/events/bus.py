"""Events of the bus itself: receipts, and the unnumbered messages of the control topic."""

from typing import Literal

from contracts.events.base import Payload


class Receipt(Payload):
    """The receiver has durably stored an event whose type asks for a receipt (protocol §3).

    ``received_at`` is when the verified event was first stored, parked or applied.
    """

    event_id: str
    event_type: str
    topic: str
    key: str
    payload_sha256: str
    receiver_node: str
    receiver_service: str
    entered_at: str
    received_at: str


class DeadLetterCopied(Payload):
    """A dead letter as operators read it on ``dlq.<node>.v1``: facts and a digest, no content.

    ``reason`` is a code, never a value of the event.
    """

    event_id: str
    event_type: str
    source: str
    topic: str
    partition: int
    key: str
    epoch: str
    sequence: int
    service: str
    reason: str
    sqlstate: str = ""
    payload_sha256: str
    size: int
    at: str


class StreamHead(Payload):
    """What a source has published on one stream, or what a receiver has applied of it."""

    role: Literal["source", "receiver"]
    source: str
    topic: str
    partition: int
    epoch: str
    first: int
    last: int
    previous_epoch: str = ""
    previous_last: int = 0


class ResendRequest(Payload):
    """The owner of a mailbox asks a source to publish a range of a stream again."""

    source: str
    topic: str
    partition: int
    epoch: str
    first: int
    last: int
    requester: str


class ResendRefused(Payload):
    """The range cannot be sent again; an alarm and an operator's decision follow."""

    source: str
    topic: str
    partition: int
    epoch: str
    first: int
    last: int
    reason: str
