"""Dead letters as operators see them: facts and digests, never a payload; replay and discard.

A dead-lettered event holds its key; a replay runs it and what waits behind it in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.consuming import CaseKey
from kernel.problems import ProblemError

State = Literal["open", "replayed", "discarded", "waiting", "refused", "void"]

_COLUMNS = (
    "id, state, source, topic, partition, key, epoch::text, sequence, event_id::text, type, reason,"
    " sqlstate, attempts, payload_sha256, size, first_at, last_at, closed_at, closed_by"
)
_LIST = f"""
    SELECT {_COLUMNS} FROM kernel.dead_letters
    WHERE (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:before AS bigint) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
"""
_SHOW = f"SELECT {_COLUMNS} FROM kernel.dead_letters WHERE id = :id"
_BEHIND = """
    SELECT count(*) FROM kernel.parked_events
    WHERE why = 'key' AND source = :source AND topic = :topic AND key = :key
"""
_STREAMS = """
    SELECT s.source, s.topic, s.partition, s.epoch::text, s.watermark, s.parked,
        (SELECT count(*) FROM kernel.held_keys AS h
         WHERE h.source = s.source AND h.topic = s.topic AND h.partition = s.partition) AS held
    FROM kernel.consumer_streams AS s ORDER BY s.source, s.topic, s.partition
"""


class DeadLetterUnknown(ProblemError):  # noqa: N818 -- named like its siblings
    """No such dead letter."""

    slug = "dead-letter-unknown"
    status = 404
    title_zh = "没有该死信"
    title_en = "No such dead letter"
    detail_zh = "没有这个编号的死信。"
    detail_en = "There is no dead letter with this number."
    remedy_zh = "请从死信列表中选取编号。"
    remedy_en = "Take the number from the list of dead letters."


class DeadLetterClosed(ProblemError):  # noqa: N818 -- named like its siblings
    """The dead letter does not hold a key any more, or never did."""

    slug = "dead-letter-closed"
    status = 409
    title_zh = "死信已处理"
    title_en = "The dead letter is not open"
    detail_zh = "该死信的状态为 {state}，不能重放或丢弃。"
    detail_en = "Its state is {state}; it can be neither replayed nor discarded."
    remedy_zh = "请刷新死信列表。"
    remedy_en = "Read the list of dead letters again."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterRow:
    """One dead letter. ``state`` ``refused`` is a sample of untrusted records, ``void`` one sent."""

    id: int
    state: str
    source: str
    topic: str
    partition: int
    key: str
    epoch: str | None
    sequence: int | None
    event_id: str | None
    type: str
    reason: str
    sqlstate: str
    attempts: int
    payload_sha256: str
    size: int
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None
    closed_by: str

    @property
    def case(self) -> CaseKey:
        return CaseKey(self.source, self.topic, self.key)


async def list_dead_letters(
    connection: AsyncConnection, *, state: State | None, before: int | None, limit: int
) -> Sequence[DeadLetterRow]:
    """Return dead letters, newest first."""
    found = await connection.execute(
        text(_LIST), {"state": state, "before": before, "limit": limit}
    )
    return [DeadLetterRow(**row) for row in found.mappings()]


async def find_dead_letter(connection: AsyncConnection, number: int) -> DeadLetterRow:
    """Return one dead letter; raises ``DeadLetterUnknown``."""
    row = (await connection.execute(text(_SHOW), {"id": number})).mappings().one_or_none()
    if row is None:
        raise DeadLetterUnknown
    return DeadLetterRow(**row)


async def waiting_behind(connection: AsyncConnection, case: CaseKey) -> int:
    """Return how many events wait at a key, the first one included."""
    found = await connection.scalar(text(_BEHIND), case._asdict())
    return int(found or 0)


async def list_streams(connection: AsyncConnection) -> Sequence[dict[str, Any]]:
    """Return how far each stream is, with what waits in it."""
    return [dict(row) for row in (await connection.execute(text(_STREAMS))).mappings()]
