"""Tables of what is known of the federation: every version of an entry that was seen, agencies."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from sharing.orm import document, instant, key, metadata, text

known_entries = Table(
    "known_entries",
    metadata,
    key("entry_id"),
    text("node"),
    text("providing_org"),
    text("state"),
    text("share_type"),
    Column("version", Integer, nullable=False),
    Column("record_version", BigInteger, nullable=False),
    document("body", null=False),
    instant("changed_at", null=False),
    Index("ix_known_entries_providing_org", "node", "providing_org"),
)

known_versions = Table(
    "known_versions",
    metadata,
    key("entry_id"),
    Column("version", Integer, primary_key=True),
    Column("record_version", BigInteger, nullable=False),
    document("body", null=False),
    instant("seen_at", null=False),
)

known_organisations = Table(
    "known_organisations",
    metadata,
    Column("org_id", text("org_id").type, primary_key=True),
    text("node"),
    text("state"),
    Column("record_version", BigInteger, nullable=False),
    document("body", null=False),
)
