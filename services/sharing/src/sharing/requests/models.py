"""The table of requests: one row a side."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
from sqlalchemy import text as sql

from sharing.orm import document, instant, key, metadata, text

requests = Table(
    "requests",
    metadata,
    key("request_id"),
    Column("side", Text, primary_key=True),
    text("request_no"),
    text("kind"),
    text("state"),
    text("requester_org"),
    text("requester_node"),
    text("source_org"),
    text("source_node"),
    key("entry_id", primary=False),
    text("title"),
    text("rule_version"),
    Column("record_version", BigInteger, nullable=False),
    Column("emitted", BigInteger, nullable=False),
    document("asked", null=False),
    text("submission_digest", null=True),
    instant("submitted_at", null=False),
    Column("binding_version", Integer, nullable=True),
    instant("entered_at"),
    instant("stored_at"),
    instant("returned_at"),
    document("supplements"),
    document("review"),
    document("proposal"),
    document("reply"),
    document("reply_due"),
    document("deliver_due"),
    Column("clock_round", Integer, nullable=False),
    Column("grant_id", key("grant_id").type, nullable=True),
    instant("delivered_at"),
    instant("proved_at"),
    instant("confirmed_at"),
    instant("ended_at"),
    text("end_reason", null=True),
    instant("alarmed_at"),
    # The boxes of both sides are read newest first; UUIDv7 sorts by time.
    Index("ix_requests_sent", "requester_org", "request_id", postgresql_where=sql("side = 'sent'")),
    Index(
        "ix_requests_received",
        "source_org",
        "request_id",
        postgresql_where=sql("side = 'received'"),
    ),
    Index(
        "uq_requests_submission_digest",
        "submission_digest",
        unique=True,
        postgresql_where=sql(
            "side = 'sent' AND submission_digest IS NOT NULL AND state IN"
            " ('awaiting_approval', 'dispatched', 'received_by_source', 'needs_fix')"
        ),
    ),
    Index(
        "ix_requests_waiting",
        "state",
        "submitted_at",
        postgresql_where=sql("side = 'sent' AND state IN ('dispatched', 'delivered')"),
    ),
)
