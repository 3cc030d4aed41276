"""HTTP edge: one request is one transaction, committed before the answer goes out.

A service writes::

    router = ServiceRouter(prefix="/entries", tags=["entries"])

    @router.post("/{entry_id}/submit")
    async def submit(entry_id: UUID, command: SubmitEntry, edge: EdgeDep) -> EntryOut:
        edge.allow("entry.submit", organisation=..., node=...)
        return await service.submit(edge.tx, command, ...)

POST needs ``Idempotency-Key``; GET and HEAD get a read-only transaction. ``@options(...)`` under
the router's decorator changes one route; ``@options(hot=True)`` is explained in ``kernel.hot``.
Answers that stream must not use the transaction: it has ended when the first byte goes out.
Lists take ``page: PageDep`` (``kernel.pagination``); changes check ``If-Match`` with
``expected_version``.
"""

import re

from kernel.app import create_app
from kernel.edge import Edge, EdgeDep, RouteOptions, edge, options
from kernel.problems import PreconditionMissing
from kernel.routes import ServiceRouter, TransactionalRoute

__all__ = [
    "Edge",
    "EdgeDep",
    "RouteOptions",
    "ServiceRouter",
    "TransactionalRoute",
    "create_app",
    "edge",
    "expected_version",
    "options",
]

_VERSION = re.compile(r'(?:W/)?"?(\d{1,18})"?')


def expected_version(edge: Edge) -> int:
    """Return the version in ``If-Match`` (``"7"`` or ``7``); raises ``PreconditionMissing``."""
    header = edge.request.headers.get("if-match", "")
    found = _VERSION.fullmatch(header.strip())
    if found is None:
        raise PreconditionMissing(field="If-Match")
    return int(found[1])
