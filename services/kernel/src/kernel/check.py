"""``config check``: says in sentences what is wrong before anything starts."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from contracts.rules import load_rule_sets
from kernel.calendars import CalendarRefused, CalendarStore
from kernel.clock import SystemClock
from kernel.registry import Registry, RegistryError
from kernel.settings import ServiceSettings
from kernel.signing import NodeKey, SigningError


def explain_invalid(error: ValidationError, service: str) -> list[str]:
    """Return one sentence for each setting that is missing or does not fit; never its value."""
    prefix = f"YIWANG_{service.upper()}_"
    return [
        f"{prefix}{'_'.join(str(part) for part in found['loc']).upper()}: {found['msg']}"
        for found in error.errors(include_url=False, include_input=False)
    ]


async def findings(settings: ServiceSettings) -> list[str]:
    """Return what is wrong with a service's settings; an empty list when it could start."""
    found: list[str] = []
    registry = _registry(settings, found)
    if registry is not None:
        _check_node_key(settings, registry, found)
        await _check_calendar(settings, registry, found)
    _check_files(settings, found)
    _check_identity(settings, found)
    await _check_database(settings, found)
    return found


def _registry(settings: ServiceSettings, found: list[str]) -> Registry | None:
    try:
        registry = Registry.load(settings.registry_file)
    except RegistryError as error:
        found.append(str(error))
        return None
    if settings.node not in registry:
        found.append(f"node {settings.node} is not in the registry")
    return registry


def _check_node_key(settings: ServiceSettings, registry: Registry, found: list[str]) -> None:
    if settings.node_key_file is None:
        found.append("node_key_file is not set: the worker could sign and seal nothing")
        return
    try:
        key = NodeKey.load(settings.node_key_file)
    except SigningError as error:
        found.append(str(error))
        return
    known = registry.key(key.id)
    if known is None or known[0].node != settings.node:
        found.append(f"the registry does not list key {key.id} for node {settings.node}")
    elif known[1].public != key.public():
        found.append(f"key {key.id} is not the one that the registry lists")


async def _check_calendar(settings: ServiceSettings, registry: Registry, found: list[str]) -> None:
    if settings.calendar_file is None:
        found.append("calendar_file is not set: due dates need a calendar in the database")
        return
    store = CalendarStore(registry, SystemClock())
    try:
        store.verified(await asyncio.to_thread(settings.calendar_file.read_bytes))
    except OSError as error:
        found.append(f"the calendar cannot be read: {error.strerror}")
    except CalendarRefused as error:
        found.append(str(error))


def _check_files(settings: ServiceSettings, found: list[str]) -> None:
    def attempt(name: str, read: Callable[[], object]) -> None:
        try:
            read()
        except (OSError, ValueError, KeyError) as error:
            found.append(f"{name} cannot be used: {type(error).__name__}")

    attempt("rules_files", lambda: load_rule_sets(settings.rules_files))
    attempt("objects_dir", lambda: _writable(settings.objects_dir))
    attempt("service_token_file", settings.service_token)


def _writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / ".probe"
    probe.write_bytes(b"")
    probe.unlink()


def _check_identity(settings: ServiceSettings, found: list[str]) -> None:
    if not settings.issuer:
        found.append("issuer is not set: nobody could sign in")
    if not settings.jwks_url and settings.jwks_file is None:
        found.append("neither jwks_url nor jwks_file is set: no token could be verified")


async def _check_database(settings: ServiceSettings, found: list[str]) -> None:
    dsn = settings.database_url.get_secret_value().replace("postgresql+asyncpg://", "postgresql://")
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, ValueError, TimeoutError, asyncpg.PostgresError) as error:
        found.append(f"the database cannot be reached: {type(error).__name__}")
        return
    try:
        major = connection.get_server_version().major
        ctype = await connection.fetchval(
            "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    if major < 15:  # noqa: PLR2004 - the oldest whose SQL the services keep to
        found.append(f"PostgreSQL {major} is too old; 18 is supported")
    if ctype != "UTF8":
        found.append(f"the database's encoding is {ctype}, UTF8 is needed")
