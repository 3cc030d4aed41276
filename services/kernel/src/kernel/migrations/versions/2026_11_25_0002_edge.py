"""Audit, idempotency, attachments, calendars and refusal counts.

Revision ID: 2026_11_25_0002
Revises: 2026_11_25_0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "2026_11_25_0002"
down_revision = "2026_11_25_0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def upgrade() -> None:
    _audit()
    _requests()
    _documents()
    op.execute(
        """
        CREATE FUNCTION kernel.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = '0A000';
        END $$
        """
    )
    for table in ("audit", "audit_batches"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON kernel.{table} FOR EACH STATEMENT EXECUTE FUNCTION kernel.refuse_change()"
        )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *_text("node", "service", "subject", "name", "organisation", "principal_kind", "roles"),
        *_text("token_id", "trace_id", "act", "object_kind", "object_id", "article"),
        *_text("rule_version", "outcome", "reason", "details"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        schema="kernel",
    )
    op.create_index("ix_audit_object_id", "audit", ["object_id"], schema="kernel")
    op.create_index("ix_audit_organisation_id", "audit", ["organisation", "id"], schema="kernel")
    op.create_table(
        "audit_pending",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_pending"),
        schema="kernel",
    )
    op.create_table(
        "audit_batches",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        *_text("kind"),
        sa.Column("ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        *_text("restored_from"),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        *_text("key_id"),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_batches"),
        schema="kernel",
    )
    op.create_table(
        "audit_peer_heads",
        *_text("peer", "service"),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("peer", "service", "number", name="pk_audit_peer_heads"),
        schema="kernel",
    )


def _requests() -> None:
    op.create_table(
        "idempotency",
        *_text("organisation", "route", "key"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("media_type", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("organisation", "route", "key", name="pk_idempotency"),
        schema="kernel",
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], schema="kernel")
    op.create_table(
        "refusal_counts",
        sa.Column("minute", INSTANT, nullable=False),
        *_text("source", "reason"),
        sa.Column("refusals", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("minute", "source", "reason", name="pk_refusal_counts"),
        schema="kernel",
    )


def _documents() -> None:
    op.create_table(
        "attachments",
        *_text("digest", "organisation", "media_type", "name"),
        sa.Column("size", sa.BigInteger, nullable=False),
        *_text("uploaded_by"),
        sa.Column("uploaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", "organisation", name="pk_attachments"),
        schema="kernel",
    )
    op.create_table(
        "calendar_versions",
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        *_text("key_id"),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_calendar_versions"),
        schema="kernel",
    )


def downgrade() -> None:
    for table in (
        "calendar_versions",
        "attachments",
        "refusal_counts",
        "idempotency",
        "audit_peer_heads",
        "audit_batches",
        "audit_pending",
        "audit",
    ):
        op.drop_table(table, schema="kernel")
    op.execute("DROP FUNCTION kernel.refuse_change()")
