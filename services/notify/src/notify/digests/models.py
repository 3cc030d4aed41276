"""Rows of digests: what this node sent, and what lower nodes sent here."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant, Json


class DigestSent(Base):
    """The last digest that this node sent to its upper node; one row a receiver."""

    __tablename__ = "digests_sent"

    receiver: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(Text)
    as_of: Mapped[datetime] = mapped_column(Instant)
    civil_date: Mapped[date] = mapped_column(Date)


class DigestHeld(Base):
    """The newest digest of a lower node."""

    __tablename__ = "digests_held"

    node: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    overdue_cases: Mapped[list[str]] = mapped_column(Json)
