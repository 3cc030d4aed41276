"""The servers that ``request`` measures, each in a process of its own."""

import cProfile
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI

from kernel.runtime import open_runtime
from kernel.serve import node_app, serve
from sharing.bootstrap import define
from sharing.requests.schemas import SubmitRequest
from tests.support.http import NodeFiles

BARE_TABLE = """CREATE TABLE IF NOT EXISTS bench_bare
    (id uuid PRIMARY KEY, purpose text NOT NULL, at timestamptz)"""


def serve_sharing(
    number: int, ports: Any, url: str, root: str, node: str, broker: str, profile: str
) -> None:
    """Serve the sharing service of a node; with a broker its worker runs too."""
    files = NodeFiles(root=Path(root), keys={}, issuer_key=None)  # type: ignore[arg-type]

    async def run() -> None:
        settings = files.settings(
            "sharing", url, node=node, bootstrap=broker, log_level="error", service_token="x"
        )
        app = node_app([define(open_runtime(settings))], workers=bool(broker))
        await serve(app, host="127.0.0.1", port=0, ready=lambda port: ports.put((number, port)))

    _run(run, profile)


def serve_bare(number: int, ports: Any, url: str) -> None:
    """Serve an endpoint with the same body and one insert."""
    app = FastAPI()
    pools: list[asyncpg.Pool] = []

    @app.post("/sharing/v1/requests", status_code=201)
    async def submit(command: SubmitRequest) -> dict[str, str]:
        made = uuid4()
        await pools[0].execute(
            "INSERT INTO bench_bare VALUES ($1, $2, now())", made, command.purpose
        )
        return {"id": str(made)}

    async def run() -> None:
        pools.append(await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=8, max_size=8))
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        ports.put((number, listener.getsockname()[1]))
        config = uvicorn.Config(app, log_config=None, access_log=False)
        await uvicorn.Server(config).serve(sockets=[listener])

    _run(run, "")


def _run(run: Callable[[], Awaitable[None]], profile: str) -> None:
    profiler = cProfile.Profile() if profile else None

    def ended(*_: Any) -> None:
        if profiler:
            profiler.disable()
            profiler.dump_stats(profile)
        os._exit(0)

    signal.signal(signal.SIGTERM, ended)
    if profiler:
        profiler.enable()
    uvloop.run(run())  # type: ignore[arg-type]
