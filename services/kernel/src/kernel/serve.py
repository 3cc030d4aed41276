"""Running: one service alone, or all services of a node in one process."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI

from kernel.runtime import Runtime, ServiceDefinition

ASGIApp = Callable[..., Any]
Define = Callable[[Runtime], ServiceDefinition]


def node_app(definitions: Sequence[ServiceDefinition], *, workers: bool = True) -> ASGIApp:
    """One ASGI application for several services; dispatches on the first path segment.

    Its lifespan migrates, starts every runtime and (``workers``) every service's worker.
    """
    raise NotImplementedError


async def run_node(
    definitions: Sequence[ServiceDefinition],
    *,
    host: str,
    port: int,
    workers: bool = True,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` gets the bound port."""
    raise NotImplementedError


def service_main(service: str, define: Define, arguments: Sequence[str] | None = None) -> int:
    """``python -m <service> api|worker|run|migrate|check``; return the exit code."""
    raise NotImplementedError


def service_app(definition: ServiceDefinition) -> FastAPI:
    """The HTTP application of one service, without worker."""
    raise NotImplementedError
