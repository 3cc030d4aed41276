"""HTTP doors of editions."""

from typing import Annotated

from fastapi import Path

from catalog.editions import repository
from catalog.schemas import View
from kernel.pagination import Page, PageDep, make_page
from kernel.problems import NotFound
from kernel.web import EdgeDep, ServiceRouter

router = ServiceRouter(prefix="/editions", tags=["editions"])
NodeCode = Annotated[str, Path(pattern=r"^\d{6}$", description="节点代码 / node code")]
Number = Annotated[int, Path(ge=1, le=2**31, description="版次 / number of the edition")]


class EditionView(View):
    """An edition: how many entries it lists, and the digest that chains it to the one before."""

    node: str
    region_code: str
    edition: int
    entries: int
    digest: str
    published_at: str


class EditionDetail(EditionView):
    """With the ids of entries that differ from the edition before."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class EditionList(View):
    """The last edition of every node that this node knows, and how many entries they list."""

    items: tuple[EditionView, ...]
    entries: int


@router.get("", summary="各级目录最新版次 / Latest editions")
async def list_latest(edge: EdgeDep) -> EditionList:
    """Return the last edition of every node; at the city this is the regional catalogue's make-up."""
    edge.allow("edition.read", node=edge.runtime.node)
    rows = await repository.latest(edge.tx.connection)
    views = tuple(_view(row) for row in rows)
    return EditionList(items=views, entries=sum(view.entries for view in views))


@router.get("/{node}", summary="某级目录的版次 / Editions of a node")
async def list_editions(node: NodeCode, edge: EdgeDep, page: PageDep) -> Page[EditionView]:
    """Return a node's editions, newest first."""
    edge.allow("edition.read", node=edge.runtime.node)
    after = page.after(int)
    rows = await repository.page(
        edge.tx.connection, node, before=after[0] if after else None, limit=page.limit + 1
    )
    return make_page(
        rows,
        page,
        item=_view,
        key=lambda row: (row["edition"],),
    )


@router.get("/{node}/{number}", summary="版次详情 / One edition")
async def read_edition(node: NodeCode, number: Number, edge: EdgeDep) -> EditionDetail:
    """Return an edition with what it changed."""
    edge.allow("edition.read", node=edge.runtime.node)
    row = await repository.one(edge.tx.connection, node, number)
    if row is None:
        raise NotFound
    return EditionDetail(**{name: row[name] for name in EditionDetail.model_fields})


def _view(row: repository.Row) -> EditionView:
    return EditionView(**{name: row[name] for name in EditionView.model_fields})
