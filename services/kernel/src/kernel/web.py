"""HTTP edge: one request is one transaction, committed before the answer goes out.

A service writes::

    router = ServiceRouter(prefix="/entries", tags=["entries"])

    @router.post("/{entry_id}/submit", status_code=200)
    async def submit(entry_id: UUID, command: SubmitEntry, edge: EdgeDep) -> EntryOut:
        edge.allow("entry.submit", organisation=..., node=...)
        return await service.submit(edge.tx, command, ...)

POST needs ``Idempotency-Key``; GET and HEAD get a read-only transaction. ``@options(...)`` under
the router's decorator changes one route.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import Table

from kernel.clock import Clock
from kernel.db import Transaction
from kernel.ids import IdSource
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.principal import Principal
from kernel.runtime import Runtime, ServiceDefinition

if TYPE_CHECKING:
    from contracts.rules import RuleBook

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """How the edge treats one route.

    ``hot``: no transaction is opened; the endpoint ends with ``edge.once(...)``, one statement.
    ``idempotent``: POST needs an Idempotency-Key. ``anonymous``: no bearer token of ours (the
    delivery API checks its grant token itself). ``writes`` makes a GET's transaction writable.
    """

    hot: bool = False
    idempotent: bool = True
    anonymous: bool = False
    writes: bool | None = None


def options(
    *,
    hot: bool = False,
    idempotent: bool = True,
    anonymous: bool = False,
    writes: bool | None = None,
) -> Callable[[F], F]:
    """Mark an endpoint with ``RouteOptions``; stands under the router's decorator."""

    def mark(endpoint: F) -> F:
        chosen = RouteOptions(hot=hot, idempotent=idempotent, anonymous=anonymous, writes=writes)
        endpoint.__route_options__ = chosen  # type: ignore[attr-defined]
        return endpoint

    return mark


class TransactionalRoute(APIRoute):
    """Authenticates, opens the transaction, commits, maps refusals and audits them."""


class ServiceRouter(APIRouter):
    """An ``APIRouter`` whose routes are transactional."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("route_class", TransactionalRoute)
        super().__init__(**kwargs)


class Edge:
    """What an endpoint gets: the verified caller, the transaction and the runtime."""

    runtime: Runtime
    principal: Principal
    request: Request
    language: str

    @property
    def tx(self) -> Transaction:
        """The request's transaction; not on a hot route."""
        raise NotImplementedError

    @property
    def clock(self) -> Clock:
        return self.runtime.clock

    @property
    def ids(self) -> IdSource:
        return self.runtime.ids

    @property
    def rules(self) -> "RuleBook":
        return self.runtime.rulebook

    def allow(
        self,
        act: str,
        *,
        organisation: str | None = None,
        node: str | None = None,
        submitted_by: str | None = None,
    ) -> None:
        """Raise unless the caller may do ``act``; see ``kernel.policies.authorise``."""
        raise NotImplementedError

    async def fetch(self, statement: Any, **values: Any) -> Sequence[Mapping[str, Any]]:
        """Hot routes: run one Core select outside any transaction and return its rows."""
        raise NotImplementedError

    async def once(
        self,
        answer: BaseModel,
        *,
        rows: Mapping[Table, Sequence[Mapping[str, Any]]],
        events: Sequence[OutgoingEvent] = (),
        audit: Sequence[AuditEntry] = (),
        status: int = 201,
    ) -> Response:
        """Hot routes: write rows, outbox, audit and idempotency in one statement; answer.

        All or nothing; a repeated Idempotency-Key writes nothing and gets the first answer.
        """
        raise NotImplementedError


async def edge(request: Request) -> Edge:
    """FastAPI dependency: the edge of this request."""
    found: Edge = request.scope["yiwang.edge"]
    return found


EdgeDep = Annotated[Edge, Depends(edge)]


def create_app(service: ServiceDefinition, runtime: Runtime) -> FastAPI:
    """Make the service's application under ``/<service>``."""
    raise NotImplementedError
