"""The server that ``search`` measures: the catalogue's API alone in a process of its own."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import uvicorn

from tests.support.http import NodeFiles


def serve_catalog(ports: Any, url: str, place: str, node: str) -> None:
    """Serve until the process ends; puts the port into the queue."""
    asyncio.run(_serve(ports, url, place, node))


async def _serve(ports: Any, url: str, place: str, node: str) -> None:
    from catalog.bootstrap import define  # noqa: PLC0415
    from kernel.app import create_app  # noqa: PLC0415
    from kernel.runtime import open_runtime  # noqa: PLC0415

    files = NodeFiles(root=Path(place), keys={}, issuer_key=None)  # type: ignore[arg-type]
    runtime = open_runtime(files.settings("catalog", url, node=node))
    definition = define(runtime)
    app = create_app(definition, runtime)
    await runtime.start()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 -- uvicorn offers no event for it
        await asyncio.sleep(0.01)
    ports.put(server.servers[0].sockets[0].getsockname()[1])
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    await runtime.close()
