"""Ports of a use case: what a transaction offers, so that slices run on PostgreSQL and in worlds.

A use case gets a transaction and never commits; the edge (HTTP route or batch consumer) does.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.events.base import Payload
from kernel.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """An event to be sent, as a slice's ``events.py`` makes it.

    ``topic`` is concrete (``sharing.441581.v1``), ``key`` the root of the case, ``case_version``
    the case's number of this event, unique per topic and key (protocol §1). ``destination`` is a
    node code, or ``*`` for a broadcast. ``guard`` names the grant or flow generation
    (``grant:<id>``) that is checked immediately before publishing. ``case_space`` keeps two
    numberings of one key apart: a node that is requester and source of one request writes both
    sides of the case (``sent``, ``received``) to the same topic under the same key.
    """

    type: str
    topic: str
    key: str
    case_version: int
    subject: str
    payload: Payload
    destination: str
    guard: str | None = None
    case_space: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to what, under which article, and how it ended.

    ``details`` holds codes, digests and identifiers only, never personal data.
    """

    act: str
    object_kind: str
    object_id: str
    principal: Principal
    article: str = ""
    rule_version: str = ""
    outcome: str = "done"
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Outgoing(Protocol):
    """The part of a transaction that every use case needs."""

    async def emit(self, event: OutgoingEvent) -> str:
        """Insert the event into the outbox; return its id (UUIDv7).

        Raises ``EventTooLarge`` when it exceeds its topic's limit and ``CaseVersionTaken`` when
        the case was changed without its lock.
        """
        ...

    async def record(self, entry: AuditEntry) -> None:
        """Append an audit row."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """A verified event as a handler sees it.

    ``payload`` is parsed and typed. ``received_at`` (RFC 3339, UTC) is when this service first
    stored it, ``entered_at`` when the bus acknowledged it (broker timestamp, RFC 3339).
    """

    id: str
    source: str
    source_node: str
    type: str
    subject: str
    time: str
    topic: str
    key: str
    case_version: int
    payload: Payload
    entered_at: str
    received_at: str
    traceparent: str | None = None
