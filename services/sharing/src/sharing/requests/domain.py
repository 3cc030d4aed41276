"""The state machines of a share request (SM-2a, SM-2b, SM-3): one row a side, pure rules.

A request lives twice: ``sent`` at the requester's node, ``received`` at the source's. When one
node is both, it holds both rows and the same events pass between them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from contracts.events.base import DueDate
from contracts.events.catalog import EntryState
from contracts.events.sharing import (
    ConfidentialityReview,
    Finding,
    RequestDispatched,
    RequestReplied,
)

Side = Literal["sent", "received"]
ShareKind = Literal["unconditional", "conditional", "none"]


class RequestState(StrEnum):
    """Where a request stands; ``dispatched`` and ``received_by_source`` occur at the requester."""

    AWAITING_APPROVAL = "awaiting_approval"
    DISPATCHED = "dispatched"
    RECEIVED_BY_SOURCE = "received_by_source"
    RECEIVED = "received"
    NEEDS_FIX = "needs_fix"
    AGREED = "agreed"
    REFUSED = "refused"
    DELIVERED = "delivered"
    ACTIVE = "active"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    """What moves a request: a person's act, the other side's event, or a timer."""

    APPROVE = "approve"
    RECEIPT = "receipt"
    ASK_FIX = "ask_fix"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT = "supplement"
    AGREE = "agree"
    REFUSE = "refuse"
    DELIVER = "deliver"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    END = "end"


_S = RequestState
OPEN_STATES = frozenset(
    {_S.AWAITING_APPROVAL, _S.DISPATCHED, _S.RECEIVED_BY_SOURCE, _S.RECEIVED, _S.NEEDS_FIX}
)
TERMINAL_STATES = frozenset({_S.REFUSED, _S.ENDED, _S.WITHDRAWN})

# The requester's row follows persons at home and events from the source. A reply or a delivery
# may overtake the receipt, so both are taken from ``dispatched`` too.
_SENT: dict[Act, dict[RequestState, RequestState]] = {
    Act.APPROVE: {_S.AWAITING_APPROVAL: _S.DISPATCHED},
    Act.RECEIPT: {_S.DISPATCHED: _S.RECEIVED_BY_SOURCE},
    Act.ASK_FIX: {_S.DISPATCHED: _S.NEEDS_FIX, _S.RECEIVED_BY_SOURCE: _S.NEEDS_FIX},
    Act.ASK_SUPPLEMENT: {
        _S.DISPATCHED: _S.RECEIVED_BY_SOURCE,
        _S.RECEIVED_BY_SOURCE: _S.RECEIVED_BY_SOURCE,
    },
    Act.SUPPLEMENT: {
        _S.NEEDS_FIX: _S.RECEIVED_BY_SOURCE,
        _S.RECEIVED_BY_SOURCE: _S.RECEIVED_BY_SOURCE,
    },
    Act.AGREE: {
        _S.DISPATCHED: _S.AGREED,
        _S.RECEIVED_BY_SOURCE: _S.AGREED,
        _S.NEEDS_FIX: _S.AGREED,
    },
    Act.REFUSE: {
        _S.DISPATCHED: _S.REFUSED,
        _S.RECEIVED_BY_SOURCE: _S.REFUSED,
        _S.NEEDS_FIX: _S.REFUSED,
    },
    Act.DELIVER: {
        _S.DISPATCHED: _S.DELIVERED,
        _S.RECEIVED_BY_SOURCE: _S.DELIVERED,
        _S.NEEDS_FIX: _S.DELIVERED,
        _S.AGREED: _S.DELIVERED,
    },
    Act.CONFIRM: {_S.DELIVERED: _S.ACTIVE},
    Act.WITHDRAW: {
        _S.AWAITING_APPROVAL: _S.WITHDRAWN,
        _S.DISPATCHED: _S.WITHDRAWN,
        _S.RECEIVED_BY_SOURCE: _S.WITHDRAWN,
        _S.NEEDS_FIX: _S.WITHDRAWN,
    },
    # A grant that ended before its announcement left is announced as ended only.
    Act.END: {
        _S.DISPATCHED: _S.ENDED,
        _S.RECEIVED_BY_SOURCE: _S.ENDED,
        _S.NEEDS_FIX: _S.ENDED,
        _S.AGREED: _S.ENDED,
        _S.DELIVERED: _S.ENDED,
        _S.ACTIVE: _S.ENDED,
    },
}

# A withdrawal that crosses the reply on its way is taken from ``agreed`` too; the grant of a
# request that was already delivered is ended as returned.
_RECEIVED: dict[Act, dict[RequestState, RequestState]] = {
    Act.ASK_FIX: {_S.RECEIVED: _S.NEEDS_FIX},
    Act.ASK_SUPPLEMENT: {_S.RECEIVED: _S.RECEIVED},
    Act.SUPPLEMENT: {_S.NEEDS_FIX: _S.RECEIVED, _S.RECEIVED: _S.RECEIVED},
    Act.AGREE: {_S.RECEIVED: _S.AGREED},
    Act.REFUSE: {_S.RECEIVED: _S.REFUSED},
    Act.DELIVER: {_S.RECEIVED: _S.DELIVERED, _S.AGREED: _S.DELIVERED},
    Act.CONFIRM: {_S.DELIVERED: _S.ACTIVE},
    Act.WITHDRAW: {
        _S.RECEIVED: _S.WITHDRAWN,
        _S.NEEDS_FIX: _S.WITHDRAWN,
        _S.AGREED: _S.WITHDRAWN,
    },
    Act.END: {_S.DELIVERED: _S.ENDED, _S.ACTIVE: _S.ENDED},
}

TRANSITIONS: dict[Side, dict[Act, dict[RequestState, RequestState]]] = {
    "sent": _SENT,
    "received": _RECEIVED,
}


class IllegalTransitionError(Exception):
    """The act does not belong to the request's state; answered 409 and audited."""

    def __init__(self, state: RequestState, act: Act) -> None:
        super().__init__(f"{act} in {state}")
        self.state = state
        self.act = act


