"""Pages by cursor: opaque, stable under inserts, at most 200 lines."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel

from kernel.problems import CursorInvalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """One page; ``next`` is the cursor of the page after, null on the last."""

    items: list[T]
    next: str | None = None


class PageRequest(BaseModel):
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
        """Return the cursor's values, each through its kind (``UUID``, ``str``, ``int``).

        ``None`` on the first page. Raises ``CursorInvalid``.
        """
        return None if self.cursor is None else decode_cursor(self.cursor, *kinds)


async def page_request(
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="页大小 / page size")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=500, description="上一页返回的 next / from the page before")
    ] = None,
) -> PageRequest:
    """FastAPI dependency: ``page: PageDep``."""
    return PageRequest(limit=limit, cursor=cursor)


PageDep = Annotated[PageRequest, Depends(page_request)]


def encode_cursor(*values: Any) -> str:
    """Make a cursor from the sort key of a page's last line."""
    return urlsafe_b64encode(orjson.dumps(values, default=str)).rstrip(b"=").decode()


def decode_cursor(text: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return a cursor's values; raises ``CursorInvalid``."""
    try:
        values = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list):
            raise CursorInvalid(field="cursor")
        return tuple(kind(value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, AttributeError):
        raise CursorInvalid(field="cursor") from None


def make_page(
    rows: Sequence[R],
    page: PageRequest,
    *,
    item: Callable[[R], T],
    key: Callable[[R], tuple[Any, ...]],
) -> Page[T]:
    """Make a page from ``limit + 1`` fetched rows: the extra one tells that more follow."""
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return Page(
        items=[item(row) for row in shown], next=encode_cursor(*key(shown[-1])) if more else None
    )
