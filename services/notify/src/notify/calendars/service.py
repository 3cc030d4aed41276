"""Use cases of the calendar: one person imports, another confirms, the worker puts it in force."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from contracts.calendar import Calendar, from_document
from contracts.calendar_document import canonical_bytes, to_document
from contracts.calendar_import import ScheduleError
from contracts.rules import RuleSet
from kernel.db import Transaction
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import AlreadyExists, NotFound
from notify.calendars import domain, events, repository
from notify.calendars.domain import Content
from notify.calendars.repository import ProposalRow
from notify.errors import CalendarDecided, CalendarInvalid, CalendarSuperseded, NotTheCity


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where the calendar is kept: node, city, the calendar in force and the rules."""

    node: str
    city: str
    current: Calendar
    rules: RuleSet

    @property
    def confirmations(self) -> int:
        """How many persons stand for a calendar, the importer counted (policy)."""
        return self.rules.integer("calendar.confirmations")


def require_city(office: Office) -> None:
    """Raise ``NotTheCity`` anywhere else: counties receive the calendar."""
    if office.node != office.city:
        raise NotTheCity(city=office.city, kind="policy")


def invalid(error: ScheduleError) -> CalendarInvalid:
    """Return the refusal that says what is wrong with a schedule, and where."""
    zh, en = domain.said(error.code)
    place = f"（{error.path}）" if error.path else ""
    return CalendarInvalid(
        field="schedule", kind="policy", reason_zh=zh + place, reason_en=f"{en} ({error.path})"
    )


def _build(content: Content, office: Office, *, version: str, confirmations: int) -> bytes:
    try:
        calendar = domain.proposed(
            content,
            office.current,
            version=version,
            issuer=office.city,
            confirmations=confirmations,
        )
    except ScheduleError as error:
        raise invalid(error) from None
    return canonical_bytes(to_document(calendar))


def calendar_of(row: ProposalRow) -> Calendar:
    """Return the calendar that a proposal describes."""
    return from_document(orjson.loads(row.document))


async def propose(
    tx: Transaction, content: Content, *, by: Principal, office: Office
) -> ProposalRow:
    """Keep a proposal and announce it, so that every node can preview it.

    Raises ``NotTheCity``, ``CalendarInvalid`` or ``AlreadyExists`` while another one is open.
    """
    require_city(office)
    if await repository.open_version(tx.connection) is not None:
        raise AlreadyExists(field="version")
    taken = await repository.versions(tx.connection)
    version = domain.next_version(content, office.current, taken=taken)
    document = _build(content, office, version=version, confirmations=1)
    values = {
        "version": version,
        "base": office.current.version,
        "content": content.model_dump(mode="json"),
        "document": document,
        "digest": sha256(document).hexdigest(),
        "source_document": content.source_document,
        "state": "proposed",
        "emitted": 1,
        "proposed_by": by.subject,
        "proposed_at": tx.clock.now(),
        "confirmed_by": [],
        "signing": None,
        "decided_by": None,
        "decided_at": None,
        "reason": "",
    }
    await repository.add(tx.connection, values)
    row = await held(tx, version)
    await tx.emit(events.announced(row, at=tx.clock.now()))
    await _record(tx, row, "calendar.import", by)
    return row


async def held(tx: Transaction, version: str) -> ProposalRow:
    """Return a proposal and hold its row; raises ``NotFound``."""
    row = await repository.find(tx.connection, version, hold=True)
    if row is None:
        raise NotFound
    return row


async def confirm(
    tx: Transaction, row: ProposalRow, *, digest: str, by: Principal, office: Office
) -> ProposalRow:
    """Confirm a proposal as its digest was shown; the last person's word has it signed.

    Raises ``NotTheCity``, ``CalendarDecided``, ``CalendarSuperseded`` or ``CalendarInvalid``.
    """
    require_city(office)
    _require_open(row, "confirm")
    if row.base != office.current.version:
        raise CalendarSuperseded(base=row.base, current=office.current.version)
    if digest != row.digest:
        raise CalendarInvalid(
            field="digest",
            reason_zh="所确认的不是这份日历",
            reason_en="this is not the calendar that was shown",
        )
    persons = [*row.confirmed_by, by.subject]
    content = Content.model_validate(row.content).confirm(by.subject)
    values: dict[str, Any] = {
        "confirmed_by": persons,
        "content": content.model_dump(mode="json"),
    }
    if len({row.proposed_by, *persons}) >= office.confirmations:
        document = _build(content, office, version=row.version, confirmations=office.confirmations)
        signing = tx.ids.uuid7()
        await repository.ask_signature(tx.connection, signing, document, created_at=tx.clock.now())
        values |= {
            "state": "confirmed",
            "document": document,
            "digest": sha256(document).hexdigest(),
            "signing": signing,
        }
    await repository.change(tx.connection, row.version, values)
    await _record(tx, row, "calendar.confirm", by)
    return await held(tx, row.version)


async def reject(
    tx: Transaction, row: ProposalRow, *, reason: str, by: Principal, office: Office
) -> ProposalRow:
    """Withdraw a proposal everywhere; raises ``NotTheCity`` or ``CalendarDecided``."""
    require_city(office)
    _require_open(row, "reject")
    now = tx.clock.now()
    values = {
        "state": "withdrawn",
        "emitted": row.emitted + 1,
        "decided_by": by.subject,
        "decided_at": now,
        "reason": reason,
    }
    await repository.change(tx.connection, row.version, values)
    fresh = await held(tx, row.version)
    await tx.emit(events.announced(fresh, at=now))
    await _record(tx, fresh, "calendar.reject", by, reason=reason)
    return fresh


def _require_open(row: ProposalRow, act: str) -> None:
    if row.state != "proposed":
        raise CalendarDecided(state=row.state, act=act)


async def _record(
    tx: Transaction, row: ProposalRow, act: str, by: Principal, *, reason: str = ""
) -> None:
    await tx.record(
        AuditEntry(
            act=act,
            object_kind="calendar",
            object_id=row.version,
            principal=by,
            reason=reason,
            details={"base": row.base, "digest": row.digest},
        )
    )
