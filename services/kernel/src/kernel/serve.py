"""Running: one service alone, or all services of a node in one process."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
from fastapi import FastAPI

from kernel.app import create_app
from kernel.ids import draw_secret
from kernel.listening import ASGIApp, Receive, Scope, Send, serve, until_told
from kernel.local import sibling_address
from kernel.migrate import upgrade
from kernel.runtime import Runtime, ServiceDefinition
from kernel.worker import Worker

Define = Callable[[Runtime], ServiceDefinition]
__all__ = [
    "Define",
    "NodeApp",
    "node_app",
    "prepared",
    "run_node",
    "run_worker",
    "serve",
    "working",
]


@asynccontextmanager
async def prepared(definition: ServiceDefinition, *, migrate: bool = True) -> AsyncGenerator[None]:
    """Migrate, start the runtime and run the service's ``startup``; close the runtime at the end."""
    runtime = definition.runtime
    if migrate:
        await upgrade(runtime.settings.database_url.get_secret_value(), runtime.service)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runtime.close)
        await runtime.start()
        if definition.startup is not None:
            await definition.startup(runtime)
        yield


@asynccontextmanager
async def working(definition: ServiceDefinition) -> AsyncGenerator[None]:
    """Run the service's worker."""
    worker = Worker(definition)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(worker.stop)
        await worker.start()
        yield


class NodeApp:
    """One ASGI application for several services; dispatches on the first path segment.

    Its lifespan runs every service; ``extra`` adds applications by first segment (the embedded
    issuer) that need no lifespan.
    """

    def __init__(
        self,
        definitions: Sequence[ServiceDefinition],
        *,
        workers: bool = True,
        migrate: bool = True,
        extra: dict[str, ASGIApp] | None = None,
    ) -> None:
        self._definitions = definitions
        self._workers = workers
        self._migrate = migrate
        self.apps: dict[str, FastAPI] = {
            definition.name: create_app(definition, definition.runtime)
            for definition in definitions
        }
        self._routes: dict[str, ASGIApp] = {**self.apps, **(extra or {})}
        self._open_doors()

    def _open_doors(self) -> None:
        """Let the services of this process reach each other's internal door without a socket."""
        secret = draw_secret()
        for definition in self._definitions:
            definition.runtime.process_token = secret
            for name, app in self.apps.items():
                definition.runtime.http.attach(sibling_address(name), app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        segment = scope["path"].split("/", 2)[1] if "/" in scope["path"] else ""
        app = self._routes.get(segment)
        if app is None:
            await _not_here(scope, send)
            return
        await app(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run all services; all doors are ready before the first worker knocks."""
        async with AsyncExitStack() as stack:
            for definition in self._definitions:
                await stack.enter_async_context(prepared(definition, migrate=self._migrate))
            for definition in self._definitions if self._workers else ():
                await stack.enter_async_context(working(definition))
            yield

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """The same for servers that know ASGI's lifespan."""
        await receive()
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def node_app(
    definitions: Sequence[ServiceDefinition],
    *,
    workers: bool = True,
    migrate: bool = True,
    extra: dict[str, ASGIApp] | None = None,
) -> NodeApp:
    """Make the application of a node; see ``NodeApp``."""
    return NodeApp(definitions, workers=workers, migrate=migrate, extra=extra)


async def run_node(
    definitions: Sequence[ServiceDefinition],
    *,
    host: str,
    port: int,
    workers: bool = True,
    extra: dict[str, ASGIApp] | None = None,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve all services of a node in this process until it is told to end."""
    app = node_app(definitions, workers=workers, extra=extra)
    await serve(app, host=host, port=port, ready=ready, stop=stop)


async def run_worker(definition: ServiceDefinition) -> None:
    """Run one service's worker until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    async with until_told(stop), prepared(definition), working(definition):
        await stop.wait()


async def _not_here(scope: Scope, send: Send) -> None:
    body = orjson.dumps(
        {
            "type": "urn:yiwang:problem:not-found",
            "title": "未找到",
            "status": 404,
            "detail": "本节点没有这个服务。",
        }
    )
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
