"""HTTP models of the clock table."""

from datetime import date, datetime
from typing import Any, Literal

from contracts.events.base import OrganisationRef
from notify.clocks.domain import State, derive_state, ground_of
from notify.clocks.repository import Listed, Today
from notify.clocks.service import dates_of
from notify.schemas import View


class GroundView(View):
    """The ground of length and start; an article stands here only where its text carries it."""

    kind: Literal["law", "policy"]
    length_article: str | None
    start_event: str
    start_basis: Literal["text", "interpretation", "policy"]
    start_article: str | None
    sentence_zh: str
    sentence_en: str


class ClockView(View):
    """A deadline. ``due_on`` is the calendar's date, ``counts_on`` the one that decides.

    They differ when a new calendar gave an earlier date than the party was told. ``state`` is
    derived at the moment of reading.
    """

    clock_id: str
    case_kind: str
    case_id: str
    case_no: str
    title: str
    rule: str
    rule_title_zh: str
    rule_title_en: str
    rule_version: str
    state: State
    starts_on: date
    length: int
    unit: str
    due_on: date
    counts_on: date
    warn_on: date
    provisional: bool
    calendar_version: str
    ground: GroundView
    bound: OrganisationRef
    started_at: datetime
    ended_at: datetime | None
    end_event: str | None
    on_time: bool | None


class MarkView(View):
    """A reminder, overdue notice or escalation that was made."""

    kind: str
    due_on: date
    told: str | None
    spoken: bool
    at: datetime


class RedatingView(View):
    """A recomputation under another calendar."""

    calendar_before: str
    calendar_after: str
    due_before: date
    due_after: date
    counts_before: date
    counts_after: date
    outcome: str
    actor: str
    at: datetime


class ClockDetail(ClockView):
    """A deadline with what was said about it and how its dates changed."""

    marks: tuple[MarkView, ...]
    redatings: tuple[RedatingView, ...]


_COPIED = (
    "clock_id", "case_kind", "case_id", "case_no", "title", "rule", "rule_version", "starts_on",
    "length", "unit", "due_on", "counts_on", "warn_on", "provisional", "calendar_version",
    "started_at", "ended_at", "end_event", "on_time",
)  # fmt: skip


def to_view(listed: Listed, today: Today, *, titles: tuple[str, str]) -> ClockView:
    """Return a clock as a list shows it; ``titles`` are the rule's names (zh, en)."""
    return ClockView(**_values(listed, today, titles))


def _values(listed: Listed, today: Today, titles: tuple[str, str]) -> dict[str, Any]:
    row = listed.row
    ground = ground_of(
        kind=row.kind,
        article=row.article,
        start_event=row.start_event,
        start_basis=row.start_basis,
        length=row.length,
    )
    state = derive_state(
        dates_of(row),
        today.day,
        soon_until=today.soon_until,
        on_time=row.on_time,
        escalated=listed.escalated,
    )
    return {
        **{name: getattr(row, name) for name in _COPIED},
        "rule_title_zh": titles[0],
        "rule_title_en": titles[1],
        "state": state,
        "ground": GroundView(
            kind=ground.kind,
            length_article=ground.length_article,
            start_event=row.start_event,
            start_basis=ground.start_basis,
            start_article=ground.start_article,
            sentence_zh=ground.sentence_zh,
            sentence_en=ground.sentence_en,
        ),
        "bound": OrganisationRef(org_id=row.bound_org, name=row.bound_name, node=row.bound_node),
    }


def to_detail(
    listed: Listed, today: Today, *, titles: tuple[str, str], marks: Any, redatings: Any
) -> ClockDetail:
    """Return a clock with its marks and recomputations."""
    return ClockDetail(
        **_values(listed, today, titles),
        marks=tuple(
            MarkView(
                kind=mark.kind,
                due_on=mark.due_on,
                told=mark.told_org,
                spoken=mark.spoken,
                at=mark.at,
            )
            for mark in marks
        ),
        redatings=tuple(
            RedatingView(**{name: getattr(each, name) for name in RedatingView.model_fields})
            for each in redatings
        ),
    )
