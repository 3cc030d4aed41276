"""The table of grants (one row a side) and of the using systems' spent tokens."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text
from sqlalchemy import text as sql

from sharing.orm import document, instant, key, metadata, text

grants = Table(
    "grants",
    metadata,
    key("grant_id"),
    Column("side", Text, primary_key=True),
    key("request_id", primary=False),
    key("entry_id", primary=False),
    Column("entry_version", Integer, nullable=False),
    document("items", null=False),
    text("purpose"),
    text("mode"),
    text("holder_org"),
    text("holder_node"),
    document("holder", null=False),
    text("source_org"),
    text("source_node"),
    document("source", null=False),
    text("system_id"),
    text("public_jwk"),
    instant("valid_from", null=False),
    instant("valid_until", null=False),
    text("delivery_url"),
    text("rule_version"),
    text("state"),
    instant("proved_at"),
    instant("last_delivery_at"),
    Column("calls", BigInteger, nullable=False),
    Column("rows_delivered", BigInteger, nullable=False),
    text("end_reason"),
    text("explanation"),
    document("end_basis", null=False),
    text("ended_by"),
    instant("ended_at"),
    Column("record_version", BigInteger, nullable=False),
    Index("ix_grants_held", "holder_org", "grant_id", postgresql_where=sql("side = 'held'")),
    Index("ix_grants_issued", "source_org", "grant_id", postgresql_where=sql("side = 'issued'")),
    Index(
        "ix_grants_active_entry",
        "entry_id",
        postgresql_where=sql("side = 'issued' AND state = 'active'"),
    ),
    Index(
        "ix_grants_active_until",
        "valid_until",
        postgresql_where=sql("side = 'issued' AND state = 'active'"),
    ),
)

spent_tokens = Table(
    "spent_tokens",
    metadata,
    key("grant_id"),
    Column("jti_digest", Text, primary_key=True),
    instant("expires_at", null=False),
    Index("ix_spent_tokens_expires_at", "expires_at"),
)
