"""Rows of calendar proposals."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant


class CalendarProposal(Base):
    """A version of the calendar that somebody proposed; at counties, as the city announced it.

    ``document`` holds the canonical bytes of the whole calendar, ``base`` the version that it was
    made from. ``record_version`` grows with every announcement of the proposal.
    """

    __tablename__ = "calendar_proposals"
    __table_args__ = (
        CheckConstraint("state IN ('proposed', 'active', 'withdrawn')", name="state"),
        # one open proposal at a time: two would each be previewed against a base that the other
        # is about to replace
        Index("uq_calendar_proposals_open", "state", unique=True,
              postgresql_where=text("state = 'proposed'")),
    )  # fmt: skip

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    base: Mapped[str] = mapped_column(Text)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(Text)
    source_document: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    record_version: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(Text)


class CalendarConfirmation(Base):
    """A person other than the importer confirms a proposal."""

    __tablename__ = "calendar_confirmations"

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    person: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
