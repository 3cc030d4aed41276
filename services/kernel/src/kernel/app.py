"""The application of one service: its routes and the kernel's under ``/<service>``."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kernel.answers import problem_of, problem_response
from kernel.arrival import Arrival
from kernel.health import health_router
from kernel.kernel_routes import internal_door, kernel_routers
from kernel.openapi import describe_api
from kernel.problems import ProblemError
from kernel.routes import EdgedHandler, TransactionalRoute
from kernel.runtime import Runtime, ServiceDefinition

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
VERSION = "0.1.0"


def create_app(service: ServiceDefinition, runtime: Runtime) -> FastAPI:
    """Make the service's application under ``/<service>``.

    Public API below ``/<service>/v1``, health below ``/<service>/health``, OpenAPI at
    ``/<service>/openapi.json`` and ``/<service>/docs``, the siblings' door below
    ``/<service>/internal``. Whoever serves it starts and closes the runtime.
    """
    base = f"/{service.name}"
    app = FastAPI(
        title=f"Yiwang {service.name}",
        version=VERSION,
        openapi_url=f"{base}/openapi.json",
        docs_url=f"{base}/docs",
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _answer_http, Exception: _answer_fault},
        swagger_ui_oauth2_redirect_url=None,
        # kernel.telemetry makes the spans; FastAPI's own would carry paths with whatever is in them
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.runtime = runtime
    for router in (*service.routers, *kernel_routers(service)):
        add_flat(app, router, f"{base}/v1")
    doors = (health_router(runtime), internal_door(service))
    for router in doors:
        add_flat(app, router, base)
    app.router.middleware_stack = _straight_to(app, app.router.middleware_stack)  # type: ignore[assignment]
    app.middleware_stack = _past_middleware(app, app.build_middleware_stack())
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(describe_api(app, issuer=runtime.settings.issuer, tags=[]))
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def add_flat(app: FastAPI, router: APIRouter, prefix: str) -> None:
    """Add a router's routes to the application itself.

    FastAPI's nested inclusion matches every request twice; a flat list matches once.
    """
    for route in router.routes:
        if not isinstance(route, APIRoute):
            raise TypeError(f"{route!r}: only routes of a router are served, no nested inclusion")
        app.router.add_api_route(
            prefix + route.path,
            route.endpoint,
            response_model=route.response_model,
            status_code=route.status_code,
            tags=route.tags,
            dependencies=route.dependencies,
            summary=route.summary,
            description=route.description,
            response_description=route.response_description,
            responses=route.responses,
            deprecated=route.deprecated,
            methods=list(route.methods or ()),
            operation_id=route.operation_id,
            response_model_exclude_none=route.response_model_exclude_none,
            response_model_exclude_unset=route.response_model_exclude_unset,
            include_in_schema=route.include_in_schema,
            response_class=route.response_class,
            name=route.name,
            openapi_extra=route.openapi_extra,
            route_class_override=type(route),
        )


def _straight_to(app: FastAPI, matching: ASGIApp) -> ASGIApp:
    """Answer routes without parameters by one look-up; leave the others to FastAPI's matching."""
    known: dict[tuple[str, str], APIRoute] = {
        (method, route.path): route
        for route in app.router.routes
        if isinstance(route, APIRoute) and "{" not in route.path
        for method in route.methods or ()
    }

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        route = known.get((scope.get("method", ""), scope.get("path", "")))
        if route is None or scope["type"] != "http":
            await matching(scope, receive, send)
            return
        scope["route"] = route
        scope["endpoint"] = route.endpoint
        scope["path_params"] = {}
        scope.setdefault("router", app.router)
        await route.app(scope, receive, send)

    return dispatch


def _past_middleware(app: FastAPI, stack: ASGIApp) -> ASGIApp:
    """Run hot routes at once: their handler answers every failure itself and needs no stack."""
    hot: dict[tuple[str, str], EdgedHandler] = {
        (method, route.path): route.edged
        for route in app.router.routes
        if isinstance(route, TransactionalRoute) and route.edged.direct is not None
        for method in route.methods or ()
    }

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        handler = hot.get((scope.get("method", ""), scope.get("path", "")))
        if handler is None:
            await stack(scope, receive, send)
            return
        scope["path_params"] = {}
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)

    return dispatch


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer what no route answered: unknown address, wrong method."""
    return _answer(request, problem_of(error))


async def _answer_fault(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    runtime: Runtime = request.app.state.runtime
    runtime.logger.error("request failed", route="(none)", exc_info=error)
    return _answer(request, problem)


def _answer(request: Request, problem: ProblemError) -> Response:
    return problem_response(problem, language=Arrival(request.scope).language)
