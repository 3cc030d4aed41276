"""Alembic under an advisory lock: the kernel's branch first, then the service's own.

Every branch is one linear history of date-named revisions; the kernel's version table is
``kernel.alembic_version_kernel``, a service's is ``alembic_version``. Environments are made here,
so a migrations folder holds nothing but ``versions``.
"""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# one number for all services: databases differ, so the lock does not meet another service's
LOCK = 0x59_69_77_61_6E_67


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One migration history and where its version is kept."""

    folder: Path
    version_table: str
    version_schema: str | None


def branches(service: str) -> tuple[Branch, ...]:
    """Return the kernel's branch and, unless ``service`` is ``kernel``, the service's."""
    kernel = Branch(
        folder=Path(__file__).parent / "migrations",
        version_table="alembic_version_kernel",
        version_schema="kernel",
    )
    if service == "kernel":
        return (kernel,)
    folder = migrations_folder(service)
    return (kernel, Branch(folder=folder, version_table="alembic_version", version_schema=None))


def migrations_folder(package: str) -> Path:
    """The migrations of a service: inside the wheel, else in the source tree."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"no package {package}"
        raise ModuleNotFoundError(message)
    root = Path(spec.origin).parent
    inside = root / "_migrations"
    return inside if inside.is_dir() else root.parents[1] / "migrations"


async def upgrade(url: str, service: str) -> None:
    """Bring both branches to their heads; several processes may call it at once."""

    def work(connection: Connection) -> None:
        for branch in branches(service):
            _run(connection, branch, "heads", up=True)

    await _locked(url, work)


async def downgrade(url: str, service: str, *, revision: str = "base") -> None:
    """Take the service's branch down to ``revision``; at ``base`` the kernel's goes too."""

    def work(connection: Connection) -> None:
        kernel, *own = branches(service)
        for branch in own:
            _run(connection, branch, revision, up=False)
        if revision == "base":
            _run(connection, kernel, "base", up=False)

    await _locked(url, work)


async def pending(url: str, service: str) -> tuple[str, ...]:
    """Return the revisions that are not applied yet, for readiness and ``check``."""
    found: list[str] = []

    def work(connection: Connection) -> None:
        for branch in branches(service):
            script = _script(branch)
            current = set(_context(connection, branch).get_current_heads())
            found.extend(head for head in script.get_heads() if head not in current)

    await _with_connection(url, work)
    return tuple(found)


def heads(service: str) -> tuple[str, ...]:
    """Return the newest revisions of the program itself: the service's branch, or the kernel's."""
    return tuple(_script(branches(service)[-1]).get_heads())


async def differences(url: str, metadata: MetaData, *, schema: str | None = None) -> list[Any]:
    """Return what autogenerate would still change, as a test of tables against migrations."""
    found: list[Any] = []

    def include(_: Any, __: str | None, kind: str, reflected: bool, other: Any) -> bool:  # noqa: FBT001
        foreign = kind == "table" and reflected and other is None
        return not foreign

    def named(name: str | None, kind: str, _: Any) -> bool:
        return kind != "schema" or name == schema

    def work(connection: Connection) -> None:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_schemas": schema is not None,
                "include_name": named,
                "include_object": include,
            },
        )
        found.extend(compare_metadata(context, metadata))

    await _with_connection(url, work)
    return found


def _script(branch: Branch) -> ScriptDirectory:
    versions = branch.folder / "versions"
    return ScriptDirectory(str(branch.folder), version_locations=[str(versions)])


def _context(connection: Connection, branch: Branch) -> MigrationContext:
    return MigrationContext.configure(
        connection,
        opts={"version_table": branch.version_table, "version_table_schema": branch.version_schema},
    )


def _run(connection: Connection, branch: Branch, revision: str, *, up: bool) -> None:
    script = _script(branch)
    if branch.version_schema and up:
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{branch.version_schema}"'))

    def steps(current: Any, _: Any) -> Sequence[Any]:
        if up:
            return script._upgrade_revs(revision, current)  # noqa: SLF001 - alembic's own recipe
        return script._downgrade_revs(revision, current)  # noqa: SLF001

    environment = EnvironmentContext(Config(), script, fn=steps)
    with environment:
        environment.configure(
            connection=connection,
            version_table=branch.version_table,
            version_table_schema=branch.version_schema,
            transactional_ddl=True,
        )
        environment.run_migrations()


async def _locked(url: str, work: Callable[[Connection], None]) -> None:
    def guarded(connection: Connection) -> None:
        # held to the end of this transaction, so a second process finds everything applied
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        work(connection)

    await _with_connection(url, guarded)


async def _with_connection(url: str, work: Callable[[Connection], None]) -> None:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(work)
    finally:
        await engine.dispose()
