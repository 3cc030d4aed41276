"""Tables of the bus half of the kernel that Core statements write; the others are SQL's alone.

All of them are made by the migration ``2026_11_25_0001_bus``.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

metadata = MetaData(schema="kernel")

CASE_CONSTRAINT = "uq_outbox_case"

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("transport", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("time", Text, nullable=False),
    Column("dataschema", Text, nullable=False),
    Column("case_space", Text, nullable=False),
    Column("case_version", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("traceparent", Text),
    Column("guard", Text),
    UniqueConstraint(
        "transport", "topic", "key", "case_space", "case_version", name=CASE_CONSTRAINT
    ),
)

organisations = Table(
    "organisations",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("record_version", BigInteger, nullable=False),
)

to_sign = Table(
    "to_sign",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("key_id", Text),
    Column("signature", LargeBinary),
    Column("signed_at", DateTime(timezone=True)),
)

receipts = Table(
    "receipts",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("receiver_node", Text, primary_key=True),
    Column("receiver_service", Text, primary_key=True),
    Column("event_type", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("payload_sha256", Text, nullable=False),
    Column("entered_at", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("receipt_id", Uuid, nullable=False),
    Column("returned_at", DateTime(timezone=True), nullable=False),
)
