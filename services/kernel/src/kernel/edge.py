"""The edge object: what an endpoint gets beside its parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from kernel.clock import Clock
from kernel.db import Transaction
from kernel.hot import write_once
from kernel.idempotency import Claim
from kernel.ids import IdSource
from kernel.inserts import Rows
from kernel.policies import authorise
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.principal import Principal
from kernel.runtime import Runtime

if TYPE_CHECKING:
    from contracts.rules import RuleBook

F = TypeVar("F", bound=Callable[..., Any])
SCOPE_KEY = "yiwang.edge"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """How the edge treats one route.

    ``hot``: no transaction is opened; the endpoint ends with ``edge.once(...)``, one statement.
    ``idempotent``: POST needs an Idempotency-Key. ``anonymous``: no bearer token of ours (the
    delivery API checks its grant's token itself and then calls ``edge.become``). ``writes``
    overrides that GET and HEAD get a read-only transaction. ``body_limit`` in bytes overrides the
    setting.
    """

    hot: bool = False
    idempotent: bool = True
    anonymous: bool = False
    writes: bool | None = None
    body_limit: int | None = None


def options(
    *,
    hot: bool = False,
    idempotent: bool = True,
    anonymous: bool = False,
    writes: bool | None = None,
    body_limit: int | None = None,
) -> Callable[[F], F]:
    """Mark an endpoint with ``RouteOptions``; stands under the router's decorator."""

    def mark(endpoint: F) -> F:
        chosen = RouteOptions(
            hot=hot,
            idempotent=idempotent,
            anonymous=anonymous,
            writes=writes,
            body_limit=body_limit,
        )
        endpoint.__route_options__ = chosen  # type: ignore[attr-defined]
        return endpoint

    return mark


def options_of(endpoint: Callable[..., Any]) -> RouteOptions:
    """Return an endpoint's options."""
    found: RouteOptions = getattr(endpoint, "__route_options__", _DEFAULT)
    return found


_DEFAULT = RouteOptions()


class Edge:
    """One request: the verified caller, the transaction and the runtime.

    ``traceparent`` is the request's span; events and audit rows carry it on.
    """

    __slots__ = ("_tx", "claim", "language", "principal", "request", "runtime", "traceparent")

    def __init__(
        self,
        *,
        runtime: Runtime,
        request: Request,
        principal: Principal,
        language: str,
        traceparent: str,
        tx: Transaction | None = None,
        claim: Claim | None = None,
    ) -> None:
        self.runtime = runtime
        self.request = request
        self.principal = principal
        self.language = language
        self.traceparent = traceparent
        self.claim = claim
        self._tx = tx

    @property
    def tx(self) -> Transaction:
        """The request's transaction; a hot route has none."""
        if self._tx is None:
            raise RuntimeError("a hot route has no transaction: end it with edge.once(...)")
        return self._tx

    def begin(self, tx: Transaction) -> None:
        """Take the transaction that the route has opened."""
        self._tx = tx

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
        submitted_by: str | Sequence[str] | None = None,
        owner: str | None = None,
    ) -> None:
        """Raise unless the caller may do ``act``; see ``kernel.policies.authorise``."""
        authorise(
            self.principal,
            act,
            organisation=organisation,
            node=node,
            done_by=submitted_by,
            owner=owner,
            rules=self.runtime.rulebook.current,
        )

    def become(self, principal: Principal) -> None:
        """Name the caller that an anonymous route has verified itself."""
        self.principal = principal
        if self._tx is not None:
            self._tx.principal = principal

    async def fetch(self, text: str, *arguments: Any) -> list[Mapping[str, Any]]:
        """Hot routes: run one constant SQL select (``$1`` …) outside any transaction."""
        return list(await self.runtime.database.hot.fetch(text, arguments))

    async def once(
        self,
        answer: BaseModel,
        *,
        rows: Rows,
        events: Sequence[OutgoingEvent] = (),
        audit: Sequence[AuditEntry] = (),
        status: int = 201,
    ) -> Response:
        """Hot routes: write rows, outbox, audit and idempotency in one statement; answer.

        All or nothing; a repeated Idempotency-Key writes nothing and gets the first answer. Rows
        give every column that has no server default. Raises ``CaseVersionTaken`` and what
        constraints raise.
        """
        return await write_once(
            self.runtime.database,
            answer,
            rows=rows,
            events=events,
            audit=audit,
            status=status,
            claim=self.claim,
            traceparent=self.traceparent,
        )


async def edge(request: Request) -> Edge:
    """FastAPI dependency: the edge of this request."""
    found: Edge = request.scope[SCOPE_KEY]
    return found


EdgeDep = Annotated[Edge, Depends(edge)]
