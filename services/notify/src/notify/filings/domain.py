"""Filings at the desk (备案, Articles 14 ¶2 and 20 ¶2): what they hold and who may move them.

Filing is not approval: no move here touches the subject's state, and a returned filing asks for
completion only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from contracts.events.base import Basis, OrganisationRef
from contracts.events.filing import FilingCompleted, FilingSubmitted

State = Literal["received", "awaiting_external_receipt", "recorded", "returned"]
Act = Literal["record", "external_number", "return"]

STATES: tuple[State, ...] = get_args(State)

_MOVES: Mapping[tuple[State, Act], State] = {
    ("received", "record"): "recorded",
    ("received", "return"): "returned",
    ("awaiting_external_receipt", "external_number"): "recorded",
    ("awaiting_external_receipt", "return"): "returned",
}


class IllegalMoveError(ValueError):
    """The act is not open in this state."""

    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not open in state {state}")
        self.state = state
        self.act = act


def arrival_state(*, external: bool) -> State:
    """Return the state of a filing on arrival.

    A receiver outside the platform (the province) has not seen it yet: the own desk keeps the
    document and waits for the external number.
    """
    return "awaiting_external_receipt" if external else "received"


def move(state: State, act: Act) -> State:
    """Return the state after a clerk's act; raises ``IllegalMoveError``."""
    try:
        return _MOVES[state, act]
    except KeyError:
        raise IllegalMoveError(state, act) from None


def open_acts(state: State) -> tuple[Act, ...]:
    """Return what a clerk may do in ``state``."""
    return tuple(act for (source, act) in _MOVES if source == state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One filing as this desk holds it.

    ``received_at`` is when the desk's node stored it (again, after a completion), ``entered_at``
    when the bus acknowledged it (RFC 3339). ``round`` counts completions; ``emitted`` numbers the
    events that the desk has sent about it.
    """

    filing_id: str
    filing_no: str
    serial: int
    rule: str
    rule_version: str
    article: str
    filer: OrganisationRef
    receiver_level: str
    external: bool
    subject_kind: str
    subject_id: str
    subject_no: str
    subject_title: str
    summary: str
    counterpart: OrganisationRef | None
    relation: str
    basis: tuple[Basis, ...]
    submitted_by: str
    submitted_at: str
    reply_to: Literal["sharing", "catalog"]
    state: State
    received_at: datetime
    entered_at: str
    round: int = 1
    recorded_at: datetime | None = None
    recorded_by: str | None = None
    external_no: str | None = None
    returned_at: datetime | None = None
    returned_by: str | None = None
    return_reason: str | None = None
    emitted: int = 0


def filed(
    event: FilingSubmitted,
    *,
    filing_no: str,
    serial: int,
    received_at: datetime,
    entered_at: str,
) -> Filing:
    """Return the filing as it lies on the desk on arrival."""
    return Filing(
        filing_id=event.filing_id,
        filing_no=filing_no,
        serial=serial,
        rule=event.rule,
        rule_version=event.rule_version,
        article=event.article,
        filer=event.filer,
        receiver_level=event.receiver_level,
        external=event.external,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        subject_no=event.subject_no,
        subject_title=event.subject_title,
        summary=event.summary,
        counterpart=event.counterpart,
        relation=event.relation,
        basis=event.basis,
        submitted_by=event.submitted_by,
        submitted_at=event.submitted_at,
        reply_to=event.reply_to,
        state=arrival_state(external=event.external),
        received_at=received_at,
        entered_at=entered_at,
    )


def recorded(
    filing: Filing, act: Act, *, by: str, at: datetime, external_no: str | None = None
) -> Filing:
    """Return the filing as recorded (已备案); raises ``IllegalMoveError``."""
    return replace(
        filing, state=move(filing.state, act), recorded_by=by, recorded_at=at,
        external_no=external_no,
    )  # fmt: skip


def returned(filing: Filing, *, by: str, at: datetime, reason: str) -> Filing:
    """Return the filing as returned for completion (退回补正); raises ``IllegalMoveError``."""
    state = move(filing.state, "return")
    return replace(filing, state=state, returned_by=by, returned_at=at, return_reason=reason)


def completed(filing: Filing, event: FilingCompleted, *, received_at: datetime) -> Filing:
    """Return the filing after the filer's completion.

    A returned filing lies on the desk as it did on arrival, one round later. A completion that
    meets any other state adds to the file and moves nothing: a filing may always be supplemented.
    """
    fresh = replace(filing, summary=event.summary, basis=event.basis or filing.basis)
    if filing.state != "returned":
        return fresh
    return replace(
        fresh,
        state=arrival_state(external=filing.external),
        round=filing.round + 1,
        received_at=received_at,
    )
