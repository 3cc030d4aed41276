"""Rows that remember which steps of a deadline were taken."""

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant


class ClockMark(Base):
    """A step that was taken: its key makes the periodic job idempotent."""

    __tablename__ = "clock_marks"

    clock_id: Mapped[str] = mapped_column(Text, primary_key=True)
    mark: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    counts_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    told_org: Mapped[str | None] = mapped_column(Text)
    spoken: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime] = mapped_column(Instant)


class Alarm(Base):
    """An alarm about the node itself that was raised, by kind and occasion."""

    __tablename__ = "alarms"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    occasion: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
