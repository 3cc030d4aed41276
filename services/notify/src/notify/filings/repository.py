"""Queries of the filing desk, and its transaction on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, text, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.base import Basis, OrganisationRef
from contracts.events.clock import ClockStarted
from contracts.events.sharing import RequestStatus
from kernel.db import Transaction
from kernel.ports import AuditEntry, OutgoingEvent
from notify.clocks import service as clocks
from notify.filings import printing
from notify.filings.document import FilingDocument
from notify.filings.domain import Filing
from notify.filings.models import FilingRow, FilingStep, SubjectStatus, filing_serial
from notify.inbox import service as inbox
from notify.inbox.domain import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFilter:
    """Which filings to list; None leaves a criterion out.

    ``own_org`` is the caller's scope, ``filer_org`` what it asks for: both must hold.
    """

    state: str | None = None
    rule: str | None = None
    filer_org: str | None = None
    own_org: str | None = None
    filer_node: str | None = None
    subject_id: str | None = None
    filing_no: str | None = None


_COLUMNS = FilingRow.__table__.columns
_DIRECT = tuple(
    field.name for field in fields(Filing) if field.name not in ("filer", "counterpart", "basis")
)


def _to_filing(row: Row[Any]) -> Filing:
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor
    counterpart = values["counterpart"]
    return Filing(
        filer=OrganisationRef.model_validate(values["filer"]),
        counterpart=OrganisationRef.model_validate(counterpart) if counterpart else None,
        basis=tuple(Basis.model_validate(each) for each in values["basis"]),
        **{name: values[name] for name in _DIRECT},
    )


def _to_values(filing: Filing) -> dict[str, Any]:
    counterpart = filing.counterpart
    return {
        **{name: getattr(filing, name) for name in _DIRECT},
        "filer": filing.filer.model_dump(mode="json"),
        "filer_org": filing.filer.org_id,
        "filer_node": filing.filer.node,
        "counterpart": counterpart.model_dump(mode="json") if counterpart else None,
        "basis": [basis.model_dump(mode="json") for basis in filing.basis],
    }


def _conditions(wanted: FilingFilter) -> list[ColumnElement[bool]]:
    columns = {**_COLUMNS, "own_org": _COLUMNS["filer_org"]}
    given = {name: value for name, value in asdict(wanted).items() if value is not None}
    return [columns[name] == value for name, value in given.items()] or [true()]


async def page(
    connection: AsyncConnection,
    wanted: FilingFilter,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Filing]:
    """Return filings, the latest received first, ``after`` the given (received_at, filing_id)."""
    statement = select(*_COLUMNS).where(*_conditions(wanted))
    if after is not None:
        statement = statement.where(tuple_(FilingRow.received_at, FilingRow.filing_id) < after)
    ordered = statement.order_by(FilingRow.received_at.desc(), FilingRow.filing_id.desc())
    return [_to_filing(row) for row in await connection.execute(ordered.limit(limit))]


async def count(connection: AsyncConnection, wanted: FilingFilter) -> int:
    """Count what ``page`` would list over all pages."""
    statement = select(func.count()).select_from(FilingRow).where(*_conditions(wanted))
    return await connection.scalar(statement) or 0


async def find(
    connection: AsyncConnection, filing_id: str, *, filer_org: str | None
) -> Filing | None:
    """Return a filing; with ``filer_org`` only if that organisation filed it."""
    wanted = [FilingRow.filing_id == filing_id]
    if filer_org is not None:
        wanted.append(FilingRow.filer_org == filer_org)
    row = (await connection.execute(select(*_COLUMNS).where(*wanted))).one_or_none()
    return _to_filing(row) if row is not None else None


# unscoped: the endpoint has loaded the filing under the caller's scope
async def steps(connection: AsyncConnection, filing_id: str) -> Sequence[Row[Any]]:
    """Return a filing's history in order."""
    statement = select(*FilingStep.__table__.columns).where(FilingStep.filing_id == filing_id)
    return (await connection.execute(statement.order_by(FilingStep.step_id))).all()


async def status_of(connection: AsyncConnection, filing: Filing) -> Row[Any] | None:
    """Return the latest copy of the subject's state, if its filer's node sent one."""
    statement = select(*SubjectStatus.__table__.columns).where(
        SubjectStatus.filing_id == filing.filing_id,
        SubjectStatus.source_node == filing.filer.node,
    )
    return (await connection.execute(statement)).one_or_none()


async def highest_serial(connection: AsyncConnection) -> int:
    """Return the highest serial that a filing of this desk carries."""
    return await connection.scalar(select(func.max(FilingRow.serial))) or 0


async def raise_serial(connection: AsyncConnection, floor: int) -> None:
    """Let numbering go on beyond ``floor`` (protocol §1: after a restore no number comes twice)."""
    statement = text(
        "SELECT setval('filing_serial', greatest(:floor,"
        " coalesce(pg_sequence_last_value('filing_serial'), 1)))"
    )
    await connection.execute(statement, {"floor": max(floor, 1)})


class DeskTransaction:
    """``filings.ports.DeskTx`` on a kernel transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def now(self) -> datetime:
        return self._tx.clock.now()

    async def emit(self, event: OutgoingEvent) -> str:
        return await self._tx.emit(event)

    async def record(self, entry: AuditEntry) -> None:
        await self._tx.record(entry)

    async def next_serial(self) -> int:
        found = await self._connection.scalar(select(filing_serial.next_value()))
        return int(found or 0)

    async def lock_filing(self, filing_id: str) -> Filing | None:
        statement = select(*_COLUMNS).where(FilingRow.filing_id == filing_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return _to_filing(row) if row is not None else None

    async def insert_filing(self, filing: Filing) -> None:
        await self._connection.execute(insert(FilingRow).values(_to_values(filing)))

    async def update_filing(self, filing: Filing) -> None:
        statement = update(FilingRow).where(FilingRow.filing_id == filing.filing_id)
        await self._connection.execute(statement.values(_to_values(filing)))

    async def add_step(
        self, filing: Filing, act: str, *, before: str | None, actor: str, reason: str, at: datetime
    ) -> None:
        await self._connection.execute(
            insert(FilingStep).values(
                filing_id=filing.filing_id, act=act, before=before, after=filing.state,
                actor=actor, reason=reason, at=at,
            )
        )  # fmt: skip

    async def keep_status(self, status: RequestStatus, *, source_node: str, version: int) -> None:
        row = upsert(SubjectStatus).values(
            filing_id=status.filing_id,
            request_id=status.request_id,
            source_node=source_node,
            state=status.state,
            at=status.at,
            case_version=version,
            due=status.due.model_dump(mode="json") if status.due else None,
        )
        fresh = {name: row.excluded[name] for name in ("state", "at", "case_version", "due")}
        newer = and_(
            SubjectStatus.case_version < row.excluded.case_version,
            SubjectStatus.source_node == row.excluded.source_node,
        )
        await self._connection.execute(
            row.on_conflict_do_update(
                index_elements=[SubjectStatus.filing_id, SubjectStatus.source_node],
                set_=fresh,
                where=newer,
            )
        )

    async def ask_signature(self, document: FilingDocument) -> None:
        await printing.ask_signature(self._connection, document, created_at=self.now())

    async def start_clock(self, clock: ClockStarted) -> None:
        await clocks.start(self._connection, clock, now=self.now())

    async def end_clock(self, clock_id: str, *, end_event: str, at: datetime) -> None:
        await clocks.end(self._connection, clock_id, end_event=end_event, ended_at=at, now=at)

    async def post(self, messages: Sequence[Message]) -> None:
        await inbox.post(self._connection, messages, at=self.now())
