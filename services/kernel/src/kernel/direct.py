"""Calling a hot endpoint without FastAPI in between.

An endpoint whose only parameters are one JSON body model and the edge needs no dependency solving:
the body's bytes go straight to pydantic. What is refused, and how it is answered, stays the same;
OpenAPI still comes from the route.
"""

from collections.abc import Awaitable, Callable

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from kernel.edge import Edge, edge
from kernel.problems import BodyUnreadable

Direct = Callable[[Edge, bytes], Awaitable[Response]]


def direct_call(route: APIRoute) -> Direct | None:
    """Return a direct call of the route's endpoint; ``None`` when it takes anything else."""
    needs = route.dependant
    others = (
        *needs.path_params,
        *needs.query_params,
        *needs.header_params,
        *needs.cookie_params,
        *filter(None, (needs.request_param_name, needs.response_param_name)),
        *filter(None, (needs.background_tasks_param_name, needs.http_connection_param_name)),
        *route.dependencies,
    )
    edges = [found for found in needs.dependencies if found.call is edge]
    if others or len(edges) != len(needs.dependencies) or len(needs.body_params) > 1:
        return None
    # FastAPI adds the edge's own request parameter to the edge dependency, not to the endpoint
    names = [found.name for found in edges]
    if len(names) != 1 or names[0] is None:
        return None
    return _caller(route, names[0])


def _caller(route: APIRoute, edge_name: str) -> Direct | None:
    endpoint, bodies = route.dependant.call, route.dependant.body_params
    if endpoint is None:
        return None
    if not bodies:

        async def without_body(found: Edge, _: bytes) -> Response:
            answer: Response = await endpoint(**{edge_name: found})
            return answer

        return without_body
    model = bodies[0].field_info.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    if route._embed_body_fields:  # noqa: SLF001 - told nowhere else
        return None
    body_name, validate = bodies[0].name, model.__pydantic_validator__.validate_json

    async def with_body(found: Edge, content: bytes) -> Response:
        if not content:
            raise RequestValidationError([{"type": "missing", "loc": ("body",)}])
        try:
            command = validate(content)
        except ValidationError as error:
            raise _refusal(error) from None
        answer: Response = await endpoint(**{body_name: command, edge_name: found})
        return answer

    return with_body


def _refusal(error: ValidationError) -> Exception:
    found = error.errors(include_url=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return BodyUnreadable()
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found])
