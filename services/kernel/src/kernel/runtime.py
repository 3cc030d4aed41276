"""What a service runs on: one ``Runtime`` per service and node, made once, handed to everything."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import IdSource
from kernel.settings import ServiceSettings

if TYPE_CHECKING:
    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import AsyncConnection

    from contracts.calendar import Calendar
    from contracts.rules import RuleBook
    from kernel.attachments import ObjectStore
    from kernel.auth import TokenVerifier
    from kernel.consumer import Handlers
    from kernel.http import HttpClient
    from kernel.logs import Logger
    from kernel.registry import Registry
    from kernel.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Periodic work of a worker. ``run`` opens its own transactions and is safe to repeat."""

    name: str
    every: timedelta
    run: "Callable[[Runtime], Awaitable[None]]"


@dataclass(slots=True, kw_only=True)
class Runtime:
    """Everything that a use case may need and that is not part of its transaction."""

    settings: ServiceSettings
    clock: Clock
    ids: IdSource
    database: Database
    registry: "Registry"
    rulebook: "RuleBook"
    objects: "ObjectStore"
    http: "HttpClient"
    verifier: "TokenVerifier"
    telemetry: "Telemetry"
    logger: "Logger"
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def node(self) -> str:
        """The node's code."""
        return self.settings.node

    @property
    def service(self) -> str:
        """The service's name."""
        return self.settings.service

    def calendar(self) -> "Calendar":
        """The newest calendar that was verified against the city's key."""
        raise NotImplementedError

    async def start(self) -> None:
        """Load what lives in the database (calendar) after migrations have run."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close connections."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """A service as its ``bootstrap.define(runtime)`` wires it.

    ``handlers`` are the bus handlers, ``guards`` the checks the relay makes immediately before
    publishing, by guard prefix (``grant``), ``migrations`` the folder that holds ``versions``.
    ``startup`` runs once after migrations, before the first request or event.
    """

    name: str
    runtime: Runtime
    routers: "tuple[APIRouter, ...]"
    handlers: "Handlers"
    topics: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    guards: "Mapping[str, Callable[[AsyncConnection, str], Awaitable[bool]]]" = field(
        default_factory=dict
    )
    migrations: Path | None = None
    startup: "Callable[[Runtime], Awaitable[None]] | None" = None


def open_runtime(
    settings: ServiceSettings, *, clock: Clock | None = None, ids: IdSource | None = None
) -> Runtime:
    """Make the runtime of a service from its settings; opens no connection yet."""
    raise NotImplementedError
