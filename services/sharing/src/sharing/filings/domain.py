"""States of a filing as its filer sees them (Article 20 ¶2); none of them holds up the request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.rules import ReceiverLevel


class FilingState(StrEnum):
    """``sent`` is ``queued`` whose event has left the outbox, so it is read, never stored."""

    QUEUED = "queued"
    SENT = "sent"
    RECEIVED = "received"
    RECORDED = "recorded"
    RETURNED = "returned"
    AWAITING_EXTERNAL_RECEIPT = "awaiting_external_receipt"


_S = FilingState
_AFTER: dict[FilingState, frozenset[FilingState]] = {
    _S.RECEIVED: frozenset({_S.QUEUED, _S.RETURNED}),
    _S.AWAITING_EXTERNAL_RECEIPT: frozenset({_S.QUEUED, _S.RETURNED}),
    _S.RECORDED: frozenset({_S.QUEUED, _S.RECEIVED, _S.AWAITING_EXTERNAL_RECEIPT, _S.RETURNED}),
    _S.RETURNED: frozenset({_S.QUEUED, _S.RECEIVED, _S.AWAITING_EXTERNAL_RECEIPT}),
    _S.QUEUED: frozenset({_S.RETURNED}),
}


def follows(state: FilingState, new: FilingState) -> bool:
    """Tell whether a filing in ``state`` may become ``new``; a completed one is queued again."""
    return state in _AFTER.get(new, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One filing of one request with one authority.

    ``rule`` is ``F2a`` (own level) or ``F2b`` (upper level). ``external`` marks a receiver outside
    the platform: the own node's desk keeps the document. ``entered_at``, ``stored_at`` and
    ``receipt_at`` are the three instants of the filing's receipt; ``round`` counts completions.
    """

    filing_id: str
    request_id: str
    request_no: str
    filer_org: str
    rule: str
    article: str
    receiver_node: str
    receiver_level: ReceiverLevel
    external: bool
    rule_version: str
    submitted_by: str
    submitted_at: datetime
    state: FilingState = FilingState.QUEUED
    filing_no: str = ""
    external_no: str = ""
    entered_at: datetime | None = None
    stored_at: datetime | None = None
    receipt_at: datetime | None = None
    recorded_by: str = ""
    recorded_at: datetime | None = None
    returned_by: str = ""
    returned_at: datetime | None = None
    return_reason: str = ""
    completed_at: datetime | None = None
    alarmed_at: datetime | None = None
    round: int = 1
    emitted: int = 1
