"""Editions: this node's own, each chained to the one before, and those announced by others."""

from sqlalchemy import BigInteger, Column, Integer, Table

from catalog.orm import document, instant, metadata, text

editions = Table(
    "editions",
    metadata,
    text("node", primary=True),
    Column("edition", BigInteger, primary_key=True),
    text("region_code"),
    Column("entries", Integer, nullable=False),
    text("digest"),
    document("added", null=False),
    document("changed", null=False),
    document("removed", null=False),
    text("published_at"),
    text("published_by"),
    instant("stored_at", null=False),
)