def next_state(side: Side, state: RequestState, act: Act) -> RequestState:
    """Return the state after ``act``; raise ``IllegalTransitionError`` when there is none."""
    following = TRANSITIONS[side][act].get(state)
    if following is None:
        raise IllegalTransitionError(state, act)
    return following


_STRICTNESS: tuple[ShareKind, ...] = ("unconditional", "conditional", "none")


def share_kind(entry: EntryState, items: tuple[str, ...]) -> ShareKind:
    """Return the share type that binds a request: the strictest of entry and asked items."""
    asked = frozenset(items)
    types = {entry.share_type} | {
        item.share_type for item in entry.items if item.name_en in asked and item.share_type
    }
    return max((kind for kind in _STRICTNESS if kind in types), key=_STRICTNESS.index)


def may(side: Side, state: RequestState, act: Act) -> bool:
    """Tell whether ``act`` is open in ``state``."""
    return state in TRANSITIONS[side][act]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement:
    """One round of asking for a supplement and answering it; the clock runs on."""

    round: int
    asked_by: str
    asked_at: datetime
    findings: tuple[Finding, ...]
    waits: bool
    answered_by: str | None = None
    answered_at: datetime | None = None
    explanation: str = ""
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The three instants of a receipt (corrections, 2).

    ``entered_at``: the bus acknowledged the event. ``stored_at``: the receiver stored it.
    ``returned_at``: the signed receipt was back at the sender; unknown to the receiver.
    """

    entered_at: datetime | None = None
    stored_at: datetime | None = None
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRequest:
    """One side of a request.

    ``asked`` is what was asked, with answered supplements worked in. ``kind`` is the share type
    that binds (that of the entry version in force at receipt, gate G17). ``emitted`` counts the
    events that this side has sent. ``rule_version`` stays as it was at submission. ``clock_round``
    counts the runs of D3, which are several only where a supplement stops it by policy.
    """

    side: Side
    asked: RequestDispatched
    state: RequestState
    kind: str
    rule_version: str
    submitted_at: datetime
    record_version: int = 1
    emitted: int = 0
    binding_version: int | None = None
    receipt: Receipt = Receipt()
    supplements: tuple[Supplement, ...] = ()
    review: ConfidentialityReview | None = None
    proposal: RequestReplied | None = None
    reply: RequestReplied | None = None
    reply_due: DueDate | None = None
    deliver_due: DueDate | None = None
    grant_id: str | None = None
    delivered_at: datetime | None = None
    proved_at: datetime | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    alarmed_at: datetime | None = None
    submission_digest: str | None = None
    clock_round: int = 1

    @property
    def request_id(self) -> str:
        """The root of the case."""
        return self.asked.request_id

    @property
    def open_supplement(self) -> Supplement | None:
        """The last round, when it still waits for an answer."""
        last = self.supplements[-1] if self.supplements else None
        return last if last is not None and last.answered_at is None else None
