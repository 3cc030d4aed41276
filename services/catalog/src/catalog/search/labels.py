"""Names of facet values for answers: kept for a minute, so that a search reads no dictionary."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.search import repository
from catalog.search.repository import Fetch
from contracts.regions import load_regions
from contracts.vocabulary import is_code, label
from kernel.clock import Clock

KEPT = timedelta(seconds=60)
LIMIT = 50_000
_LISTS = {"theme": "data_domain"}
_PLACES = frozenset({"node", "region"})


class Facet(NamedTuple):
    """A facet value: its dimension, code and, for departments, its name."""

    dimension: str
    code: str
    name: str


@dataclass(slots=True)
class FacetNames:
    """Facet values by number; one per service, bounded, forgotten after a minute."""

    clock: Clock
    _known: dict[int, Facet] = field(default_factory=dict)
    _since: datetime | None = None

    async def of(self, fetch: Fetch, ids: Iterable[int]) -> dict[int, Facet]:
        """Return the facet values of these numbers."""
        now = self.clock.now()
        if self._since is None or now - self._since > KEPT or len(self._known) > LIMIT:
            self._known, self._since = {}, now
        wanted = list(ids)
        missing = [number for number in wanted if number not in self._known]
        if missing:
            for row in await repository.labels(fetch, missing):
                self._known[row["id"]] = Facet(row["dimension"], row["code"], row["label"])
        return {number: self._known[number] for number in wanted if number in self._known}


def shown_name(facet: Facet, language: str) -> str:
    """Return a facet value's name in the caller's language; a code without name is shown as is."""
    if facet.name:
        return facet.name
    if facet.dimension in _PLACES:
        region = load_regions().regions.get(facet.code)
        if region is None:
            return facet.code
        return region.name if language.startswith("zh") else region.name_en
    codes = _LISTS.get(facet.dimension, facet.dimension)
    if facet.dimension == "department" or not facet.code:
        return facet.code
    return label(codes, facet.code, language) if is_code(codes, facet.code) else facet.code
