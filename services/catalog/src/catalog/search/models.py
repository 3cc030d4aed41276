"""The replica of published entries, and the narrow table that searches them.

``published`` holds whole states, ``search_entries`` only what a search reads: folded text and
numbers. The tokens live in the index alone (an index on the expression
``catalog_search_tokens``), one index a level; see ``search.domain`` for the levels.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import UUID

from catalog.orm import document, instant, key, metadata, text
from catalog.search.domain import DIMENSIONS, LEVELS

TOKENS = (
    "catalog_search_tokens(title, body, ARRAY["
    + ", ".join(f"f_{name}" for name in DIMENSIONS)
    + "])"
)

published = Table(
    "published",
    metadata,
    key("entry_id"),
    text("resource_code"),
    text("node"),
    text("providing_org"),
    text("state"),
    Column("version", Integer, nullable=False),
    Column("record_version", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    document("document", null=False),
    # what a hit shows, ready to be sent
    text("card"),
    instant("stored_at", null=False),
    Index("ix_published_resource_code", "resource_code"),
    Index("ix_published_node", "node"),
)

search_entries = Table(
    "search_entries",
    metadata,
    Column("entry_id", UUID(as_uuid=False), primary_key=True),
    Column("level", SmallInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    *(Column(f"f_{name}", BigInteger, nullable=False) for name in DIMENSIONS),
    Column("title", Text(collation="C"), nullable=False),
    Column("body", Text(collation="C"), nullable=False),
    Index("ix_search_entries_title", "title", postgresql_using="hash"),
    Index("ix_search_entries_newest", sql("changed_at DESC"), "entry_id"),
    Index("ix_search_entries_node", "f_node", sql("changed_at DESC"), "entry_id"),
    Index("ix_search_entries_department", "f_department", sql("changed_at DESC"), "entry_id"),
    *(
        Index(
            f"ix_search_entries_tokens_{level}",
            sql(TOKENS),
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=sql(f"level = {level}"),
        )
        for level in range(LEVELS)
    ),
)

search_facets = Table(
    "search_facets",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    text("dimension"),
    text("code"),
    text("label"),
)
