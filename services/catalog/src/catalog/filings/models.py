"""Filings F1 as their filer keeps them."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from catalog.orm import document, instant, key, metadata, text

entry_filings = Table(
    "entry_filings",
    metadata,
    key("filing_id"),
    key("entry_id", primary=False),
    text("providing_org"),
    Column("version", Integer, nullable=False),
    text("rule"),
    text("article"),
    text("receiver_node"),
    text("state"),
    text("filing_no", null=True),
    document("parts", null=False),
    document("submitted", null=False),
    Column("emitted", BigInteger, nullable=False),
    text("reason"),
    text("submitted_by"),
    instant("submitted_at", null=False),
    text("received_at", null=True),
    text("recorded_at", null=True),
    text("returned_at", null=True),
    Index("ix_entry_filings_entry_id", "entry_id"),
    Index("ix_entry_filings_providing_org", "providing_org", "filing_id"),
)
