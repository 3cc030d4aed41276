"""The declarative base of this service's tables and its naming convention."""

from typing import ClassVar

from sqlalchemy import DateTime, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Instant = DateTime(timezone=True)
Json = JSONB(none_as_null=True)


class Base(DeclarativeBase):
    """Every table of notify."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def table_of(row: type[Base]) -> Table:
    """Return the table of a row class, for Core statements on many rows at once."""
    table = row.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{row.__name__} is no plain table")
    return table
