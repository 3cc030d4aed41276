"""One HTTP listener of a process: it binds first, says in a sentence why it cannot, and ends softly."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol

import uvicorn

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
GRACE_SECONDS = 10
BACKLOG = 1024


class AddressTaken(RuntimeError):  # noqa: N818 - named for what is so
    """The address to listen on cannot be had; the text says why."""


class Running(Protocol):
    """An application with a life of its own around its requests."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Start what the application needs; stop it on leaving."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def bind(host: str, port: int) -> socket.socket:
    """Bind an address, not yet listening; raises ``AddressTaken`` with one clear sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise _taken(error, host, port) from None
    return found


def listen(found: socket.socket) -> int:
    """Let callers in from now on; return the port. Raises ``AddressTaken``."""
    host, port = found.getsockname()[:2]
    try:
        found.listen(BACKLOG)
    except OSError as error:
        raise _taken(error, host, port) from None
    return int(port)


def _taken(error: OSError, host: str, port: int) -> AddressTaken:
    taken = error.errno == errno.EADDRINUSE
    reason = "another program listens there" if taken else str(error.strerror)
    return AddressTaken(f"cannot listen on {host}:{port}: {reason}")


async def serve(
    app: Running,
    *,
    host: str,
    port: int,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``; ``ready`` gets the port once callers are let in.

    Raises ``AddressTaken``, mostly before anything has started, and what ``app.running()`` raises.
    """
    ended = stop or asyncio.Event()
    with bind(host, port) as found:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            lifespan="off",
        )
        async with until_told(ended), app.running():
            server = _Server(config)
            task = asyncio.create_task(server.serve(sockets=[found]))
            if ready is not None:
                found.listen(config.backlog)  # whoever is told may connect at once
                ready(found.getsockname()[1])
            await _first(task, ended)
            server.should_exit = True
            await task


async def _first(task: "asyncio.Task[None]", ended: asyncio.Event) -> None:
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn would raise the signal again at the end, before the services have stopped
        yield


@asynccontextmanager
async def until_told(ended: asyncio.Event) -> AsyncGenerator[None]:
    """Set ``ended`` on SIGTERM or SIGINT while the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, ended.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
