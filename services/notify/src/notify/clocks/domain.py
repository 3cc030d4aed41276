"""What a deadline's dates mean today, and on what ground they stand.

States are derived from dates and from the acts that happened, never stored (domain SM tail).
All dates are civil dates in Asia/Shanghai.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from contracts.calendar import Calendar, Due, recompute

State = Literal["on_track", "due_soon", "overdue", "escalated", "ended_on_time", "ended_late"]
STATES: tuple[State, ...] = get_args(State)
OPEN_STATES: tuple[State, ...] = ("on_track", "due_soon", "overdue", "escalated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of one clock.

    ``due_on`` is what the calendar says, ``counts_on`` what the party may rely on: never earlier
    than what it was told. ``warn_on`` is the date that reminders use; past the calendar's horizon
    it is the pessimistic one. ``provisional`` (暂定): the year's schedule is not published yet.
    """

    due_on: date
    counts_on: date
    warn_on: date
    provisional: bool


def derive_state(
    dates: Dates,
    today: date,
    *,
    soon_until: date,
    on_time: bool | None,
    escalated: bool,
) -> State:
    """Return the state on ``today``; ``on_time`` is None while the clock runs.

    A provisional date never makes a clock overdue: the system does not guess against a party.
    ``soon_until`` is the last date that counts as due soon (one working day ahead, by policy).
    """
    if on_time is not None:
        return "ended_on_time" if on_time else "ended_late"
    if today > dates.counts_on and not dates.provisional:
        return "escalated" if escalated else "overdue"
    return "due_soon" if dates.warn_on <= soon_until else "on_track"


def ended_in_time(ended_on: date, dates: Dates) -> bool:
    """Tell whether an end on ``ended_on`` keeps the deadline."""
    return ended_on <= dates.counts_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Redated:
    """A clock's dates under another calendar.

    ``outcome`` is ``unchanged``, ``confirmed`` (same day, no longer provisional), ``extended`` or
    ``kept``: the official date is earlier than the told one, which goes on counting.
    """

    dates: Dates
    outcome: str


def redate(told: Dates, starts_on: date, *, length: int, calendar: Calendar) -> Redated:
    """Return the dates of a running clock under ``calendar``.

    A later official date extends the deadline; an earlier one never shortens what the party was
    told, because it relied on it (domain §5.3).
    """
    before = Due(told.counts_on, told.warn_on, told.provisional)
    official, counts_on, outcome = recompute(before, starts_on, length=length, calendar=calendar)
    dates = Dates(
        due_on=official.due_on,
        counts_on=counts_on,
        warn_on=official.remind_on,
        provisional=official.provisional,
    )
    return Redated(dates=dates, outcome=outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The ground of a deadline's length and start, as a screen may cite it.

    ``length_article`` is None for a policy rule, ``start_article`` is None unless the start
    stands in the article's own text.
    """

    kind: Literal["law", "policy"]
    length_article: str | None
    start_basis: Literal["text", "interpretation", "policy"]
    start_article: str | None
    sentence_zh: str
    sentence_en: str


_START_ZH = {"text": "条文规定", "interpretation": "解释，条文未规定起算时点", "policy": "平台政策"}
_START_EN = {
    "text": "stands in the text",
    "interpretation": "interpretation, the text names no start",
    "policy": "platform policy",
}


def ground_of(
    *, kind: Literal["law", "policy"], article: str, start_event: str,
    start_basis: Literal["text", "interpretation", "policy"], length: int,
) -> Ground:  # fmt: skip
    """Return what may be cited for a deadline of ``length`` working days."""
    length_article = article if kind == "law" else None
    start_article = article if kind == "law" and start_basis == "text" else None
    where_zh = length_article or "平台政策"
    where_en = length_article or "platform policy"
    start_zh = f"{start_article}，{_START_ZH['text']}" if start_article else _START_ZH[start_basis]
    start_en = f"{start_article}, {_START_EN['text']}" if start_article else _START_EN[start_basis]
    return Ground(
        kind=kind,
        length_article=length_article,
        start_basis=start_basis,
        start_article=start_article,
        sentence_zh=f"期限{length}个工作日（{where_zh}）；起算事件 {start_event}（{start_zh}）",
        sentence_en=f"{length} working days ({where_en}); starts with {start_event} ({start_en})",
    )
