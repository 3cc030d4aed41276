"""One SQL statement that inserts rows into several tables: all of them, or none.

The statement is a chain of CTEs whose text depends only on tables, columns and row counts, so that
it is built once per shape and prepared once per connection. With a *claim* the rows are inserted
only when the claim's row is new (``ON CONFLICT DO NOTHING``): that is how a repeated
Idempotency-Key writes nothing, in one round trip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

Row = Mapping[str, Any]
Rows = Mapping[Table, Sequence[Row]]
Claim = tuple[Table, Row]
_Shape = tuple[Any, ...]
MOST_SHAPES = 256
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    converters: tuple[tuple[int, _Convert], ...]
    claimed: Callable[[Row], tuple[Any, ...]] | None
    takers: tuple[Callable[[Row], tuple[Any, ...]], ...]


def _dialect() -> Any:
    make: Any = asyncpg_dialect
    return make(json_serializer=lambda value: orjson.dumps(value).decode())


@dataclass(slots=True)
class InsertBuilder:
    """Builds statements and remembers them by shape; one per database, since it holds state."""

    _dialect: Any = field(default_factory=_dialect)
    _statements: dict[_Shape, _Statement] = field(default_factory=dict)

    def build(self, rows: Rows, *, claim: Claim | None = None) -> tuple[str, list[Any]]:
        """Return SQL text with ``$n`` and its arguments.

        All rows of a table have the same keys. For the few rows of a command, not for bulk: the
        row count is part of the shape. The statement returns one row with ``claimed``:
        1 when it inserted, 0 when the claim was taken.
        """
        parts = [(table, given) for table, given in rows.items() if given]
        shape: list[Any] = [claim[0], *claim[1]] if claim else [None]
        for table, given in parts:
            shape += (table, len(given), *given[0])
        key = tuple(shape)
        statement = self._statements.get(key)
        if statement is None:
            if len(self._statements) >= MOST_SHAPES:
                self._statements.clear()
            statement = self._statements[key] = self._compose(parts, claim)
        values: list[Any] = []
        if claim and statement.claimed:
            values += statement.claimed(claim[1])
        for take, (_, given) in zip(statement.takers, parts, strict=True):
            for row in given:
                values += take(row)
        for place, convert in statement.converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        return statement.text, values

    def _compose(self, parts: list[tuple[Table, Sequence[Row]]], claim: Claim | None) -> _Statement:
        columns: list[Column[Any]] = []
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
        return _Statement(
            text=f"WITH {', '.join(ctes)} SELECT {counted} AS claimed",
            converters=tuple(self._converters(columns)),
            claimed=_taker(list(claim[1])) if claim else None,
            takers=tuple(_taker(list(given[0])) for _, given in parts),
        )

    def _marks(self, table: Table, keys: list[str], columns: list[Column[Any]]) -> list[str]:
        marks = []
        for key in keys:
            columns.append(table.columns[key])
            marks.append(f"${len(columns)}::{columns[-1].type.compile(self._dialect)}")
        return marks

    def _converters(self, columns: list[Column[Any]]) -> list[tuple[int, _Convert]]:
        found: list[tuple[int, _Convert]] = []
        for place, column in enumerate(columns):
            implementation = column.type.dialect_impl(self._dialect)
            convert = implementation.bind_processor(self._dialect)
            if convert is not None:
                found.append((place, convert))
        return found


def _taker(keys: list[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(keys) == 1:
        only = keys[0]
        return lambda row: (row[only],)
    return itemgetter(*keys)


def _name(table: Table) -> str:
    return f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'


def _list(keys: Any) -> str:
    return ", ".join(f'"{key}"' for key in keys)
