"""SM-1: what may happen to an entry, as one table.

An entry has a *standing* (what is in force) and at most one *working copy* on its way to become
the next version, so a change is reviewed while the version before stays in force, and an entry
can be suspended at once whatever its copy is doing. A takedown is a third, separate question.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts.events.base import DueDate


class Standing(StrEnum):
    """What is in force."""

    NONE = "none"
    PUBLISHED = "published"
    SUSPENDED = "suspended"
    OFFLINE = "offline"


class Copy(StrEnum):
    """Where the working copy stands."""

    NONE = "none"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    APPROVED = "approved"
    DISCARDED = "discarded"


class Act(StrEnum):
    """What moves an entry."""

    SUBMIT = "submit"
    RECALL = "recall"
    ACCEPT = "accept"
    RETURN = "return"
    APPROVE = "approve"
    PUBLISH = "publish"
    DISCARD = "discard"
    CHANGE = "change"
    EDIT = "edit"
    TRIGGER = "trigger"
    REVIEW_CONFIDENTIALITY = "review_confidentiality"
    TAKEDOWN = "takedown"
    APPROVE_TAKEDOWN = "approve_takedown"
    REFUSE_TAKEDOWN = "refuse_takedown"
    SUSPEND = "suspend"
    RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where an entry stands."""

    standing: Standing = Standing.NONE
    copy: Copy = Copy.DRAFT
    takedown: bool = False


class IllegalMoveError(Exception):
    """The act is not open in the entry's position; answered 409 and audited."""

    def __init__(self, position: Position, act: Act) -> None:
        super().__init__(f"{act} in {state_of(position)}")
        self.position = position
        self.act = act


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From which standings and copies an act is open, and what it changes."""

    standings: frozenset[Standing]
    copies: frozenset[Copy]
    takedown: bool = False
    to_standing: Standing | None = None
    to_copy: Copy | None = None
    to_takedown: bool | None = None


_S, _C = Standing, Copy
_ANY_STANDING = frozenset(Standing)
_IN_FORCE = frozenset({_S.PUBLISHED, _S.SUSPENDED})
_ANY_COPY = frozenset(Copy)
_EDITABLE = frozenset({_C.DRAFT, _C.RETURNED})


def _copy_step(*copies: Copy, to: Copy) -> _Step:
    return _Step(standings=_ANY_STANDING, copies=frozenset(copies), to_copy=to)


STEPS: dict[Act, _Step] = {
    Act.EDIT: _Step(standings=_ANY_STANDING, copies=_EDITABLE),
    Act.SUBMIT: _copy_step(_C.DRAFT, _C.RETURNED, to=_C.SUBMITTED),
    Act.RECALL: _copy_step(_C.SUBMITTED, to=_C.DRAFT),
    Act.ACCEPT: _copy_step(_C.SUBMITTED, to=_C.IN_REVIEW),
    Act.RETURN: _copy_step(_C.IN_REVIEW, to=_C.RETURNED),
    Act.APPROVE: _copy_step(_C.IN_REVIEW, to=_C.APPROVED),
    Act.PUBLISH: _Step(
        standings=_ANY_STANDING - {_S.SUSPENDED},
        copies=frozenset({_C.APPROVED}),
        to_standing=_S.PUBLISHED,
        to_copy=_C.NONE,
    ),
    # a draft that never was in force ends; the copy of an entry in force only goes away
    Act.DISCARD: _copy_step(*_EDITABLE, to=_C.DISCARDED),
    # from OFFLINE this is the restoration, which runs through the same review
    Act.CHANGE: _Step(
        standings=_ANY_STANDING - {_S.NONE}, copies=frozenset({_C.NONE}), to_copy=_C.DRAFT
    ),
    Act.TRIGGER: _Step(standings=_IN_FORCE, copies=_ANY_COPY),
    Act.REVIEW_CONFIDENTIALITY: _Step(standings=_ANY_STANDING, copies=_ANY_COPY - {_C.DISCARDED}),
    Act.TAKEDOWN: _Step(standings=_IN_FORCE, copies=_ANY_COPY, to_takedown=True),
    Act.APPROVE_TAKEDOWN: _Step(
        standings=_IN_FORCE,
        copies=_ANY_COPY,
        takedown=True,
        to_standing=_S.OFFLINE,
        to_copy=_C.NONE,
        to_takedown=False,
    ),
    Act.REFUSE_TAKEDOWN: _Step(
        standings=_IN_FORCE, copies=_ANY_COPY, takedown=True, to_takedown=False
    ),
    Act.SUSPEND: _Step(
        standings=frozenset({_S.PUBLISHED}), copies=_ANY_COPY, to_standing=_S.SUSPENDED
    ),
    Act.RESUME: _Step(
        standings=frozenset({_S.SUSPENDED}), copies=_ANY_COPY, to_standing=_S.PUBLISHED
    ),
}
# urgent acts, and going on with a copy's review, do not wait for a takedown to be decided
_WHATEVER_TAKEDOWN = frozenset(
    {Act.SUSPEND, Act.RESUME, Act.RETURN, Act.RECALL, Act.TRIGGER, Act.REVIEW_CONFIDENTIALITY}
)


def may(position: Position, act: Act) -> bool:
    """Tell whether the act is open."""
    step = STEPS[act]
    return (
        position.standing in step.standings
        and position.copy in step.copies
        and (act in _WHATEVER_TAKEDOWN or position.takedown == step.takedown)
    )


def move(position: Position, act: Act) -> Position:
    """Return the position after the act; raise ``IllegalMoveError`` when it is not open."""
    if not may(position, act):
        raise IllegalMoveError(position, act)
    step = STEPS[act]
    copy = position.copy if step.to_copy is None else step.to_copy
    if act is Act.DISCARD and position.standing is not Standing.NONE:
        copy = Copy.NONE
    return Position(
        standing=step.to_standing or position.standing,
        copy=copy,
        takedown=position.takedown if step.to_takedown is None else step.to_takedown,
    )


def open_acts(position: Position) -> tuple[Act, ...]:
    """Return what may happen next, for a screen and for the answer to an illegal act."""
    return tuple(act for act in Act if may(position, act))


def state_of(position: Position) -> str:
    """Return the one state that a list shows, a code of the vocabulary ``entry_state``."""
    if position.takedown:
        return "takedown_review"
    if position.standing is Standing.SUSPENDED:
        return "suspended"
    if position.standing is Standing.PUBLISHED:
        if position.copy is Copy.NONE:
            return "published"
        return "changing" if position.copy in _EDITABLE else "change_review"
    if position.copy is Copy.NONE:
        return "offline"
    return position.copy.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClock:
    """A deadline that was announced; one that has ended may run on from its old start."""

    clock_id: str
    due: DueDate
    bound: str
    running: bool = True
