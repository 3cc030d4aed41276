"""Use cases of the filing desk. None of them touches, delays or asks the subject of a filing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.events.base import DueDate, OrganisationRef
from contracts.events.clock import ClockStarted
from contracts.events.filing import FilingCompleted, FilingSubmitted
from contracts.events.sharing import RequestStatus
from kernel.ports import AuditEntry, ReceivedEvent
from kernel.principal import Principal
from kernel.problems import NotFound
from notify.errors import ExternalNumberMissing, FilingMoveNotOpen, ReasonMissing
from notify.filings import domain, events
from notify.filings.document import FilingDocument
from notify.filings.domain import Filing, IllegalMoveError
from notify.filings.ports import DeskTx
from notify.inbox.domain import Message, authority_clerks

RECORD_RULE = "filing.record"
# what a filing number can carry: F1, F2a; a rule that this version does not know is taken too
RULE = re.compile(r"[A-Z]\d[a-z]?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where filings arrive: the node, its authority, and how numbers and due dates are made.

    ``number`` makes a filing number of rule, serial and instant of receipt. ``due`` returns the
    due date of a desk rule from its start, or None when the rule is switched off. ``document``
    composes the printable document. ``filers`` are the nodes whose agencies may file here: its
    own and those below it.
    """

    node: str
    filers: frozenset[str]
    authority: OrganisationRef
    number: Callable[[str, int, datetime], str]
    due: Callable[[str, datetime], DueDate | None]
    escalate_to: Callable[[str], str]
    document: Callable[[Filing], FilingDocument]


class ForeignFilingError(ValueError):
    """The filing is not for this desk, or is spoken of by a node that did not file it."""


class UnknownFilingError(LookupError):
    """The filing has not arrived yet."""


def _link(filing: Filing) -> str:
    return f"/notify/v1/filings/{filing.filing_id}"


def _clock_id(filing: Filing) -> str:
    return f"{filing.filing_id}:{RECORD_RULE}:{filing.round}"


def _of_node(event: ReceivedEvent) -> Principal:
    return Principal(
        subject=f"node:{event.source_node}",
        name=event.source,
        organisation="",
        node=event.source_node,
        kind="service",
    )


def _entry(filing: Filing, act: str, principal: Principal, *, reason: str = "") -> AuditEntry:
    return AuditEntry(
        act=act,
        object_kind="filing",
        object_id=filing.filing_id,
        principal=principal,
        article=filing.article,
        rule_version=filing.rule_version,
        reason=reason,
        details={"filing_no": filing.filing_no, "rule": filing.rule, "round": filing.round},
    )


async def receive(tx: DeskTx, event: ReceivedEvent, *, desk: Desk) -> None:
    """Store, number and receipt an incoming filing; a filing that is here already stays as it is.

    Raises ``ForeignFilingError``.
    """
    submitted = event.payload
    assert isinstance(submitted, FilingSubmitted)  # noqa: S101 -- the registry types the payload
    if submitted.receiver_node != desk.node or submitted.filer.node != event.source_node:
        raise ForeignFilingError("not_this_desk")
    if not RULE.fullmatch(submitted.rule):
        raise ForeignFilingError("rule_not_readable")
    if submitted.filer.node not in desk.filers:
        raise ForeignFilingError("not_this_desks_to_take")
    if submitted.external and submitted.filer.node != desk.node:
        raise ForeignFilingError("external_filing_of_another_node")
    known = await tx.lock_filing(submitted.filing_id)
    if known is not None:
        if known.filer.node != event.source_node:
            raise ForeignFilingError("filing_of_another_node")
        return
    received_at = datetime.fromisoformat(event.received_at)
    serial = await tx.next_serial()
    arrived = domain.filed(
        submitted,
        filing_no=desk.number(submitted.rule, serial, received_at),
        serial=serial,
        received_at=received_at,
        entered_at=event.entered_at,
    )
    filing = replace(arrived, emitted=1)
    await tx.insert_filing(filing)
    await _arrived(tx, filing, event, desk=desk, before=None)


async def _arrived(
    tx: DeskTx, filing: Filing, event: ReceivedEvent, *, desk: Desk, before: str | None
) -> None:
    principal = _of_node(event)
    act = "receive" if before is None else "complete"
    await tx.add_step(
        filing, act, before=before, actor=principal.subject, reason="", at=filing.received_at
    )
    await tx.emit(events.received(filing, node=desk.node))
    await tx.record(_entry(filing, f"filing.{act}", principal))
    await tx.post([_arrival_message(filing)])
    if filing.external:
        await tx.ask_signature(desk.document(filing))
    due = None if filing.external else desk.due(RECORD_RULE, filing.received_at)
    if due is not None:
        await tx.start_clock(_record_clock(filing, due, desk=desk))


def _arrival_message(filing: Filing) -> Message:
    kind = "filing_external" if filing.external else "filing"
    what_zh = "待送平台外备案" if filing.external else "收到备案"
    what_en = "Filing to be sent outside the platform" if filing.external else "Filing received"
    if filing.round > 1:
        what_zh, what_en = f"{what_zh}（第{filing.round}轮）", f"{what_en} (round {filing.round})"
    return Message(
        item_id=f"filing:{filing.filing_id}:{filing.round}",
        address=authority_clerks(),
        kind=kind,
        title_zh=f"{what_zh} {filing.filing_no}：{filing.subject_title}",
        title_en=f"{what_en} {filing.filing_no}: {filing.subject_title}",
        case_kind="filing",
        case_id=filing.filing_id,
        case_no=filing.filing_no,
        link=_link(filing),
    )


