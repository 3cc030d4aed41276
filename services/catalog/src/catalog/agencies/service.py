"""Use cases of agencies: register, amend, appoint. Each ends with a broadcast of the whole state."""

from typing import Any

from sqlalchemy.exc import IntegrityError

from catalog.agencies import repository
from catalog.agencies.domain import name_key
from catalog.agencies.events import announced
from catalog.agencies.repository import Row
from catalog.agencies.schemas import AmendAgency, Appoint, RegisterAgency
from catalog.desk import Desk
from catalog.errors import (
    AgencyExists,
    CreditCodeInvalid,
    DateInvalid,
    KindUnknown,
    ParentUnknown,
    RegionNotServed,
)
from catalog.search.replica import rename_department
from contracts.events.catalog import AgencyState
from contracts.identifiers import IdentifierError, check_uscc
from contracts.regions import UnknownRegionError
from contracts.vocabulary import codes, is_code
from kernel.db import Transaction
from kernel.ports import AuditEntry
from kernel.problems import Invalid, NotFound, ProblemError, StaleVersion

_REASONS = {
    "check_digit": ("校验位错误", "check digit"),
    "length": ("长度错误", "length"),
    "form": ("字符错误", "form"),
    "component": ("组成错误", "component"),
}


async def register(tx: Transaction, command: RegisterAgency, desk: Desk) -> Row:
    """Register an agency of this node; raises ``Invalid`` with one problem a field."""
    problems: list[ProblemError] = []
    uscc = _checked_code(command.uscc, problems)
    level = _checked_region(command.region_code, desk, problems)
    _checked_codes(command.kind, command.participation_basis, problems)
    await _checked_parent(tx, command.parent, problems)
    if problems:
        raise Invalid(problems)
    values = {
        "org_id": command.org_id or str(desk.ids.uuid7()),
        "region_code": command.region_code,
        "name": command.name,
        "name_key": name_key(command.name),
        "short_name": command.short_name,
        "uscc": uscc,
        "kind": command.kind,
        "level": level,
        "parent": command.parent,
        "participation_basis": command.participation_basis,
        "state": "active",
        "last_code": 0,
        "record_version": 1,
        "created_at": desk.now,
        "changed_at": desk.now,
    }
    try:
        async with tx.savepoint():
            row = await repository.add(tx.connection, values)
    except IntegrityError:
        raise AgencyExists(field="name") from None
    await _announce(tx, row, desk, act="agency.register")
    return row


async def amend(
    tx: Transaction, org_id: str, command: AmendAgency, *, version: int, desk: Desk
) -> Row:
    """Change an agency; raises ``StaleVersion`` with the current one."""
    row = await _locked(tx, org_id)
    if row["record_version"] != version:
        raise StaleVersion(version=row["record_version"], current=dict(view_values(row, desk.node)))
    given = command.model_dump(exclude_unset=True, exclude_none=True)
    problems: list[ProblemError] = []
    if "uscc" in given:
        given["uscc"] = _checked_code(command.uscc, problems)
    _checked_codes(
        command.kind or row["kind"],
        command.participation_basis or row["participation_basis"],
        problems,
    )
    await _checked_parent(tx, command.parent, problems)
    if problems:
        raise Invalid(problems)
    if "name" in given:
        given["name_key"] = name_key(given["name"])
    given |= {"record_version": row["record_version"] + 1, "changed_at": desk.now}
    try:
        async with tx.savepoint():
            changed = await repository.change(tx.connection, org_id, given)
    except IntegrityError:
        raise AgencyExists(field="name") from None
    await _announce(tx, changed, desk, act="agency.amend")
    return changed


async def appoint(tx: Transaction, org_id: str, command: Appoint, desk: Desk) -> None:
    """Appoint somebody; the post's holder before ends on that day."""
    await _locked(tx, org_id)
    if command.until is not None and command.until < command.since:
        raise Invalid([DateInvalid(field="until")])
    values = {
        "appointment_id": str(desk.ids.uuid7()),
        "org_id": org_id,
        "role": command.role,
        "subject": command.subject,
        "name": command.name,
        "document": command.document,
        "since": command.since.isoformat(),
        "until": command.until.isoformat() if command.until else None,
        "appointed_by": desk.principal.subject,
        "appointed_at": desk.now,
    }
    await repository.appoint(tx.connection, values, ends_on=command.since.isoformat())
    article = "第九条" if command.role == "cdo" else "第七条第一项"
    await tx.record(
        AuditEntry(
            act="agency.appoint",
            object_kind="agency",
            object_id=org_id,
            principal=desk.principal,
            article=article,
            details={"role": command.role, "document": command.document},
        )
    )


def view_values(row: Row, node: str) -> dict[str, Any]:
    """Return an agency's row as its view shows it."""
    names = (
        "org_id",
        "region_code",
        "name",
        "short_name",
        "uscc",
        "kind",
        "level",
        "parent",
        "participation_basis",
        "state",
        "record_version",
    )
    return {"node": node, **{name: row[name] for name in names}}


async def _locked(tx: Transaction, org_id: str) -> Row:
    row = await repository.find(tx.connection, org_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def _announce(tx: Transaction, row: Row, desk: Desk, *, act: str) -> None:
    event = announced(row, desk.node)
    state = event.payload
    if not isinstance(state, AgencyState):  # pragma: no cover -- events.announced makes no other
        raise TypeError(type(state))
    await repository.keep_known(tx.connection, state)
    await rename_department(tx.connection, state.org_id, state.name)
    await tx.emit(event)
    await tx.record(
        AuditEntry(
            act=act,
            object_kind="agency",
            object_id=row["org_id"],
            principal=desk.principal,
            article="第六条第五项",
            details={"record_version": row["record_version"], "state": row["state"]},
        )
    )


def _checked_code(uscc: str | None, problems: list[ProblemError]) -> str | None:
    if uscc is None:
        return None
    try:
        return check_uscc(uscc)
    except IdentifierError as error:
        reason_zh, reason_en = _REASONS[error.reason]
        problems.append(CreditCodeInvalid(field="uscc", reason_zh=reason_zh, reason_en=reason_en))
    return None


def _checked_region(code: str, desk: Desk, problems: list[ProblemError]) -> str:
    try:
        served = desk.regions.get(code, on=desk.today) and desk.regions.node_of(code) == desk.node
    except UnknownRegionError:
        served = False
    if not served:
        problems.append(RegionNotServed(field="region_code"))
        return ""
    return desk.regions.level(code)


def _checked_codes(kind: str, participation: str, problems: list[ProblemError]) -> None:
    for field, name, value in (
        ("kind", "organisation_kind", kind),
        ("participation_basis", "participation_basis", participation),
    ):
        if not is_code(name, value):
            problems.append(KindUnknown(field=field, list=name, allowed="、".join(codes(name))))


async def _checked_parent(
    tx: Transaction, parent: str | None, problems: list[ProblemError]
) -> None:
    if parent is not None and await repository.find(tx.connection, parent) is None:
        problems.append(ParentUnknown(field="parent"))
