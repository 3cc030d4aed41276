"""The OpenAPI document as it is true of every route: problems, bearer tokens, needed headers."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from kernel.answers import MEDIA_TYPE
from kernel.edge import options_of
from kernel.problem import ProblemError
from kernel.problems import (
    BodyTooLarge,
    BodyUnreadable,
    InternalFault,
    Invalid,
    NotFound,
    NotPermitted,
    PreconditionMissing,
    StaleVersion,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
)

SCHEME = "oidc"
_READING = (Unauthenticated, NotPermitted, NotFound, Invalid)
_WRITING = (BodyUnreadable, StaleVersion, BodyTooLarge, UnsupportedType, PreconditionMissing)
_FAULTS = (InternalFault, Unavailable)

_TEXT = {"type": "string"}
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457. `detail` and `remedy` follow Accept-Language (zh, en).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {**_TEXT, "description": "urn:yiwang:problem:…, stable"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "remedy": _TEXT,
        "field": {**_TEXT, "description": "path of the violated field"},
        "article": {**_TEXT, "description": "第N条, where the law is the reason"},
        "kind": {"enum": ["law", "policy"]},
        "trace_id": _TEXT,
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
        "current": {"description": "the present object (stale-version)"},
        "version": {"type": "integer"},
    },
}


def describe_api(app: FastAPI, *, issuer: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    """Return the document; the same on every call for the same routes."""
    document = get_openapi(
        title=app.title, version=app.version, routes=app.routes, tags=tags or None
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"OpenID Connect access token of {issuer or 'the configured issuer'}",
        }
    }
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], route, method)
    return document


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    chosen = options_of(route.endpoint)
    operation["security"] = [] if chosen.anonymous else [{SCHEME: []}]
    kinds: tuple[type[ProblemError], ...] = _READING + _FAULTS
    if method not in ("GET", "HEAD"):
        kinds += _WRITING
    responses = operation["responses"]
    for kind in sorted(kinds, key=lambda found: found.status):
        responses[str(kind.status)] = {
            "description": f"{kind.title_zh} / {kind.title_en}",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if method == "POST" and chosen.idempotent:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每个命令一个新键，重试时沿用 / a new key for each command, kept when retrying",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]{1,200}$"},
}