def _record_clock(filing: Filing, due: DueDate, *, desk: Desk) -> ClockStarted:
    return ClockStarted(
        clock_id=_clock_id(filing),
        case_kind="filing",
        case_id=filing.filing_id,
        case_no=filing.filing_no,
        title=filing.subject_title,
        due=due,
        bound=desk.authority,
        escalate_to=desk.escalate_to(RECORD_RULE),
        started_at=filing.received_at.isoformat(),
    )


async def complete(tx: DeskTx, event: ReceivedEvent, *, desk: Desk) -> None:
    """Apply the filer's completion: a returned filing lies on the desk again.

    Raises ``UnknownFilingError`` before the filing has arrived, ``ForeignFilingError`` when
    another node than the filer's speaks.
    """
    payload = event.payload
    assert isinstance(payload, FilingCompleted)  # noqa: S101 -- the registry types the payload
    before = await _filed_by(tx, payload.filing_id, event)
    filing = domain.completed(
        before, payload, received_at=datetime.fromisoformat(event.received_at)
    )
    if before.state == "returned":
        filing = replace(filing, emitted=before.emitted + 1)
        await tx.update_filing(filing)
        await _arrived(tx, filing, event, desk=desk, before=before.state)
        return
    await tx.update_filing(filing)
    principal = _of_node(event)
    moment = datetime.fromisoformat(event.received_at)
    await tx.add_step(
        filing, "supplement", before=before.state, actor=principal.subject, reason="", at=moment
    )
    await tx.record(_entry(filing, "filing.supplement", principal))


async def _filed_by(tx: DeskTx, filing_id: str, event: ReceivedEvent) -> Filing:
    filing = await tx.lock_filing(filing_id)
    if filing is None:
        raise UnknownFilingError(filing_id)
    if filing.filer.node != event.source_node:
        raise ForeignFilingError("filing_of_another_node")
    return filing


async def keep_status(tx: DeskTx, event: ReceivedEvent) -> None:
    """Keep the read-only copy of the request's state, also before its filing has arrived."""
    payload = event.payload
    assert isinstance(payload, RequestStatus)  # noqa: S101 -- the registry types the payload
    await tx.keep_status(payload, source_node=event.source_node, version=event.case_version)


async def find_for_act(tx: DeskTx, filing_id: str) -> Filing:
    """Return a filing of this desk and hold its row; raises ``NotFound``."""
    filing = await tx.lock_filing(filing_id)
    if filing is None:
        raise NotFound
    return filing


async def record(tx: DeskTx, filing: Filing, *, by: Principal) -> Filing:
    """Record a filing (已备案); raises ``FilingMoveNotOpen``."""
    now = tx.now()
    return await _moved(
        tx, filing, "record", by=by, reason="",
        make=lambda: domain.recorded(filing, "record", by=by.subject, at=now),
    )  # fmt: skip


async def enter_external_number(
    tx: DeskTx, filing: Filing, *, number: str, by: Principal
) -> Filing:
    """Record a filing with the number that the authority outside the platform gave.

    Raises ``ExternalNumberMissing`` and ``FilingMoveNotOpen``.
    """
    external_no = number.strip()
    if not external_no:
        raise ExternalNumberMissing(field="external_no", article=filing.article)
    now = tx.now()
    return await _moved(
        tx, filing, "external_number", by=by, reason="",
        make=lambda: domain.recorded(
            filing, "external_number", by=by.subject, at=now, external_no=external_no
        ),
    )  # fmt: skip


async def return_for_completion(
    tx: DeskTx, filing: Filing, *, reason: str, by: Principal
) -> Filing:
    """Return a filing for completion; raises ``ReasonMissing`` and ``FilingMoveNotOpen``."""
    why = reason.strip()
    if not why:
        raise ReasonMissing(field="reason", article=filing.article)
    now = tx.now()
    return await _moved(
        tx, filing, "return", by=by, reason=why,
        make=lambda: domain.returned(filing, by=by.subject, at=now, reason=why),
    )  # fmt: skip


async def _moved(
    tx: DeskTx,
    filing: Filing,
    act: domain.Act,
    *,
    by: Principal,
    reason: str,
    make: Callable[[], Filing],
) -> Filing:
    try:
        moved = replace(make(), emitted=filing.emitted + 1)
    except IllegalMoveError as refused:
        raise FilingMoveNotOpen(
            state=refused.state,
            act=act,
            extra={"open_acts": list(domain.open_acts(refused.state))},
        ) from None
    now = tx.now()
    await tx.update_filing(moved)
    await tx.add_step(moved, act, before=filing.state, actor=by.subject, reason=reason, at=now)
    ended_by = "filing.returned" if act == "return" else "filing.recorded"
    await tx.emit(events.returned(moved) if act == "return" else events.recorded(moved))
    await tx.end_clock(_clock_id(filing), end_event=ended_by, at=now)
    await tx.record(_entry(moved, f"filing.{act}", by))
    return moved
