"""Imports of catalogue files, their rows that became no draft, and completion profiles."""

from sqlalchemy import Boolean, Column, Index, Integer, Table

from catalog.orm import document, instant, key, metadata, text

imports = Table(
    "imports",
    metadata,
    key("import_id"),
    text("file_digest"),
    text("file_name"),
    text("form"),
    text("encoding"),
    text("default_org", null=True),
    text("imported_by"),
    text("organisation"),
    Column("rows", Integer, nullable=False),
    Column("drafts", Integer, nullable=False),
    document("report", null=False),
    instant("imported_at", null=False),
    Index("ix_imports_organisation", "organisation", "import_id"),
    Index("ix_imports_file_digest", "file_digest"),
)

import_refusals = Table(
    "import_refusals",
    metadata,
    key("import_id"),
    Column("row", Integer, primary_key=True),
    text("reason"),
    text("field"),
)

profiles = Table(
    "profiles",
    metadata,
    key("profile_id"),
    text("name"),
    text("organisation"),
    document("rules", null=False),
    Column("confirmed", Boolean, nullable=False),
    text("created_by"),
    instant("created_at", null=False),
    text("confirmed_by", null=True),
    instant("confirmed_at"),
    text("note"),
)
