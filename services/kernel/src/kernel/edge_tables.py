"""Tables of the HTTP half of the kernel in schema ``kernel``: audit, idempotency, attachments.

Rows written here give every column that has no server default: hot routes bypass Python defaults.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(schema="kernel", naming_convention=NAMING)
INSTANT = DateTime(timezone=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


audit = Table(
    "audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", INSTANT, nullable=False),
    _text("node"),
    _text("service"),
    _text("subject"),
    _text("name"),
    _text("organisation"),
    _text("principal_kind"),
    _text("roles"),
    _text("token_id"),
    _text("trace_id"),
    _text("act"),
    _text("object_kind"),
    _text("object_id"),
    _text("article"),
    _text("rule_version"),
    _text("outcome"),
    _text("reason"),
    # JSON text, not JSONB: the leaf hashes exactly these characters
    _text("details"),
    Index("ix_audit_object_id", "object_id"),
    Index("ix_audit_organisation_id", "organisation", "id"),
)

audit_pending = Table("audit_pending", metadata, Column("id", Uuid, primary_key=True))

audit_batches = Table(
    "audit_batches",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    Column("ids", ARRAY(Uuid), nullable=False),
    # the leaf hashes, 32 bytes each, in the order of ids: they tell which row was changed
    Column("leaves", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    _text("restored_from"),
    Column("sealed_at", INSTANT, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _text("key_id"),
    Column("signature", LargeBinary, nullable=False),
)

audit_peer_heads = Table(
    "audit_peer_heads",
    metadata,
    _text("peer"),
    _text("service"),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("peer", "service", "number"),
)

idempotency = Table(
    "idempotency",
    metadata,
    _text("organisation"),
    _text("route"),
    _text("key"),
    Column("digest", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=True),
    Column("media_type", Text, nullable=True),
    Column("body", LargeBinary, nullable=True),
    Column("created_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("organisation", "route", "key"),
    Index("ix_idempotency_created_at", "created_at"),
)

attachments = Table(
    "attachments",
    metadata,
    _text("digest"),
    _text("organisation"),
    _text("media_type"),
    _text("name"),
    Column("size", BigInteger, nullable=False),
    _text("uploaded_by"),
    Column("uploaded_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("digest", "organisation"),
)

calendar_versions = Table(
    "calendar_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    _text("key_id"),
    Column("signature", LargeBinary, nullable=False),
    Column("loaded_at", INSTANT, nullable=False),
)

refusal_counts = Table(
    "refusal_counts",
    metadata,
    Column("minute", INSTANT, nullable=False),
    _text("source"),
    _text("reason"),
    Column("refusals", Integer, nullable=False),
    PrimaryKeyConstraint("minute", "source", "reason"),
)
