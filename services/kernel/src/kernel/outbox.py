"""The outbox: events are rows of the change's own transaction, and only the relay publishes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.topics import TopicCatalogue
from kernel.ids import IdSource
from kernel.ports import OutgoingEvent
from kernel.problems import ProblemError


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who puts events into an outbox, and by which contracts."""

    node: str
    service: str
    topics: TopicCatalogue

    @property
    def source(self) -> str:
        """The value of ``ce_source``."""
        return f"/nodes/{self.node}/{self.service}"


def outbox_values(
    event: OutgoingEvent, sender: Sender, *, event_id: str, time: str, traceparent: str | None
) -> list[dict[str, Any]]:
    """Return the outbox rows of an event as column values, one a transport; does no I/O.

    Raises ``EventTooLarge``.
    """
    raise NotImplementedError


async def insert_event(
    connection: AsyncConnection,
    event: OutgoingEvent,
    *,
    sender: Sender,
    ids: IdSource,
    time: str,
    traceparent: str | None = None,
) -> str:
    """Insert an event's rows and return its id; raises ``EventTooLarge``, ``CaseVersionTaken``."""
    raise NotImplementedError


async def insert_rows(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows made by :func:`outbox_values` in one statement."""
    raise NotImplementedError
