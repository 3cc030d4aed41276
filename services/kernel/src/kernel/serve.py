"""Running: one service alone, or all services of a node in one process."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI

from kernel.app import create_app
from kernel.ids import draw_secret
from kernel.local import sibling_address
from kernel.migrate import upgrade
from kernel.runtime import Runtime, ServiceDefinition
from kernel.worker import Worker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Define = Callable[[Runtime], ServiceDefinition]


@asynccontextmanager
async def running(
    definition: ServiceDefinition, *, worker: bool = True, migrate: bool = True
) -> AsyncGenerator[None]:
    """Migrate, start the runtime and, with ``worker``, the worker; stop them in reverse."""
    runtime = definition.runtime
    if migrate:
        await upgrade(runtime.settings.database_url.get_secret_value(), definition.name)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runtime.close)
        await runtime.start()
        if definition.startup is not None:
            await definition.startup(runtime)
        if worker:
            works = Worker(definition)
            stack.push_async_callback(works.stop)
            await works.start()
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
        extra: dict[str, ASGIApp] | None = None,
    ) -> None:
        self._definitions = definitions
        self._workers = workers
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

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                for definition in self._definitions:
                    await stack.enter_async_context(running(definition, worker=self._workers))
            except Exception as error:
                self._definitions[0].runtime.logger.error("start failed", exc_info=error)
                await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def node_app(
    definitions: Sequence[ServiceDefinition],
    *,
    workers: bool = True,
    extra: dict[str, ASGIApp] | None = None,
) -> NodeApp:
    """Make the application of a node; see ``NodeApp``."""
    return NodeApp(definitions, workers=workers, extra=extra)


async def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``; ``ready`` gets the bound port."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
        lifespan="on",
    )
    server = _Server(config, ready)
    task = asyncio.create_task(server.serve())
    if stop is not None:
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        server.should_exit = True
    await task
    if not server.started:
        raise RuntimeError("the server did not start")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready is not None:
            self._ready(self.servers[0].sockets[0].getsockname()[1])


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
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(definition):
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
