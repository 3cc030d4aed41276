"""HTTP doors of the search and of published entries of any node."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalog.search import reading, service
from catalog.search.domain import DIMENSIONS
from catalog.search.labels import FacetNames
from catalog.search.schemas import SearchPage
from catalog.search.service import SearchCommand
from contracts.events.catalog import EntryState
from kernel.clock import Clock
from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter, options

MAX_VALUES = 50
Code = Annotated[str, StringConstraints(max_length=100)]
Codes = Annotated[tuple[Code, ...], Field(max_length=MAX_VALUES)]
EntryId = Annotated[UUID, Path(description="目录条目标识 / the entry's id")]


class SearchQuery(BaseModel):
    """Words, filters (several codes of one dimension mean any of them) and the page."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    q: Annotated[str, StringConstraints(max_length=200)] = ""
    node: Codes = ()
    department: Codes = ()
    region: Codes = ()
    theme: Codes = ()
    share_type: Codes = ()
    open_attr: Codes = ()
    update_frequency: Codes = ()
    data_form: Codes = ()
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = None


def router(clock: Clock) -> APIRouter:
    """Return the routes; facet names are kept between requests."""
    routes = ServiceRouter(tags=["search"])
    names = FacetNames(clock)

    @routes.get(
        "/search",
        summary="检索全市目录 / Search the federation's catalogue",
        response_model=SearchPage,
    )
    @options(hot=True)
    async def search(edge: EdgeDep, query: Annotated[SearchQuery, Query()]) -> Any:
        """Find published entries of every node by any part of their text, ranked, with facets."""
        edge.allow("search.read", node=edge.runtime.node)
        chosen = {name: getattr(query, name) for name in DIMENSIONS}
        command = SearchCommand(
            text=query.q,
            filters={name: codes for name, codes in chosen.items() if codes},
            limit=query.limit,
            cursor=query.cursor,
            language=edge.language,
        )
        return Response(
            await service.search(edge.fetch, command, names), media_type="application/json"
        )

    @routes.get("/published/{entry_id}", summary="已发布目录条目 / A published entry of any node")
    async def read_published(entry_id: EntryId, edge: EdgeDep) -> EntryState:
        """Return the whole current state of a published entry of any node."""
        edge.allow("search.read", node=edge.runtime.node)
        document = await reading.document(edge.tx.connection, str(entry_id))
        if document is None:
            raise NotFound
        return EntryState.model_validate(document)

    return routes
