"""The outbox: events are rows of the change's own transaction, and only the relay publishes them.

Hot use cases take the rows (:func:`outbox_values`) and insert them in their own statement.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.catalog import AgencyState
from contracts.stream import partition_of
from contracts.topics import (
    TopicSpec,
    UnknownTopicError,
    event_spec,
    load_topics,
    parse_topic,
    value_at,
)
from kernel.bus_tables import CASE_CONSTRAINT, outbox
from kernel.clock import Clock
from kernel.ids import IdSource
from kernel.organisations import remember
from kernel.ports import OutgoingEvent
from kernel.problems import ProblemError

BROADCAST = "*"
KAFKA = "kafka"


class EventTooLarge(ProblemError):  # noqa: N818 -- named as the port names it
    """The event exceeds its topic's size limit."""

    slug = "event-too-large"
    status = 413
    title_zh = "事件过大"
    title_en = "The event is too large"
    detail_zh = "该操作产生的事件为 {size} 字节，超过主题允许的 {limit} 字节。"
    detail_en = "The event of this command has {size} bytes; its topic takes {limit}."
    remedy_zh = "请缩短文本或拆分后重新提交。"
    remedy_en = "Shorten the text or split the command and submit again."


class CaseVersionTaken(ProblemError):  # noqa: N818 -- named as the port names it
    """The case was changed by somebody else at the same time."""

    slug = "case-version-taken"
    status = 409
    title_zh = "事项已被他人变更"
    title_en = "The case has changed"
    detail_zh = "同一事项同时发生了另一变更，本次操作未生效。"
    detail_en = "Another change of the same case came first; nothing of this one was done."
    remedy_zh = "请刷新后重试。"
    remedy_en = "Read the case again and repeat the command."


def source_of(node: str, service: str) -> str:
    """Return the value of ``ce_source`` of a service."""
    return f"/nodes/{node}/{service}"


def instant(moment: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds: one form, so that signed bytes never change."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def local_transport(service: str) -> str:
    """Return the transport that leads to a sibling service's internal door."""
    return f"local:{service}"


@cache
def _topic(name: str) -> tuple[TopicSpec, str | None, frozenset[str]]:
    spec = load_topics().spec_of(name)
    return spec, parse_topic(name).node, frozenset(event.type for event in spec.events)


def transports(spec: TopicSpec, destination: str, *, node: str, service: str) -> list[str]:
    """Say how an event travels: the destination node decides, nothing else (protocol §6)."""
    if spec.kind == "operator":
        return [KAFKA]
    if destination == BROADCAST:
        siblings = (name for name in spec.consumers if name != service)
        return [KAFKA, *(local_transport(name) for name in siblings)]
    if destination == node:
        return [local_transport(name) for name in spec.consumers]
    return [KAFKA]


def outbox_values(
    event: OutgoingEvent,
    *,
    node: str,
    service: str,
    event_id: UUID,
    now: datetime,
    traceparent: str | None = None,
) -> list[dict[str, Any]]:
    """Return the outbox rows of an event as column values, one a transport; does no I/O.

    All rows have the same columns, so that they fit ``kernel.inserts``. Raises ``EventTooLarge``.
    """
    spec = _checked_topic(event)
    payload = to_json(event.payload)
    if len(payload) > spec.max_bytes:
        raise EventTooLarge(size=len(payload), limit=spec.max_bytes)
    row = {
        "topic": event.topic,
        "partition": partition_of(event.key, spec.partitions),
        "key": event.key,
        "event_id": event_id,
        "type": event.type,
        "subject": event.subject,
        "time": instant(now),
        "dataschema": event_spec(event.type).schema_url,
        "case_space": event.case_space,
        "case_version": event.case_version,
        "payload": payload,
        "traceparent": traceparent,
        "guard": event.guard,
    }
    ways = transports(spec, event.destination, node=node, service=service)
    return [{"transport": way, **row} for way in ways]


def _checked_topic(event: OutgoingEvent) -> TopicSpec:
    """Return the event's topic; raises where the contracts know no such event on it."""
    spec, owner, types = _topic(event.topic)
    if event.type not in types:
        raise UnknownTopicError(f"{event.type} does not travel on {event.topic}")
    if event.destination != (BROADCAST if spec.kind == "broadcast" else owner):
        raise UnknownTopicError(f"{event.topic} does not lead to {event.destination}")
    key_field = event_spec(event.type).key_field
    if key_field and value_at(event.payload, key_field) != event.key:
        raise ValueError(f"the record key of {event.type} is its {key_field}")
    return spec


def is_case_conflict(error: BaseException) -> bool:
    """Tell whether a database error means that the case was changed without its lock."""
    seen: BaseException | None = error
    while seen is not None:
        if getattr(seen, "constraint_name", None) == CASE_CONSTRAINT:
            return True
        seen = getattr(seen, "orig", None) or seen.__cause__
    return False


async def insert_event(
    connection: AsyncConnection,
    event: OutgoingEvent,
    *,
    node: str,
    service: str,
    clock: Clock,
    ids: IdSource,
    traceparent: str | None = None,
) -> str:
    """Insert an event's rows and return its id; raises ``EventTooLarge``, ``CaseVersionTaken``.

    A node's own agency is known to its own announcing service at once.
    """
    event_id = ids.uuid7()
    rows = outbox_values(
        event,
        node=node,
        service=service,
        event_id=event_id,
        now=clock.now(),
        traceparent=traceparent,
    )
    await insert_rows(connection, rows)
    if isinstance(event.payload, AgencyState):
        await remember(connection, event.payload)
    return str(event_id)


async def insert_rows(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows made by :func:`outbox_values` in one statement; raises ``CaseVersionTaken``."""
    if not rows:
        return
    try:
        await connection.execute(outbox.insert(), list(rows))
    except IntegrityError as error:
        if is_case_conflict(error):
            raise CaseVersionTaken from None
        raise
