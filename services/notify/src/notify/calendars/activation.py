"""Putting a calendar in force: every running due date is recomputed, and whoever is bound is told."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import orjson

from contracts.calendar import Calendar, civil_date, from_document
from contracts.encoding import to_base64url
from contracts.events.documents import CalendarPublished
from kernel.db import Transaction
from kernel.ports import AuditEntry
from kernel.runtime import Runtime
from notify.calendars import events, repository
from notify.calendars.service import calendar_of, held
from notify.clocks import service as clocks
from notify.clocks.service import Change
from notify.inbox import service as inbox
from notify.inbox.domain import (
    Address,
    Message,
    authority_clerks,
    authority_supervisors,
    node_operators,
)
from notify.reminders import repository as reminders

_OUTCOMES = {
    "extended": ("截止日期顺延", "Due date moved later"),
    "kept": ("官方日期提前，仍以原告知日期为准", "Official date is earlier, the told date stands"),
    "confirmed": ("截止日期已确定", "Due date confirmed"),
}


async def run(runtime: Runtime) -> None:
    """Activate the confirmed calendar once the worker has signed it; at the city only."""
    async with runtime.database.transaction() as tx:
        row = await repository.signed(tx.connection)
        if row is None:
            return
        content = orjson.dumps(
            {
                "document": orjson.loads(row.document),
                "key_id": row.key_id,
                "signature": to_base64url(row.signature),
            }
        )
        await runtime.calendars.take(tx, content)
        now = tx.clock.now()
        values = {"state": "active", "emitted": row.emitted + 1, "decided_at": now}
        await repository.change(tx.connection, row.version, values)
        await recompute(tx, calendar_of(row), at=now)
        fresh = await held(tx, row.version)
        await tx.emit(events.announced(fresh, at=now, key_id=row.key_id, signature=row.signature))
    async with runtime.database.transaction() as tx:
        await runtime.calendars.reload(tx)


async def apply_published(tx: Transaction, published: CalendarPublished) -> None:
    """Keep what the city announced; an active calendar recomputes this node's due dates.

    The kernel's own handler has verified and kept the signed document before.
    """
    now = tx.clock.now()
    decided = {"decided_by": "city", "decided_at": now}
    await repository.close_others(
        tx.connection, published.version, {"state": "withdrawn", **decided}
    )
    known = await repository.find(tx.connection, published.version, hold=True)
    if known is not None and known.state in ("active", "withdrawn"):
        return
    values = {
        "version": published.version,
        "base": published.base,
        "content": known.content if known is not None else None,
        "document": published.document.encode(),
        "digest": published.digest,
        "source_document": published.source_document,
        "state": published.state,
        "emitted": known.emitted if known is not None else 0,
        "proposed_by": "city",
        "proposed_at": datetime.fromisoformat(published.changed_at),
        "confirmed_by": [],
        "signing": None,
        "decided_by": None,
        "decided_at": None,
        "reason": "",
        **(decided if published.state != "proposed" else {}),
    }
    await repository.put(tx.connection, values)
    if published.state == "active":
        await recompute(tx, from_document(orjson.loads(published.document)), at=now)


async def recompute(tx: Transaction, calendar: Calendar, *, at: datetime) -> Sequence[Change]:
    """Put every running deadline on the calendar, tell the bound, and write the audit row."""
    actor = tx.principal.subject
    changes = await clocks.recompute(tx.connection, calendar, actor=actor, now=at)
    told = [change for change in changes if change.redated.outcome in _OUTCOMES]
    await inbox.post(tx.connection, [_message(change, calendar) for change in told], at=at)
    tally = Counter(change.redated.outcome for change in changes)
    await tx.record(
        AuditEntry(
            act="calendar.activate",
            object_kind="calendar",
            object_id=calendar.version,
            principal=tx.principal,
            details=dict(tally),
        )
    )
    return changes


def _message(change: Change, calendar: Calendar) -> Message:
    row, dates = change.row, change.redated.dates
    zh, en = _OUTCOMES[change.redated.outcome]
    return Message(
        item_id=f"clock:{row.clock_id}:calendar:{calendar.version}",
        address=Address(org_id=row.bound_org) if row.bound_org else authority_clerks(),
        kind="calendar",
        title_zh=f"{zh}：{row.case_no} {row.title}，截止 {dates.counts_on}",
        title_en=f"{en}: {row.case_no} {row.title}, due {dates.counts_on}",
        case_kind=row.case_kind,
        case_id=row.case_id,
        case_no=row.case_no,
        link=f"/notify/v1/clocks/{row.clock_id}",
    )


async def watch(runtime: Runtime) -> None:
    """Raise an alarm every week from the policy's day on while next year's schedule is missing."""
    today = civil_date(runtime.clock.now())
    alarm_from = runtime.rulebook.current.text("calendar.alarm_from")
    year = runtime.calendar().missing_year(today, alarm_from=alarm_from)
    if year is None:
        return
    async with runtime.database.transaction() as tx:
        now = tx.clock.now()
        week = today.isocalendar()
        occasion = f"{year}:{week.year}-{week.week:02d}"
        fresh = await reminders.raise_alarm(tx.connection, "calendar_missing", occasion, at=now)
        if fresh:
            addresses = (authority_supervisors(), Address(role="legal_officer"), node_operators())
            messages = [_alarm(address, year, occasion) for address in addresses]
            await inbox.post(tx.connection, messages, at=now)


def _alarm(address: Address, year: int, occasion: str) -> Message:
    return Message(
        item_id=f"calendar_missing:{occasion}:{address.role}",
        address=address,
        kind="alarm",
        title_zh=f"{year} 年工作日安排尚未导入，跨年的截止日期均为暂定",
        title_en=f"The schedule of {year} is missing: due dates beyond it are provisional",
        case_kind="calendar",
        case_id=str(year),
        link="/notify/v1/calendars",
    )
