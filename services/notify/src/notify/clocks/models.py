"""Rows of the clock table."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Identity,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant

_RUNNING = text("ended_at IS NULL")


class Clock(Base):
    """One deadline: its ground, its dates, and its end. The state is derived, not a column."""

    __tablename__ = "clocks"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (on_time IS NULL)", name="ended"),
        CheckConstraint("counts_on >= due_on", name="reliance"),
        Index("ix_clocks_running", "counts_on", "clock_id", postgresql_where=_RUNNING),
        Index("ix_clocks_next_mark", "next_mark_on", "clock_id", postgresql_where=_RUNNING),
        Index("ix_clocks_bound", "bound_org", "counts_on", "clock_id"),
        Index("ix_clocks_ended", "ended_on", "rule", "on_time"),
        Index("ix_clocks_order", "counts_on", "clock_id"),
        Index("ix_clocks_case_id", "case_id"),
        Index("ix_clocks_changed_at", "changed_at"),
    )

    clock_id: Mapped[str] = mapped_column(Text, primary_key=True)
    case_kind: Mapped[str] = mapped_column(Text)
    case_id: Mapped[str] = mapped_column(Text)
    case_no: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    rule_version: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(Text)
    start_event: Mapped[str] = mapped_column(Text)
    start_basis: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    length: Mapped[int] = mapped_column(Integer)
    unit: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date] = mapped_column(Date)
    counts_on: Mapped[date] = mapped_column(Date)
    warn_on: Mapped[date] = mapped_column(Date)
    provisional: Mapped[bool] = mapped_column(Boolean)
    calendar_version: Mapped[str] = mapped_column(Text)
    bound_org: Mapped[str] = mapped_column(Text)
    bound_name: Mapped[str] = mapped_column(Text)
    bound_node: Mapped[str] = mapped_column(Text)
    escalate_to: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_on: Mapped[date | None] = mapped_column(Date)
    end_event: Mapped[str | None] = mapped_column(Text)
    on_time: Mapped[bool | None] = mapped_column(Boolean)
    next_mark_on: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class ClockRedating(Base):
    """A recomputation under another calendar: append-only, with who activated it."""

    __tablename__ = "clock_redatings"
    __table_args__ = (Index("ix_clock_redatings_clock_id", "clock_id", "redating_id"),)

    redating_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    clock_id: Mapped[str] = mapped_column(Text)
    calendar_before: Mapped[str] = mapped_column(Text)
    calendar_after: Mapped[str] = mapped_column(Text)
    due_before: Mapped[date] = mapped_column(Date)
    due_after: Mapped[date] = mapped_column(Date)
    counts_before: Mapped[date] = mapped_column(Date)
    counts_after: Mapped[date] = mapped_column(Date)
    outcome: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
