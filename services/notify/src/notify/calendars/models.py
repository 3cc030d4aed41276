"""Rows of calendar proposals."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant, Json


class CalendarProposal(Base):
    """A version of the calendar that somebody proposed; at counties, as the city announced it.

    ``document`` holds the canonical bytes of the whole calendar, ``base`` the version that it was
    made from. ``content`` is what the city's persons entered. ``signing`` names the row that the
    worker signs after the last confirmation.
    """

    __tablename__ = "calendar_proposals"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'confirmed', 'active', 'withdrawn')", name="state"),
        # one open proposal at a time: two would each be previewed against a base that the other
        # is about to replace
        Index(
            "uq_calendar_proposals_open",
            text("(true)"),
            unique=True,
            postgresql_where=text("state IN ('proposed', 'confirmed')"),
        ),
    )

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    base: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any] | None] = mapped_column(Json)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(Text)
    source_document: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    emitted: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[list[str]] = mapped_column(Json)
    signing: Mapped[Any | None] = mapped_column(Uuid)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(Text)
