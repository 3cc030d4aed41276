"""The route: authenticate, open the transaction, run the endpoint, commit, answer.

Order matters: a refusal leaves the transaction first (that rolls back) and is audited in one of
its own; the answer is made after the commit has succeeded.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.params import Form
from fastapi.routing import APIRoute

from kernel.answers import problem_of, problem_response
from kernel.arrival import Arrival, limit_upload, read_body
from kernel.direct import direct_call
from kernel.edge import SCOPE_KEY, Edge, RouteOptions, options_of
from kernel.hot import replay
from kernel.idempotency import (
    Claim,
    StoredAnswer,
    checked_key,
    command_digest,
    form_digest,
    keep,
    known_answer,
)
from kernel.idempotency import take as take_claim
from kernel.ports import AuditEntry
from kernel.principal import Principal
from kernel.problems import (
    BodyUnreadable,
    FieldInvalid,
    InternalFault,
    Invalid,
    ProblemError,
    UnsupportedType,
)
from kernel.runtime import Runtime
from kernel.telemetry import Span

Inner = Callable[[Request], Coroutine[Any, Any, Response]]
ANONYMOUS = "anonymous"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_FAULT = 500
_NUL_FOUND = FieldInvalid(
    field="body", reason_zh="不得含有空字符。", reason_en="It must not hold a NUL character."
)


class TransactionalRoute(APIRoute):
    """A route behind the edge."""

    def get_route_handler(self) -> Inner:
        """Return FastAPI's own handler with the edge around it."""
        self.edged = EdgedHandler(self, super().get_route_handler())
        return self.edged


class ServiceRouter(APIRouter):
    """An ``APIRouter`` whose routes are transactional."""

    def __init__(self, **arguments: Any) -> None:
        arguments.setdefault("route_class", TransactionalRoute)
        super().__init__(**arguments)


