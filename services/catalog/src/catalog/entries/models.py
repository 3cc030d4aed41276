"""Entries, their versions, claims on collected facts, and what depends on entries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
)
from sqlalchemy import (
    text as sql,
)

from catalog.orm import document, instant, key, metadata, text

entries = Table(
    "entries",
    metadata,
    key("entry_id"),
    text("providing_org"),
    text("region_code"),
    text("resource_code", null=True),
    text("standing"),
    text("copy"),
    Column("takedown", Boolean, nullable=False),
    # the one state that lists show; derived from the three above
    text("state"),
    Column("version", Integer, nullable=False),
    Column("record_version", BigInteger, nullable=False),
    # numbers the events of this case, on whatever topic they travel
    Column("emitted", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    text("title"),
    text("title_key"),
    # the working copy, or what was last in force
    document("content", null=False),
    Column("complete", Boolean, nullable=False),
    Column("source_pending", Boolean, nullable=False),
    document("provenance"),
    key("import_id", primary=False, null=True),
    text("rule_version"),
    document("trigger"),
    document("clocks", null=False),
    document("confidentiality"),
    document("takedown_request"),
    document("suspension"),
    text("opinion"),
    text("created_by"),
    text("submitted_by", null=True),
    instant("submitted_at"),
    text("accepted_by", null=True),
    instant("accepted_at"),
    text("decided_by", null=True),
    instant("decided_at"),
    instant("published_at"),
    instant("created_at", null=False),
    instant("changed_at", null=False),
    Index(
        "uq_entries_resource_code",
        "resource_code",
        unique=True,
        postgresql_where=sql("resource_code IS NOT NULL"),
    ),
    Index("ix_entries_providing_org", "providing_org", "state", "entry_id"),
    Index("ix_entries_state", "state", "entry_id"),
    Index(
        "ix_entries_copy",
        "copy",
        "entry_id",
        postgresql_where=sql("copy <> 'none' AND copy <> 'discarded'"),
    ),
    Index("ix_entries_title_key", "title_key"),
    Index(
        "ix_entries_import_id",
        "import_id",
        "entry_id",
        postgresql_where=sql("import_id IS NOT NULL"),
    ),
    CheckConstraint("(version > 0) = (resource_code IS NOT NULL)", name="code"),
)

entry_versions = Table(
    "entry_versions",
    metadata,
    key("entry_id"),
    Column("version", Integer, primary_key=True),
    document("content", null=False),
    document("diff", null=False),
    Column("edition", BigInteger, nullable=False),
    text("rule_version"),
    document("confidentiality"),
    text("submitted_by"),
    text("approved_by"),
    text("published_by"),
    instant("published_at", null=False),
    instant("superseded_at"),
)

source_claims = Table(
    "source_claims",
    metadata,
    # data element, kind of subject and jurisdiction: one collected fact (Article 15)
    text("fact", primary=True),
    text("org_id", primary=True),
    key("entry_id", primary=False),
    text("item"),
    text("function_basis"),
    text("state"),
    text("decision"),
    text("decided_by", null=True),
    instant("claimed_at", null=False),
    instant("decided_at"),
    Index("ix_source_claims_entry_id", "entry_id"),
    Index("ix_source_claims_state", "state", "fact"),
)

dependents = Table(
    "dependents",
    metadata,
    text("dependent_id", primary=True),
    text("kind"),
    key("entry_id", primary=False),
    Column("entry_version", Integer, nullable=False),
    document("holder", null=False),
    text("until", null=True),
    document("plan"),
    instant("added_at", null=False),
    text("ended_at", null=True),
    text("end_reason"),
    Index("ix_dependents_entry_id", "entry_id"),
)
