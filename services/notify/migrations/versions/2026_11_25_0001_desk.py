"""The filing desk, clocks and their marks, inboxes, digests, calendar proposals, organisations.

Revision ID: notify_2026_11_25_0001
Revises:
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notify_2026_11_25_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "filings", "filing_steps", "subject_statuses", "clocks", "clock_redatings", "clock_marks",
    "alarms", "inbox_reads", "inbox_items", "digests_sent", "digests_held",
    "calendar_proposals", "organisations",
)  # fmt: skip


MAILBOX = (
    "CASE WHEN org_id <> '' THEN org_id WHEN role IS NOT NULL THEN '@' || role"
    " ELSE '~' || subject END"
)


def _columns(kind: Any, *names: str) -> list[sa.Column[Any]]:
    """Columns of one kind; a name that ends in ``?`` may be null."""
    return [
        sa.Column(name.rstrip("?"), kind, nullable=name.endswith("?"))
        for name in names
    ]  # fmt: skip


def _text(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.Text(), *names)


def _instant(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.DateTime(timezone=True), *names)


def _date(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.Date(), *names)


def _integer(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.Integer(), *names)


def _big(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.BigInteger(), *names)


def _flag(*names: str) -> list[sa.Column[Any]]:
    return _columns(sa.Boolean(), *names)


def _json(*names: str) -> list[sa.Column[Any]]:
    return _columns(JSONB(none_as_null=True), *names)


def _serial(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), sa.Identity(), nullable=False)


def _key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names, name=f"pk_{table}")


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("filing_serial")))
    _filings()
    _filing_history()
    _clocks()
    _clock_history()
    _inbox()
    _digests()
    _calendars()
    _organisations()


def _filings() -> None:
    op.create_table(
        "filings",
        *_text("filing_id", "filing_no"),
        *_big("serial"),
        *_text("rule", "rule_version", "article"),
        *_json("filer"),
        *_text("filer_org", "filer_node", "receiver_level"),
        *_flag("external"),
        *_text("subject_kind", "subject_id", "subject_no", "subject_title", "summary"),
        *_json("counterpart?"),
        *_text("relation"),
        *_json("basis"),
        *_text("submitted_by", "submitted_at", "reply_to", "state"),
        *_integer("round"),
        *_instant("received_at"),
        *_text("entered_at"),
        *_instant("recorded_at?"),
        *_text("recorded_by?", "external_no?"),
        *_instant("returned_at?"),
        *_text("returned_by?", "return_reason?"),
        *_integer("emitted"),
        _key("filings", "filing_id"),
        sa.UniqueConstraint("filing_no", name="uq_filings_filing_no"),
        sa.UniqueConstraint("serial", name="uq_filings_serial"),
        sa.CheckConstraint(
            "state IN ('received', 'awaiting_external_receipt', 'recorded', 'returned')",
            name="ck_filings_state",
        ),
        sa.CheckConstraint(
            "(state = 'recorded') = (recorded_at IS NOT NULL)", name="ck_filings_recorded"
        ),
    )
    op.create_index("ix_filings_order", "filings", ["received_at", "filing_id"])
    op.create_index("ix_filings_desk", "filings", ["state", "received_at", "filing_id"])
    op.create_index("ix_filings_filer", "filings", ["filer_org", "received_at", "filing_id"])
    op.create_index("ix_filings_subject_id", "filings", ["subject_id"])


def _filing_history() -> None:
    op.create_table(
        "filing_steps",
        _serial("step_id"),
        *_text("filing_id", "act", "before?", "after", "actor", "reason"),
        *_instant("at"),
        _key("filing_steps", "step_id"),
    )
    op.create_index("ix_filing_steps_filing_id", "filing_steps", ["filing_id", "step_id"])
    op.create_table(
        "subject_statuses",
        *_text("filing_id", "source_node", "request_id", "state", "at"),
        *_integer("case_version"),
        *_json("due?"),
        _key("subject_statuses", "filing_id", "source_node"),
    )


def _clocks() -> None:
    op.create_table(
        "clocks",
        *_text("clock_id", "case_kind", "case_id", "case_no", "title", "rule", "rule_version"),
        *_text("kind", "article", "start_event", "start_basis"),
        *_date("starts_on"),
        *_integer("length"),
        *_text("unit"),
        *_date("due_on", "counts_on", "warn_on"),
        *_flag("provisional"),
        *_text("calendar_version", "bound_org", "bound_name", "bound_node", "escalate_to"),
        *_instant("started_at", "ended_at?"),
        *_date("ended_on?"),
        *_text("end_event?"),
        *_flag("on_time?"),
        *_date("next_mark_on?"),
        *_instant("changed_at"),
        _key("clocks", "clock_id"),
        sa.CheckConstraint("(ended_at IS NULL) = (on_time IS NULL)", name="ck_clocks_ended"),
        sa.CheckConstraint("counts_on >= due_on", name="ck_clocks_reliance"),
    )
    running = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_clocks_running", "clocks", ["counts_on", "clock_id"], postgresql_where=running
    )
    op.create_index(
        "ix_clocks_next_mark", "clocks", ["next_mark_on", "clock_id"], postgresql_where=running
    )
    op.create_index("ix_clocks_bound", "clocks", ["bound_org", "counts_on", "clock_id"])
    op.create_index("ix_clocks_ended", "clocks", ["ended_on", "rule", "on_time"])
    op.create_index("ix_clocks_order", "clocks", ["counts_on", "clock_id"])
    op.create_index("ix_clocks_case_id", "clocks", ["case_id"])
    op.create_index("ix_clocks_changed_at", "clocks", ["changed_at"])


def _clock_history() -> None:
    op.create_table(
        "clock_redatings",
        _serial("redating_id"),
        *_text("clock_id", "calendar_before", "calendar_after"),
        *_date("due_before", "due_after", "counts_before", "counts_after"),
        *_text("outcome", "actor"),
        *_instant("at"),
        _key("clock_redatings", "redating_id"),
    )
    op.create_index("ix_clock_redatings_clock_id", "clock_redatings", ["clock_id", "redating_id"])
    op.create_table(
        "clock_marks",
        *_text("clock_id", "mark", "kind"),
        *_date("counts_on", "due_on"),
        *_text("told_org?"),
        *_flag("spoken"),
        *_instant("at"),
        _key("clock_marks", "clock_id", "mark"),
    )
    op.create_table(
        "alarms", *_text("kind", "occasion"), *_instant("at"), _key("alarms", "kind", "occasion")
    )


def _inbox() -> None:
    op.create_table(
        "inbox_items",
        *_text("item_id", "org_id", "role?", "subject?", "kind", "title_zh", "title_en"),
        *_text("case_kind", "case_id", "case_no", "link"),
        *_instant("at"),
        sa.Column("mailbox", sa.Text(), sa.Computed(MAILBOX, persisted=True), nullable=False),
        _key("inbox_items", "item_id"),
        sa.CheckConstraint(
            "org_id <> '' OR role IS NOT NULL OR subject IS NOT NULL",
            name="ck_inbox_items_addressed",
        ),
    )
    op.create_index("ix_inbox_items_mailbox", "inbox_items", ["mailbox", "at", "item_id"])
    op.create_index("ix_inbox_items_case_id", "inbox_items", ["case_id"])
    op.create_table(
        "inbox_reads",
        *_text("item_id", "reader"),
        *_instant("at"),
        _key("inbox_reads", "item_id", "reader"),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["inbox_items.item_id"],
            name="fk_inbox_reads_item_id",
            ondelete="CASCADE",
        ),
    )


def _digests() -> None:
    op.create_table(
        "digests_sent",
        *_text("receiver"),
        *_big("number"),
        *_text("content"),
        *_instant("as_of"),
        *_date("civil_date"),
        _key("digests_sent", "receiver"),
    )
    op.create_table(
        "digests_held",
        *_text("node"),
        *_big("number"),
        *_instant("as_of", "received_at"),
        *_json("lines", "overdue_cases"),
        _key("digests_held", "node"),
    )


def _calendars() -> None:
    op.create_table(
        "calendar_proposals",
        *_text("version", "base"),
        *_json("content?"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        *_text("digest", "source_document", "state"),
        *_integer("emitted"),
        *_text("proposed_by"),
        *_instant("proposed_at"),
        *_json("confirmed_by"),
        sa.Column("signing", sa.Uuid(), nullable=True),
        *_text("decided_by?"),
        *_instant("decided_at?"),
        *_text("reason"),
        _key("calendar_proposals", "version"),
        sa.CheckConstraint(
            "state IN ('proposed', 'confirmed', 'active', 'withdrawn')",
            name="ck_calendar_proposals_state",
        ),
    )
    op.create_index(
        "uq_calendar_proposals_open",
        "calendar_proposals",
        [sa.text("(true)")],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'confirmed')"),
    )


def _organisations() -> None:
    op.create_table(
        "organisations",
        *_text("org_id", "node", "region_code", "name", "kind", "level", "parent?", "state"),
        *_integer("record_version"),
        _key("organisations", "org_id"),
    )
    op.create_index("ix_organisations_kind", "organisations", ["node", "kind", "state"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("filing_serial")))
