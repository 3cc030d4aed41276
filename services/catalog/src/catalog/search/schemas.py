"""HTTP models of the search, for the description of the API; answers are written as bytes."""

from typing import Literal

from pydantic import Field

from catalog.schemas import View


class HitProvider(View):
    """The providing department of a hit."""

    org_id: str
    name: str


class Hit(View):
    """A published entry of any node as a search shows it."""

    entry_id: str
    resource_code: str
    version: int
    state: str
    title: str
    abstract: str
    node: str
    region_code: str
    providing_org: HitProvider
    theme: str
    share_type: str
    open_attr: str
    update_frequency: str
    data_form: str
    items: int
    source_pending: bool
    changed_at: str


class TotalView(View):
    """How many match: ``exact``, ``about`` (from a sample), or ``at_least`` shown as 10,000+."""

    value: int
    relation: Literal["exact", "about", "at_least"]


class FacetValue(View):
    """A value of a facet and how many matches have it."""

    code: str
    name: str
    count: int


class SearchPage(View):
    """Hits in order; total and facets come with the first page. ``sampled`` facets are scaled."""

    items: tuple[Hit, ...]
    next: str | None
    total: TotalView | None = None
    facets: dict[str, tuple[FacetValue, ...]] = Field(default_factory=dict)
    sampled: bool = False
