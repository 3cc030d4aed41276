"""The table of filings as their filer follows them."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table

from sharing.orm import instant, key, metadata, text

filings = Table(
    "filings",
    metadata,
    key("filing_id"),
    key("request_id", primary=False),
    text("request_no"),
    text("filer_org"),
    text("rule"),
    text("article"),
    text("receiver_node"),
    text("receiver_level"),
    Column("external", Boolean, nullable=False),
    text("rule_version"),
    text("submitted_by"),
    instant("submitted_at", null=False),
    text("state"),
    text("filing_no"),
    text("external_no"),
    instant("entered_at"),
    instant("stored_at"),
    instant("receipt_at"),
    text("recorded_by"),
    instant("recorded_at"),
    text("returned_by"),
    instant("returned_at"),
    text("return_reason"),
    instant("completed_at"),
    instant("alarmed_at"),
    Column("round", Integer, nullable=False),
    Column("emitted", BigInteger, nullable=False),
    Index("ix_filings_request_id", "request_id"),
    Index("ix_filings_filer_org", "filer_org", "filing_id"),
)
