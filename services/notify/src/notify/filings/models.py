"""Rows of the filing desk."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Identity,
    Index,
    Integer,
    Sequence,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant, Json

# Numbers may have gaps (a rolled-back arrival leaves one); they are never used twice. A counter
# row would make every arrival queue for it.
filing_serial = Sequence("filing_serial", metadata=Base.metadata)


class FilingRow(Base):
    """One filing as this desk holds it: the fields of ``domain.Filing``."""

    __tablename__ = "filings"
    __table_args__ = (
        CheckConstraint(
            "state IN ('received', 'awaiting_external_receipt', 'recorded', 'returned')",
            name="state",
        ),
        CheckConstraint("(state = 'recorded') = (recorded_at IS NOT NULL)", name="recorded"),
        Index("ix_filings_order", "received_at", "filing_id"),
        Index("ix_filings_desk", "state", "received_at", "filing_id"),
        Index("ix_filings_filer", "filer_org", "received_at", "filing_id"),
        Index("ix_filings_subject_id", "subject_id"),
    )

    filing_id: Mapped[str] = mapped_column(Text, primary_key=True)
    filing_no: Mapped[str] = mapped_column(Text, unique=True)
    serial: Mapped[int] = mapped_column(BigInteger, unique=True)
    rule: Mapped[str] = mapped_column(Text)
    rule_version: Mapped[str] = mapped_column(Text)
    article: Mapped[str] = mapped_column(Text)
    filer: Mapped[dict[str, Any]] = mapped_column(Json)
    filer_org: Mapped[str] = mapped_column(Text)
    filer_node: Mapped[str] = mapped_column(Text)
    receiver_level: Mapped[str] = mapped_column(Text)
    external: Mapped[bool] = mapped_column(Boolean)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[str] = mapped_column(Text)
    subject_no: Mapped[str] = mapped_column(Text)
    subject_title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    counterpart: Mapped[dict[str, Any] | None] = mapped_column(Json)
    relation: Mapped[str] = mapped_column(Text)
    basis: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    submitted_by: Mapped[str] = mapped_column(Text)
    submitted_at: Mapped[str] = mapped_column(Text)
    reply_to: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(Integer)
    received_at: Mapped[datetime] = mapped_column(Instant)
    entered_at: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime | None] = mapped_column(Instant)
    recorded_by: Mapped[str | None] = mapped_column(Text)
    external_no: Mapped[str | None] = mapped_column(Text)
    returned_at: Mapped[datetime | None] = mapped_column(Instant)
    returned_by: Mapped[str | None] = mapped_column(Text)
    return_reason: Mapped[str | None] = mapped_column(Text)
    emitted: Mapped[int] = mapped_column(Integer)


class FilingStep(Base):
    """What happened to a filing: append-only history, in order of ``step_id``."""

    __tablename__ = "filing_steps"
    __table_args__ = (Index("ix_filing_steps_filing_id", "filing_id", "step_id"),)

    step_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    filing_id: Mapped[str] = mapped_column(Text)
    act: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class SubjectStatus(Base):
    """The latest read-only copy of a request's state that a node sent for a filing.

    Apart from ``filings``, because a copy may arrive before the filing itself: the two travel
    under different keys. Keyed by the sending node too, so that a stranger's copy hides no other.
    """

    __tablename__ = "subject_statuses"

    filing_id: Mapped[str] = mapped_column(Text, primary_key=True)
    source_node: Mapped[str] = mapped_column(Text, primary_key=True)
    request_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(Text)
    case_version: Mapped[int] = mapped_column(Integer)
    due: Mapped[dict[str, Any] | None] = mapped_column(Json)
