"""The search: reads as little as gives a good answer, and says when it has not read everything."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from catalog.search import repository
from catalog.search.domain import (
    DIMENSIONS,
    LEVELS,
    Reading,
    facet_id,
    scaled,
    terms_of,
    total_of,
)
from catalog.search.labels import FacetNames, shown_name
from catalog.search.repository import Fetch, Page, Position, Terms
from kernel.pagination import decode_cursor, encode_cursor

FACET_VALUES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCommand:
    """What is searched: free text, codes by dimension, and which page."""

    text: str
    filters: Mapping[str, tuple[str, ...]]
    limit: int
    cursor: str | None
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the next page begins: how the first one was read, which levels, after which hit."""

    reading: Reading
    level: int
    after: Position | None


async def search(fetch: Fetch, command: SearchCommand, names: FacetNames) -> bytes:
    """Return a page as JSON (``search.schemas.SearchPage``)."""
    query = _query(command)
    if command.cursor is not None:
        place = _decoded(command.cursor)
        page, following = await _page(fetch, query, place, command.limit, facets=False)
        return _answer(page, following, {})
    reading = await repository.reading_of(fetch, query)
    first = _Place(reading=reading, level=0, after=None)
    page, following = await _page(fetch, query, first, command.limit, facets=True)
    total = total_of(page.counted, reading)
    extra = {
        "total": {"value": total.value, "relation": total.relation},
        "facets": await _facets(fetch, page, reading, names, command.language),
        "sampled": not reading.exact,
    }
    return _answer(page, following, extra)


def _query(command: SearchCommand) -> Terms:
    filters = tuple(
        (name, tuple(facet_id(name, code) for code in command.filters[name]))
        for name in DIMENSIONS
        if command.filters.get(name)
    )
    return Terms(terms=terms_of(command.text), filters=filters)


async def _page(
    fetch: Fetch, query: Terms, place: _Place, limit: int, *, facets: bool
) -> tuple[Page, _Place | None]:
    if not query.terms:
        return await _newest(fetch, query, place, limit, facets=facets)
    reading = place.reading
    levels = range(reading.levels) if place.level == 0 else range(place.level, place.level + 1)
    page = await repository.ranked(
        fetch,
        query,
        levels=levels,
        all_titles=reading.all_titles,
        after=place.after,
        facets=facets,
        limit=limit + 1,
    )
    shown = replace(page, hits=page.hits[:limit])
    if len(page.hits) > limit:
        return shown, replace(place, after=shown.hits[-1][0])
    # the levels read so far are exhausted: the page after begins in the next one
    if levels.stop < LEVELS:
        return shown, replace(place, level=levels.stop, after=None)
    return shown, None


async def _newest(
    fetch: Fetch, query: Terms, place: _Place, limit: int, *, facets: bool
) -> tuple[Page, _Place | None]:
    """Without terms there is nothing to rank: the newest come first, facets from the sample."""
    page = await repository.newest(fetch, query, after=place.after, limit=limit + 1)
    shown = replace(page, hits=page.hits[:limit])
    if facets:
        sample = await repository.ranked(
            fetch,
            query,
            levels=range(place.reading.levels),
            all_titles=False,
            after=None,
            facets=True,
            limit=0,
        )
        shown = replace(shown, facets=sample.facets, counted=sample.counted)
    more = len(page.hits) > limit
    return shown, replace(place, after=shown.hits[-1][0]) if more else None


async def _facets(
    fetch: Fetch, page: Page, reading: Reading, names: FacetNames, language: str
) -> dict[str, list[dict[str, Any]]]:
    known = await names.of(fetch, (number for number, _ in page.facets))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in DIMENSIONS}
    for number, count in sorted(page.facets, key=lambda pair: (-pair[1], pair[0])):
        facet = known.get(number)
        if facet is None or not facet.code or len(found[facet.dimension]) >= FACET_VALUES:
            continue
        found[facet.dimension].append(
            {
                "code": facet.code,
                "name": shown_name(facet, language),
                "count": scaled(count, reading),
            }
        )
    return found


def _answer(page: Page, following: _Place | None, extra: Mapping[str, Any]) -> bytes:
    items = [orjson.Fragment(card) for _, card in page.hits]
    return orjson.dumps({"items": items, "next": _encoded(following), **extra})


def _encoded(place: _Place | None) -> str | None:
    if place is None:
        return None
    after = place.after
    position = None if after is None else (after.tier, after.size, after.changed_at, after.entry_id)
    reading = place.reading
    return encode_cursor(reading.levels, int(reading.all_titles), place.level, position)


def _decoded(cursor: str) -> _Place:
    levels, titles, level, position = decode_cursor(cursor, _level, _level, _level, _position)
    reading = Reading(levels=max(levels, 1), all_titles=bool(titles))
    return _Place(reading=reading, level=min(level, LEVELS - 1), after=position)


def _level(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= LEVELS:
        raise ValueError("not a level")
    return value


def _position(value: Any) -> Position | None:
    if value is None:
        return None
    tier, size, changed_at, entry_id = value
    return Position(
        tier=int(tier), size=int(size), changed_at=int(changed_at), entry_id=str(UUID(entry_id))
    )
