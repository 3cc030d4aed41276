"""The statements of a search, for hot routes: constant SQL with ``$n`` and the names of its values.

Values are always bound; only the numbers of levels and terms are written into the text.
"""

import re
from functools import cache
from typing import NamedTuple

from catalog.search.domain import DIMENSIONS, LEVELS
from catalog.search.models import TOKENS

_FACETS = ", ".join(f"f_{name}" for name in DIMENSIONS)
_SETS = ", ".join(f"(f_{name})" for name in DIMENSIONS)
_ALL_BITS = 2 ** len(DIMENSIONS) - 1
_NAME = re.compile(r":([a-z]\w*)")


class Statement(NamedTuple):
    """SQL text and the names of its arguments in order."""

    text: str
    names: tuple[str, ...]


def _statement(text: str) -> Statement:
    names = tuple(dict.fromkeys(_NAME.findall(text)))
    numbers = {name: number for number, name in enumerate(names, 1)}
    return Statement(_NAME.sub(lambda found: f"${numbers[found[1]]}", text), names)


def _holds(column: str, terms: int) -> str:
    """Every term stands in the column."""
    return " AND ".join(f"strpos({column}, :term{i}) > 0" for i in range(terms)) or "true"


def _tier(terms: int) -> str:
    """0 the title itself, 1 its beginning, 2 within the title, 3 elsewhere."""
    if not terms:
        return "3"
    return f"""CASE WHEN title = :whole THEN 0 WHEN NOT ({_holds("title", terms)}) THEN 3
        WHEN starts_with(title, :term0) THEN 1 ELSE 2 END"""


def _branch(condition: str, terms: int, *, sampled: bool) -> str:
    size = "length(title)" if terms else "0"
    return (
        f"SELECT entry_id, changed_at, {size} AS size, {_tier(terms)} AS tier,"
        f" {str(sampled).lower()} AS sampled, {_FACETS} FROM search_entries WHERE {condition}"
    )


def _matches(level: int, terms: int) -> str:
    return f"level = {level} AND {TOKENS} @@ CAST(:query AS tsquery) AND {_holds('body', terms)}"


def _title_matches(level: int, terms: int) -> str:
    titles = _holds("title", terms)
    return f"level = {level} AND {TOKENS} @@ CAST(:titles AS tsquery) AND {titles}"


def _candidates(levels: range, terms: int, *, all_titles: bool) -> str:
    """Matches of the levels; with the first ones also all matching titles, or the equal ones.

    Later levels leave out what came with the first ones.
    """
    first = levels.start == 0
    seen = _holds("title", terms) if all_titles else "title = :whole"
    shown = "" if first or not terms else f" AND NOT ({seen})"
    branches = [_branch(_matches(n, terms) + shown, terms, sampled=True) for n in levels]
    rest = range(levels.stop, LEVELS)
    if first and terms and all_titles:
        branches += [_branch(_title_matches(n, terms), terms, sampled=False) for n in rest]
    elif first and terms and rest:
        equal = f"title = :whole AND level >= {rest.start} AND {TOKENS} @@ CAST(:query AS tsquery)"
        branches.append(_branch(equal, terms, sampled=False))
    return " UNION ALL ".join(branches)


@cache
def probe(terms: int) -> Statement:
    """Count the matches of level 0, and those in titles."""
    return _statement(
        f"SELECT count(*) AS matches, count(*) FILTER (WHERE {_holds('title', terms)}) AS titles"
        f" FROM search_entries WHERE {_matches(0, terms)}"
    )


@cache
def ranked(levels: range, terms: int, *, all_titles: bool, facets: bool, after: bool) -> Statement:
    """Best matches of the levels and, with ``facets``, counts by facet.

    Rows: ``kind`` 0 a hit in order (its rank and card), 1 a facet (``id``, ``n``), 2 how many
    match (``n``). Facets and count leave out what does not belong to the sampled levels.
    """
    keyset = (
        "WHERE (tier, size, -changed_at, entry_id)"
        " > (:after_tier, :after_size, -CAST(:after_changed AS bigint), CAST(:after_entry AS uuid))"
        if after
        else ""
    )
    statement = f"""WITH c AS MATERIALIZED ({_candidates(levels, terms, all_titles=all_titles)}),
    top AS (SELECT * FROM c {keyset} ORDER BY tier, size, changed_at DESC, entry_id LIMIT :limit)
    SELECT 0 AS kind, top.tier, top.size, top.changed_at, CAST(top.entry_id AS text) AS entry_id,
        p.card, CAST(0 AS bigint) AS id, CAST(0 AS bigint) AS n
    FROM top JOIN published p USING (entry_id)"""
    if facets:
        statement += f""" UNION ALL
        SELECT 1 + GROUPING({_FACETS}) / {_ALL_BITS}, 0, 0, 0, NULL, NULL,
            coalesce({_FACETS}, 0), count(*)
        FROM c WHERE sampled GROUP BY GROUPING SETS ({_SETS}, ())"""
    return _statement(statement + " ORDER BY 1, 2, 3, 4 DESC, 5")


@cache
def newest(dimensions: tuple[str, ...], *, after: bool) -> Statement:
    """List the newest entries, restricted by facets; for searches without terms."""
    conditions = [f"s.f_{name} = ANY(CAST(:{name} AS bigint[]))" for name in dimensions]
    if after:
        conditions.append(
            "s.changed_at <= :after_changed AND"
            " (s.changed_at < :after_changed OR s.entry_id > CAST(:after_entry AS uuid))"
        )
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return _statement(
        f"""WITH top AS (SELECT s.entry_id, s.changed_at FROM search_entries s {where}
            ORDER BY s.changed_at DESC, s.entry_id LIMIT :limit)
        SELECT top.changed_at, CAST(top.entry_id AS text) AS entry_id, p.card
        FROM top JOIN published p USING (entry_id) ORDER BY 1 DESC, top.entry_id"""
    )


LABELS = "SELECT id, dimension, code, label FROM search_facets WHERE id = ANY($1::bigint[])"