class EdgedHandler:
    """One route's handler; made once, holds nothing of a request."""

    def __init__(self, route: APIRoute, inner: Inner) -> None:
        method = min(route.methods or {"GET"})
        self.inner = inner
        self.options: RouteOptions = options_of(route.endpoint)
        self.name = f"{method} {route.path_format}"
        self.reads = (
            method in ("GET", "HEAD") if self.options.writes is None else not self.options.writes
        )
        self.idempotent = self.options.idempotent and method == "POST"
        field = route.body_field
        self.takes_form = field is not None and isinstance(field.field_info, Form)
        self.takes_json = field is not None and not self.takes_form
        self.direct = direct_call(route) if self.options.hot else None

    async def __call__(self, request: Request) -> Response:
        runtime: Runtime = request.scope["app"].state.runtime
        arrival = Arrival(request.scope)
        parent = arrival.text(b"traceparent")
        span = runtime.telemetry.start(self.name, parent=parent, kind="server")
        caller: list[Principal] = []
        try:
            response = await self._serve(request, runtime, arrival, span, caller)
        except Exception as error:  # noqa: BLE001 - the edge is where every failure is answered
            response = await self._refuse(error, runtime, arrival, span, caller)
        span.end(status=response.status_code)
        return response

    async def _serve(
        self,
        request: Request,
        runtime: Runtime,
        arrival: Arrival,
        span: Span,
        caller: list[Principal],
    ) -> Response:
        if self.options.anonymous:
            principal = Principal(subject=ANONYMOUS, name="", organisation="", node=runtime.node)
        else:
            principal = await runtime.verifier.authenticate(arrival.text(b"authorization"))
            caller.append(principal)
        key = checked_key(arrival.text(b"idempotency-key")) if self.idempotent else None
        edge = Edge(
            runtime=runtime,
            request=request,
            principal=principal,
            language=arrival.language,
            traceparent=span.traceparent,
        )
        request.scope[SCOPE_KEY] = edge
        try:
            content = await self._content(request, runtime, arrival)
            if key is not None:
                edge.claim = self._claim(request, arrival, principal, key=key, content=content)
            return await self._run(request, edge, content)
        finally:
            if self.takes_form:
                await request.close()
            if edge.principal.subject not in (principal.subject, ANONYMOUS):
                caller.append(edge.principal)

    async def _run(self, request: Request, edge: Edge, content: bytes) -> Response:
        if not self.options.hot:
            return await self._in_transaction(request, edge)
        try:
            if self.direct is not None:
                return await self.direct(edge, content)
            return await self.inner(request)
        except Exception:
            # what is refused now may repeat a command that was taken: its guards see its own effect
            first = await known_answer(edge.runtime.database, edge.claim) if edge.claim else None
            if first is None:
                raise
            return replay(first)

    async def _in_transaction(self, request: Request, edge: Edge) -> Response:
        async with edge.runtime.database.transaction(
            principal=edge.principal, traceparent=edge.traceparent, read_only=self.reads
        ) as tx:
            edge.begin(tx)
            if edge.claim is not None:
                known = await take_claim(tx, edge.claim)
                if known is not None:
                    return replay(known)
            response = await self.inner(request)
            if edge.claim is not None:
                await keep(tx, edge.claim, _stored(response))
        return response

    async def _content(self, request: Request, runtime: Runtime, arrival: Arrival) -> bytes:
        """Read and check the body; return what the idempotency digest covers of it."""
        settings = runtime.settings
        if self.takes_form:
            limit = self.options.body_limit or settings.upload_limit
            arrival.check_length(limit)
            if arrival.media_type != "multipart/form-data":
                raise UnsupportedType(accepted="multipart/form-data")
            limit_upload(request, limit)
            form = await request.form()
            return await form_digest(form) if self.idempotent else b""
        limit = self.options.body_limit or settings.body_limit
        arrival.check_length(limit)
        body = await read_body(request, limit)
        if body and self.takes_json:
            _check_json(body, arrival.media_type)
            if self.direct is None:
                _parse_json(request, body)
        return body

    def _claim(
        self,
        request: Request,
        arrival: Arrival,
        principal: Principal,
        *,
        key: str,
        content: bytes,
    ) -> Claim:
        digest = command_digest(
            principal.subject.encode(),
            request.scope["path"].encode("utf-8", "surrogateescape"),
            request.scope["query_string"],
            (arrival.text(b"if-match") or "").encode(),
            content,
        )
        return Claim(organisation=principal.organisation, route=self.name, key=key, digest=digest)

    async def _refuse(
        self,
        error: Exception,
        runtime: Runtime,
        arrival: Arrival,
        span: Span,
        caller: list[Principal],
    ) -> Response:
        problem = problem_of(error)
        span.set(yiwang__problem=problem.slug)
        if problem.status >= _FAULT:
            runtime.logger.error(
                "request failed", route=self.name, trace_id=span.trace_id, exc_info=error
            )
        elif caller:
            await self._audit_refusal(problem, runtime, span, caller[-1])
        else:
            runtime.refusals.count(arrival.source, problem.slug)
        return problem_response(problem, language=arrival.language, trace_id=span.trace_id)

    async def _audit_refusal(
        self, problem: ProblemError, runtime: Runtime, span: Span, principal: Principal
    ) -> None:
        entry = AuditEntry(
            act=self.name,
            object_kind="request",
            object_id="",
            principal=principal,
            article=problem.article or "",
            outcome="refused",
            reason=problem.slug,
            details={"fields": [found.field for found in problem.errors if found.field]},
        )
        try:
            async with runtime.database.transaction(
                principal=principal, traceparent=span.traceparent
            ) as tx:
                await tx.record(entry)
        except Exception as failure:
            runtime.logger.error("refusal not audited", trace_id=span.trace_id, exc_info=failure)  # noqa: TRY400


def _check_json(body: bytes, media_type: str) -> None:
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedType(accepted="application/json")
    if b"\\u0000" in body and _NUL.search(body):
        raise Invalid([_NUL_FOUND])


def _parse_json(request: Request, body: bytes) -> None:
    try:
        request._json = orjson.loads(body)  # noqa: SLF001 - where Starlette keeps what it parsed
    except ValueError:
        raise BodyUnreadable from None


def _stored(response: Response) -> StoredAnswer:
    body = getattr(response, "body", None)
    if body is None:
        raise InternalFault
    return StoredAnswer(
        status=response.status_code,
        media_type=response.headers.get("content-type"),
        body=bytes(body),
    )
