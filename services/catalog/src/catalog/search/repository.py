"""Queries of the search: read-only, over whatever connection the caller has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.search import queries
from catalog.search.domain import TITLE_MARK, Reading, choose_reading, tokens_query
from catalog.search.queries import Statement


class Fetch(Protocol):
    """Runs one select (``$1`` …) outside any transaction; ``kernel.edge.Edge.fetch``."""

    async def __call__(self, text: str, *arguments: Any) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A query as the statements take it: folded terms and facet numbers by dimension."""

    terms: tuple[str, ...]
    filters: tuple[tuple[str, tuple[int, ...]], ...]

    def values(self) -> dict[str, Any]:
        """Return the bound values that every statement of the query needs."""
        groups = tuple(ids for _, ids in self.filters)
        bound: dict[str, Any] = {f"term{i}": term for i, term in enumerate(self.terms)}
        bound["query"] = tokens_query(self.terms, groups)
        if self.terms:
            bound["titles"] = tokens_query(self.terms, groups, mark=TITLE_MARK)
            bound["whole"] = "".join(self.terms)
        return bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page ended: rank and id of its last hit."""

    tier: int
    size: int
    changed_at: int
    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hits in order, each with its position; facet counts and number of matches on request."""

    hits: tuple[tuple[Position, str], ...]
    facets: tuple[tuple[int, int], ...] = ()
    counted: int = 0


async def _run(
    fetch: Fetch, statement: Statement, values: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    return await fetch(statement.text, *(values[name] for name in statement.names))


async def reading_of(fetch: Fetch, query: Terms) -> Reading:
    """Look how common the query is and return how much to read."""
    statement = queries.probe(len(query.terms))
    (row,) = await _run(fetch, statement, query.values())
    return choose_reading(row["matches"], row["titles"])


async def ranked(
    fetch: Fetch,
    query: Terms,
    *,
    levels: range,
    all_titles: bool,
    after: Position | None,
    facets: bool,
    limit: int,
) -> Page:
    """Return the best matches of the levels."""
    statement = queries.ranked(
        levels, len(query.terms), all_titles=all_titles, facets=facets, after=after is not None
    )
    values = {**query.values(), **_after(after), "limit": limit}
    rows = await _run(fetch, statement, values)
    hits = tuple((_position(row), row["card"]) for row in rows if row["kind"] == 0)
    counts = tuple((row["id"], row["n"]) for row in rows if row["kind"] == 1)
    counted = sum(row["n"] for row in rows if row["kind"] == 2)  # noqa: PLR2004 -- see queries
    return Page(hits=hits, facets=counts, counted=counted)


async def newest(fetch: Fetch, query: Terms, *, after: Position | None, limit: int) -> Page:
    """Return the newest entries within the filters."""
    names = tuple(name for name, _ in query.filters)
    statement = queries.newest(names, after=after is not None)
    values: dict[str, Any] = {name: list(ids) for name, ids in query.filters}
    rows = await _run(fetch, statement, values | _after(after) | {"limit": limit})
    hits = tuple(
        (
            Position(tier=3, size=0, changed_at=row["changed_at"], entry_id=row["entry_id"]),
            row["card"],
        )
        for row in rows
    )
    return Page(hits=hits)


async def labels(fetch: Fetch, ids: Sequence[int]) -> Sequence[Mapping[str, Any]]:
    """Return ``id``, ``dimension``, ``code`` and ``label`` of facet values."""
    return await fetch(queries.LABELS, list(ids))


def _after(position: Position | None) -> dict[str, Any]:
    if position is None:
        return {}
    return {
        "after_tier": position.tier,
        "after_size": position.size,
        "after_changed": position.changed_at,
        "after_entry": position.entry_id,
    }


def _position(row: Mapping[str, Any]) -> Position:
    return Position(
        tier=row["tier"], size=row["size"], changed_at=row["changed_at"], entry_id=row["entry_id"]
    )
