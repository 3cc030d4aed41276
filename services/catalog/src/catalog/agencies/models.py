"""Agencies of this node, their appointments, and what is known of everybody else's agencies."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table
from sqlalchemy import text as sql

from catalog.orm import instant, key, metadata, text

agencies = Table(
    "agencies",
    metadata,
    text("org_id", primary=True),
    text("region_code"),
    text("name"),
    text("name_key"),
    text("short_name"),
    text("uscc", null=True),
    text("kind"),
    text("level"),
    text("parent", null=True),
    text("participation_basis"),
    text("state"),
    # position in the resource codes of this agency; never given twice (domain §3.2)
    Column("serial", Integer, nullable=False),
    Column("last_code", Integer, nullable=False),
    Column("record_version", BigInteger, nullable=False),
    instant("created_at", null=False),
    instant("changed_at", null=False),
    Index("uq_agencies_uscc", "uscc", unique=True, postgresql_where=sql("uscc IS NOT NULL")),
    Index("uq_agencies_region_code_serial", "region_code", "serial", unique=True),
    Index(
        "uq_agencies_name_key", "name_key", unique=True, postgresql_where=sql("state = 'active'")
    ),
    Index("ix_agencies_kind", "kind", "org_id"),
    CheckConstraint("serial > 0 AND last_code >= 0", name="serials"),
)

appointments = Table(
    "appointments",
    metadata,
    key("appointment_id"),
    text("org_id"),
    text("role"),
    text("subject"),
    text("name"),
    text("document"),
    text("since"),
    text("until", null=True),
    text("appointed_by"),
    instant("appointed_at", null=False),
    Index("ix_appointments_org_id", "org_id", "role"),
)

known_agencies = Table(
    "known_agencies",
    metadata,
    text("org_id", primary=True),
    text("node"),
    text("region_code"),
    text("name"),
    text("short_name"),
    text("uscc", null=True),
    text("kind"),
    text("level"),
    text("state"),
    Column("record_version", BigInteger, nullable=False),
    Index("ix_known_agencies_node", "node", "kind"),
)
