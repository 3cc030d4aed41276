"""The metadata of this service's tables and the column kinds that they share."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)


def key(name: str, *, primary: bool = True, null: bool = False) -> Column[str]:
    """Return a UUID column that reads and writes text."""
    return Column(name, UUID(as_uuid=False), primary_key=primary, nullable=null)


def text(name: str, *, null: bool = False, primary: bool = False) -> Column[str]:
    """Return a text column; ``null`` allows absence."""
    return Column(name, Text, nullable=null, primary_key=primary)


def instant(name: str, *, null: bool = True) -> Column[Any]:
    """Return an instant in UTC."""
    return Column(name, DateTime(timezone=True), nullable=null)


def document(name: str, *, null: bool = True) -> Column[Any]:
    """Return a JSON document column; absence is SQL NULL, never JSON null."""
    return Column(name, JSONB(none_as_null=True), nullable=null)
