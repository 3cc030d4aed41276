"""Rows of the inboxes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from notify.orm import Base, Instant

MAILBOX = (
    "CASE WHEN org_id <> '' THEN org_id WHEN role IS NOT NULL THEN '@' || role"
    " ELSE '~' || subject END"
)


class InboxItem(Base):
    """A message for one person, for a role of an organisation, or for a whole organisation."""

    __tablename__ = "inbox_items"
    __table_args__ = (
        CheckConstraint(
            "org_id <> '' OR role IS NOT NULL OR subject IS NOT NULL", name="addressed"
        ),
        Index("ix_inbox_items_mailbox", "mailbox", "at", "item_id"),
        Index("ix_inbox_items_case_id", "case_id"),
    )

    item_id: Mapped[str] = mapped_column(Text, primary_key=True)
    org_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    case_kind: Mapped[str] = mapped_column(Text)
    case_id: Mapped[str] = mapped_column(Text)
    case_no: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    # where the item lies: one key to look for, however it is addressed
    mailbox: Mapped[str] = mapped_column(Text, Computed(MAILBOX, persisted=True))


class InboxRead(Base):
    """Who has read an item, and when: an organisation's item is read person by person."""

    __tablename__ = "inbox_reads"

    item_id: Mapped[str] = mapped_column(
        Text, ForeignKey("inbox_items.item_id", ondelete="CASCADE"), primary_key=True
    )
    reader: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
