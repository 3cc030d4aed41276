"""Autocommit connections for routes that write everything in one statement.

asyncpg's own pool sends a reset query after each use; a connection that only ever runs single
statements has nothing to reset, so this pool hands it on as it is.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import asyncpg

from kernel.redact import scrub, sqlstate


class HotPool:
    """At most ``size`` connections, the most recently used one first; opened when needed."""

    def __init__(self, url: str, *, size: int, name: str) -> None:
        self._dsn = re.sub(r"^postgresql\+\w+://", "postgresql://", url)
        self._name = name
        self._free: list[Any] = []
        self._places = asyncio.Semaphore(size)
        self._all: set[Any] = set()

    async def fetch(self, text: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """Run one statement and return its rows; it commits by itself or has no effect."""
        async with self._places:
            connection = await self._take()
            try:
                rows: list[asyncpg.Record] = await connection.fetch(text, *arguments)
            except Exception as error:
                scrub(error)
                if connection.is_closed() and sqlstate(error) is None:
                    # asyncpg names a connection that broke under it in several ways
                    raise ConnectionResetError from None
                raise
            finally:
                self._give_back(connection)
        return rows

    async def close(self) -> None:
        """Close every connection."""
        connections, self._all, self._free = self._all, set(), []
        for connection in connections:
            await connection.close(timeout=5)

    async def _take(self) -> Any:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
            self._all.discard(connection)
        connection = await asyncpg.connect(
            self._dsn,
            timeout=5,
            server_settings={
                "application_name": self._name,
                "jit": "off",
                # constant statements over keys and partial indexes: planning them anew for each
                # set of values costs up to a millisecond and finds the same plan
                "plan_cache_mode": "force_generic_plan",
            },
        )
        self._all.add(connection)
        return connection

    def _give_back(self, connection: Any) -> None:
        # a cancelled statement leaves the connection busy: it is not handed on
        if connection.is_closed() or connection._protocol._is_cancelling():  # noqa: SLF001
            self._all.discard(connection)
            connection.terminate()
            return
        self._free.append(connection)
