"""Whole services on real databases: runtime, handlers that write to ``seen``, worker, door."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.admin import NewTopic
from sqlalchemy import text

from contracts.topics import load_topics, topic_name
from federation.embedded_broker import create_topics
from kernel.app import create_app
from kernel.handlers import Handlers
from kernel.local import sibling_address
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.settings import ServiceSettings
from kernel.worker import Worker
from tests.integration.bus.parts import empty
from tests.support.buskit import CITY, HAIFENG, LUFENG, Keys, Source, confirmed

NODES = (CITY, HAIFENG, LUFENG)


@dataclass
class Service:
    """A running service and what its handlers saw."""

    definition: ServiceDefinition
    worker: Worker
    versions: int = 0

    @property
    def runtime(self) -> Runtime:
        return self.definition.runtime

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.runtime.database.transaction(read_only=True) as tx:
            return list((await tx.connection.execute(text(query), values)).all())

    async def scalar(self, query: str, **values: Any) -> Any:
        return (await self.rows(query, **values))[0][0]

    async def seen(self) -> list[str]:
        return [row[0] for row in await self.rows("SELECT what FROM seen ORDER BY id")]

    async def emit(self, source: Source, *names: str, **changed: Any) -> None:
        for name in names:
            async with self.runtime.database.transaction() as tx:
                await tx.emit(source.event(confirmed(changed["key"], name), **changed))


@dataclass
class Place:
    """What the services of a test share: keys, registry file, token, broker."""

    directory: Path
    keys: Keys
    bootstrap: str = ""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)

    def __post_init__(self) -> None:
        registry = self.keys.registry().model_dump_json(by_alias=True)
        (self.directory / "registry.json").write_text(registry)
        (self.directory / "token").write_text("a token of services")
        for node, key in self.keys.keys.items():
            key.save(self.directory / f"{node}.key")

    def settings(self, node: str, service: str, url: str, **changed: Any) -> ServiceSettings:
        values: dict[str, Any] = {
            "node": node,
            "service": service,
            "database_url": url,
            "bootstrap": self.bootstrap,
            "registry_file": self.directory / "registry.json",
            "node_key_file": self.directory / f"{node}.key",
            "service_token_file": self.directory / "token",
            "objects_dir": self.directory / "objects",
            "fetch_max_wait_ms": 20,
            "consumer_groups": False,
            "log_level": "error",
            **changed,
        }
        return ServiceSettings(**values)

    async def start(
        self,
        node: str,
        service: str,
        url: str,
        *,
        handles: Sequence[str],
        handler: Callable[[Any, Any], Awaitable[None]] | None = None,
        fresh: bool = True,
        **settings: Any,
    ) -> Service:
        """Start a service whose handler notes the events of these types.

        ``fresh`` empties its database first; one database serves a module's tests.
        """
        runtime = open_runtime(self.settings(node, service, url, **settings))
        handlers = Handlers()
        handlers.on(*handles)(handler or note)
        definition = ServiceDefinition(name=service, runtime=runtime, routers=(), handlers=handlers)
        if fresh:
            await empty(runtime.database)
        async with runtime.database.transaction() as tx:
            await tx.connection.execute(
                text("CREATE TABLE IF NOT EXISTS seen (id bigserial PRIMARY KEY, what text)")
            )
            if fresh:
                await tx.connection.execute(text("TRUNCATE seen RESTART IDENTITY"))
        made = Service(definition, Worker(definition))
        self._introduce(made)
        await runtime.start()
        self.stack.push_async_callback(runtime.close)
        await made.worker.start()
        self.stack.push_async_callback(made.worker.stop)
        self.services[(node, service)] = made
        return made

    async def stop(self, service: Service) -> None:
        """Stop one service before the test's end."""
        self.services.pop((service.runtime.node, service.runtime.service))
        await service.worker.stop()
        await service.runtime.close()

    def _introduce(self, new: Service) -> None:
        """Let the services of one node find each other's doors in this process."""
        node = new.runtime.node
        app = create_app(new.definition, new.runtime)
        new.runtime.http.attach(sibling_address(new.runtime.service), app)
        for (other_node, name), other in self.services.items():
            if other_node == node:
                other_app = create_app(other.definition, other.runtime)
                new.runtime.http.attach(sibling_address(name), other_app)
                other.runtime.http.attach(sibling_address(new.runtime.service), app)


async def note(tx: Any, event: Any) -> None:
    payload = event.payload
    what = getattr(payload, "confirmed_by", None) or getattr(payload, "name", event.type)
    await tx.connection.execute(text("INSERT INTO seen (what) VALUES (:what)"), {"what": what})


@asynccontextmanager
async def place(directory: Path, *, bootstrap: str = "") -> AsyncIterator[Place]:
    made = Place(directory, Keys(), bootstrap)
    async with made.stack:
        yield made


async def make_topics(bootstrap: str) -> None:
    """Create every topic of three nodes, as whoever starts a broker does."""
    names = []
    for spec in load_topics().topics.values():
        if spec.per == "city":
            names.append((topic_name(spec.family), spec.partitions))
        elif spec.per == "node":
            names += [(topic_name(spec.family, node), spec.partitions) for node in NODES]
    await create_topics(bootstrap, [NewTopic(name, count, 1) for name, count in names])
