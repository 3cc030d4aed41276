"""Databases on a test server: made by template, dropped with force."""

import asyncio
import inspect
import re
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg


def run_apart(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine to its end in a thread, whether or not a loop runs in this one."""

    async def call() -> Any:
        return await work()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(call())).result()


class DatabaseServer:
    """A PostgreSQL server of a test session, reached by the URL of an administrator."""

    def __init__(self, admin_url: str) -> None:
        self._admin = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", admin_url)
        self._templates: dict[str, str] = {}

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        base, _, query = self._admin.partition("?")
        base = base.rsplit("/", 1)[0].replace("postgresql://", "postgresql+asyncpg://", 1)
        return f"{base}/{database}" + (f"?{query}" if query else "")

    def create(self, service: str | None = None) -> str:
        """Make a database, empty or with the tables of a service; return its name."""
        name = f"test_{service or 'empty'}_{uuid.uuid4().hex[:12]}"
        template = f' TEMPLATE "{self._template(service)}"' if service else ""
        self._execute(f'CREATE DATABASE "{name}"{template}')
        return name

    def drop(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self) -> None:
        """Drop the templates; matters only where the server outlives the session."""
        for name in self._templates.values():
            self.drop(name)
        self._templates.clear()

    def _template(self, service: str) -> str:
        if service not in self._templates:
            name = f"template_{service}_{uuid.uuid4().hex[:12]}"
            self._execute(f'CREATE DATABASE "{name}"')
            migrate(self.url(name), service)
            self._templates[service] = name
        return self._templates[service]

    def _execute(self, statement: str) -> None:
        async def work() -> None:
            connection = await asyncpg.connect(self._admin)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        run_apart(work)


def migrate(url: str, service: str) -> None:
    """Bring a database to the newest tables of a service."""
    from kernel.migrate import upgrade  # noqa: PLC0415

    async def work() -> None:
        result = upgrade(url, service)
        if inspect.isawaitable(result):
            await result

    run_apart(work)
