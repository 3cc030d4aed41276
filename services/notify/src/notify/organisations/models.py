"""Rows of the replica of announced organisations."""

from sqlalchemy import Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base


class Organisation(Base):
    """An organisation as its node last announced it; the newer ``record_version`` wins."""

    __tablename__ = "organisations"
    __table_args__ = (Index("ix_organisations_kind", "node", "kind", "state"),)

    org_id: Mapped[str] = mapped_column(Text, primary_key=True)
    node: Mapped[str] = mapped_column(Text)
    region_code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    parent: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    record_version: Mapped[int] = mapped_column(Integer)
