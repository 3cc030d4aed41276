"""What a service runs on: one ``Runtime`` per service and node, made once, handed to everything."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from contracts.calendar import Calendar
from contracts.rules import RuleBook, load_rule_sets
from kernel.attachments import ObjectStore
from kernel.auth import TokenVerifier, file_keys, http_keys
from kernel.calendars import CalendarStore
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.health import HealthBoard, database_reporter, relay_reporter
from kernel.http import HttpClient
from kernel.ids import IdSource, Uuid7Source
from kernel.logs import Logger, make_logger
from kernel.migrate import heads
from kernel.refusal_counts import RefusalCounter
from kernel.registry import Registry
from kernel.settings import ServiceSettings
from kernel.telemetry import Telemetry

if TYPE_CHECKING:
    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import AsyncConnection

    from kernel.handlers import Handlers

FLUSH_SECONDS = 5.0


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
    registry: Registry
    rulebook: RuleBook
    calendars: CalendarStore
    objects: ObjectStore
    http: HttpClient
    verifier: TokenVerifier
    telemetry: Telemetry
    logger: Logger
    refusals: RefusalCounter
    health: HealthBoard
    kernel_heads: frozenset[str]
    process_token: str = ""
    _flushing: asyncio.Task[None] | None = None

    @property
    def node(self) -> str:
        """The node's code."""
        return self.settings.node

    @property
    def service(self) -> str:
        """The service's name."""
        return self.settings.service

    def calendar(self) -> Calendar:
        """The newest calendar that was verified against the city's key."""
        return self.calendars.current()

    def service_token(self) -> str:
        """The token of the internal door: from settings, else one of this process alone."""
        return self.settings.service_token() or self.process_token

    async def start(self) -> None:
        """Load what lives in the database (calendar) after migrations have run."""
        await self.calendars.start(self.database, self.settings.calendar_file)
        self._flushing = asyncio.create_task(self._flush_refusals())

    async def close(self) -> None:
        """Write what is still counted and close all connections."""
        if self._flushing is not None:
            self._flushing.cancel()
            with suppress(asyncio.CancelledError):
                await self._flushing
        try:
            await self.refusals.flush(self.database)
        except Exception as error:
            self.logger.warning("refusal counts lost", exc_info=error)
        await self.http.close()
        await self.database.close()
        await asyncio.to_thread(self.telemetry.close)

    async def _flush_refusals(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.refusals.flush(self.database)
            except Exception as error:
                self.logger.warning("refusal counts not written", exc_info=error)
            try:
                await self.calendars.refresh(self.database)
            except Exception as error:
                self.logger.warning("calendar not refreshed", exc_info=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """A service as its ``bootstrap.define(runtime)`` wires it.

    ``handlers`` are the bus handlers, ``guards`` the checks that the relay makes immediately
    before publishing, by guard prefix (``grant``). ``startup`` runs once after migrations, before
    the first request or event.
    """

    name: str
    runtime: Runtime
    routers: "tuple[APIRouter, ...]"
    handlers: "Handlers"
    jobs: tuple[Job, ...] = ()
    guards: "Mapping[str, Callable[[AsyncConnection, str], Awaitable[bool]]]" = field(
        default_factory=dict
    )
    startup: "Callable[[Runtime], Awaitable[None]] | None" = None


def open_runtime(
    settings: ServiceSettings,
    *,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    logger: Logger | None = None,
    telemetry: Telemetry | None = None,
) -> Runtime:
    """Make the runtime of a service from its settings; opens no connection yet.

    Raises what the files that settings name are refused with (``RegistryError``,
    ``pydantic.ValidationError``).
    """
    clock = clock or SystemClock()
    ids = ids or Uuid7Source(clock)
    registry = Registry.load(settings.registry_file)
    http = HttpClient()
    read_keys = http_keys(settings, http) if settings.jwks_url else file_keys(settings)
    runtime = Runtime(
        settings=settings,
        clock=clock,
        ids=ids,
        database=_database(settings, clock, ids),
        registry=registry,
        rulebook=load_rule_sets(settings.rules_files),
        calendars=CalendarStore(registry, clock),
        objects=ObjectStore(settings.objects_dir, ids),
        http=http,
        verifier=TokenVerifier(settings, clock=clock, read_keys=read_keys),
        telemetry=telemetry or _telemetry(settings),
        logger=logger
        or make_logger(level=settings.log_level, node=settings.node, service=settings.service),
        refusals=RefusalCounter(clock),
        health=HealthBoard({}),
        kernel_heads=frozenset(heads("kernel")),
    )
    runtime.health.add("database", database_reporter(runtime))
    runtime.health.add("outbox", relay_reporter(runtime))
    return runtime


def _database(settings: ServiceSettings, clock: Clock, ids: IdSource) -> Database:
    return Database(
        settings.database_url.get_secret_value(),
        node=settings.node,
        service=settings.service,
        clock=clock,
        ids=ids,
        pool_size=settings.pool_size,
        hot_pool_size=settings.hot_pool_size,
    )


def _telemetry(settings: ServiceSettings) -> Telemetry:
    return Telemetry(
        service=settings.service,
        node=settings.node,
        endpoint=settings.otlp_endpoint,
        ratio=settings.trace_ratio,
    )
