"""One SQL statement that inserts rows into several tables: all of them, or none.

The statement is a chain of CTEs whose text depends only on tables, columns and row counts, so that
it is built once per shape and prepared once per connection. With a *claim* the rows are inserted
only when the claim's row is new (``ON CONFLICT DO NOTHING``): that is how a repeated
Idempotency-Key writes nothing, in one round trip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

Row = Mapping[str, Any]
Rows = Mapping[Table, Sequence[Row]]
_Shape = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]


@dataclass(slots=True)
class InsertBuilder:
    """Builds statements and remembers them by shape; one per database, since it holds state."""

    _dialect: Any = field(default_factory=asyncpg_dialect)
    _statements: dict[_Shape, _Statement] = field(default_factory=dict)

    def build(self, rows: Rows, *, claim: tuple[Table, Row] | None = None) -> tuple[str, list[Any]]:
        """Return SQL text with ``$n`` and its arguments.

        All rows of a table have the same keys. The statement returns one row with ``claimed``:
        1 when it inserted, 0 when the claim was taken.
        """
        parts = [(table, given) for table, given in rows.items() if given]
        shape: _Shape = (
            (claim[0].key, *claim[1]) if claim else None,
            *((table.key, len(given), *given[0]) for table, given in parts),
        )
        statement = self._statements.get(shape)
        if statement is None:
            statement = self._statements[shape] = self._compose(parts, claim)
        values: list[Any] = list(claim[1].values()) if claim else []
        for _, given in parts:
            keys = given[0].keys()
            for row in given:
                values.extend(row[key] for key in keys)
        return statement.text, [
            value if convert is None or value is None else convert(value)
            for value, (_, convert) in zip(values, statement.columns, strict=True)
        ]

    def _compose(
        self, parts: list[tuple[Table, Sequence[Row]]], claim: tuple[Table, Row] | None
    ) -> _Statement:
        columns: list[tuple[str, Callable[[Any], Any] | None]] = []
        ctes: list[str] = []
        if claim:
            table, row = claim
            marks = ", ".join(self._marks(table, list(row), columns))
            ctes.append(
                f"claim AS (INSERT INTO {_name(table)} ({_list(row)}) VALUES ({marks})"
                " ON CONFLICT DO NOTHING RETURNING 1)"
            )
        for number, (table, given) in enumerate(parts):
            keys = list(given[0])
            lines = ", ".join(f"({', '.join(self._marks(table, keys, columns))})" for _ in given)
            source = f"SELECT v.* FROM (VALUES {lines}) AS v" + (", claim" if claim else "")
            ctes.append(f"w{number} AS (INSERT INTO {_name(table)} ({_list(keys)}) {source})")
        counted = "(SELECT count(*) FROM claim)" if claim else "1"
        return _Statement(f"WITH {', '.join(ctes)} SELECT {counted} AS claimed", tuple(columns))

    def _marks(
        self,
        table: Table,
        keys: list[str],
        columns: list[tuple[str, Callable[[Any], Any] | None]],
    ) -> list[str]:
        marks = []
        for key in keys:
            column: Column[Any] = table.columns[key]
            implementation = column.type.dialect_impl(self._dialect)
            columns.append((key, implementation.bind_processor(self._dialect)))
            marks.append(f"${len(columns)}::{column.type.compile(self._dialect)}")
        return marks


def _name(table: Table) -> str:
    return f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'


def _list(keys: Any) -> str:
    return ", ".join(f'"{key}"' for key in keys)
