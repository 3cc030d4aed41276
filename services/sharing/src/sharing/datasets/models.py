"""Tables of uploaded datasets: one current file an entry, its rows numbered for paging."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY

from sharing.orm import document, instant, key, metadata, text

datasets = Table(
    "datasets",
    metadata,
    key("dataset_id"),
    key("entry_id", primary=False),
    text("org_id"),
    text("node"),
    Column("entry_version", Integer, nullable=False),
    document("columns", null=False),
    text("encoding"),
    text("digest"),
    Column("size", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("current", Boolean, nullable=False),
    text("uploaded_by"),
    instant("uploaded_at", null=False),
    instant("replaced_at"),
    Index("uq_datasets_current", "entry_id", unique=True, postgresql_where=sql("current")),
)

dataset_rows = Table(
    "dataset_rows",
    metadata,
    key("dataset_id"),
    Column("row_no", BigInteger, primary_key=True),
    Column("cells", ARRAY(Text), nullable=False),
)
