"""What is known of the federation, requests, grants, filings, datasets.

Revision ID: sharing_2026_11_25_0001
Revises:
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

revision = "sharing_2026_11_25_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "dataset_rows",
    "datasets",
    "spent_tokens",
    "filings",
    "grants",
    "requests",
    "known_organisations",
    "known_versions",
    "known_entries",
)


def _of(kind: Any, names: str) -> list[sa.Column[Any]]:
    """Columns of one kind; a name that ends in ``?`` may be null."""
    return [
        sa.Column(name.rstrip("?"), kind, nullable=name.endswith("?")) for name in names.split()
    ]


def _uuid(names: str) -> list[sa.Column[Any]]:
    return _of(UUID(as_uuid=False), names)


def _text(names: str) -> list[sa.Column[Any]]:
    return _of(sa.Text(), names)


def _instant(names: str) -> list[sa.Column[Any]]:
    return _of(sa.DateTime(timezone=True), names)


def _json(names: str) -> list[sa.Column[Any]]:
    return _of(JSONB(none_as_null=True), names)


def _integer(names: str) -> list[sa.Column[Any]]:
    return _of(sa.Integer(), names)


def _big(names: str) -> list[sa.Column[Any]]:
    return _of(sa.BigInteger(), names)


def _flag(names: str) -> list[sa.Column[Any]]:
    return _of(sa.Boolean(), names)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def upgrade() -> None:
    _known()
    _requests()
    _grants()
    _filings()
    _datasets()


def _known() -> None:
    op.create_table(
        "known_entries",
        *_uuid("entry_id"),
        *_text("node providing_org state share_type"),
        *_integer("version"),
        *_big("record_version"),
        *_json("body"),
        *_instant("changed_at"),
        _key("known_entries", "entry_id"),
    )
    op.create_index("ix_known_entries_providing_org", "known_entries", ["node", "providing_org"])
    op.create_table(
        "known_versions",
        *_uuid("entry_id"),
        *_integer("version"),
        *_big("record_version"),
        *_json("body"),
        *_instant("seen_at"),
        _key("known_versions", "entry_id", "version"),
    )
    op.create_table(
        "known_organisations",
        *_text("org_id node state"),
        *_big("record_version"),
        *_json("body"),
        _key("known_organisations", "org_id"),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        *_uuid("request_id"),
        *_text("side request_no kind state requester_org requester_node source_org source_node"),
        *_uuid("entry_id"),
        *_text("title rule_version"),
        *_big("record_version emitted"),
        *_json("asked"),
        *_text("submission_digest?"),
        *_instant("submitted_at"),
        *_integer("binding_version?"),
        *_instant("entered_at? stored_at? returned_at?"),
        *_json("supplements? review? proposal? reply? reply_due? deliver_due?"),
        *_integer("clock_round"),
        *_uuid("grant_id?"),
        *_instant("delivered_at? proved_at? confirmed_at? ended_at?"),
        *_text("end_reason?"),
        *_instant("alarmed_at?"),
        _key("requests", "request_id", "side"),
    )
    sent, received = sa.text("side = 'sent'"), sa.text("side = 'received'")
    op.create_index(
        "ix_requests_sent", "requests", ["requester_org", "request_id"], postgresql_where=sent
    )
    op.create_index(
        "ix_requests_received", "requests", ["source_org", "request_id"], postgresql_where=received
    )
    op.create_index(
        "uq_requests_submission_digest",
        "requests",
        ["submission_digest"],
        unique=True,
        postgresql_where=sa.text(
            "side = 'sent' AND submission_digest IS NOT NULL AND state IN"
            " ('awaiting_approval', 'dispatched', 'received_by_source', 'needs_fix')"
        ),
    )
    op.create_index(
        "ix_requests_waiting",
        "requests",
        ["state", "submitted_at"],
        postgresql_where=sa.text("side = 'sent' AND state IN ('dispatched', 'delivered')"),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        *_uuid("grant_id"),
        *_text("side"),
        *_uuid("request_id entry_id"),
        *_integer("entry_version"),
        *_json("items"),
        *_text("purpose mode holder_org holder_node"),
        *_json("holder"),
        *_text("source_org source_node"),
        *_json("source"),
        *_text("system_id public_jwk"),
        *_instant("valid_from valid_until"),
        *_text("delivery_url rule_version state"),
        *_instant("proved_at? last_delivery_at?"),
        *_big("calls rows_delivered"),
        *_text("end_reason explanation"),
        *_json("end_basis"),
        *_text("ended_by"),
        *_instant("ended_at?"),
        *_big("record_version"),
        _key("grants", "grant_id", "side"),
    )
    held, issued = sa.text("side = 'held'"), sa.text("side = 'issued'")
    active = sa.text("side = 'issued' AND state = 'active'")
    op.create_index("ix_grants_held", "grants", ["holder_org", "grant_id"], postgresql_where=held)
    op.create_index(
        "ix_grants_issued", "grants", ["source_org", "grant_id"], postgresql_where=issued
    )
    op.create_index("ix_grants_active_entry", "grants", ["entry_id"], postgresql_where=active)
    op.create_index("ix_grants_active_until", "grants", ["valid_until"], postgresql_where=active)
    op.create_table(
        "spent_tokens",
        *_uuid("grant_id"),
        *_text("jti_digest"),
        *_instant("expires_at"),
        _key("spent_tokens", "grant_id", "jti_digest"),
    )
    op.create_index("ix_spent_tokens_expires_at", "spent_tokens", ["expires_at"])


def _filings() -> None:
    op.create_table(
        "filings",
        *_uuid("filing_id request_id"),
        *_text("request_no filer_org rule article receiver_node receiver_level"),
        *_flag("external"),
        *_text("rule_version submitted_by"),
        *_instant("submitted_at"),
        *_text("state filing_no external_no"),
        *_instant("entered_at? stored_at? receipt_at?"),
        *_text("recorded_by"),
        *_instant("recorded_at?"),
        *_text("returned_by"),
        *_instant("returned_at?"),
        *_text("return_reason"),
        *_instant("completed_at? alarmed_at?"),
        *_integer("round"),
        *_big("emitted"),
        _key("filings", "filing_id"),
    )
    op.create_index("ix_filings_request_id", "filings", ["request_id"])
    op.create_index("ix_filings_filer_org", "filings", ["filer_org", "filing_id"])


def _datasets() -> None:
    op.create_table(
        "datasets",
        *_uuid("dataset_id entry_id"),
        *_text("org_id node"),
        *_integer("entry_version"),
        *_json("columns"),
        *_text("encoding digest"),
        *_big("size rows"),
        *_flag("current"),
        *_text("uploaded_by"),
        *_instant("uploaded_at replaced_at?"),
        _key("datasets", "dataset_id"),
    )
    op.create_index(
        "uq_datasets_current",
        "datasets",
        ["entry_id"],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    op.create_table(
        "dataset_rows",
        *_uuid("dataset_id"),
        *_big("row_no"),
        sa.Column("cells", ARRAY(sa.Text()), nullable=False),
        _key("dataset_rows", "dataset_id", "row_no"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
