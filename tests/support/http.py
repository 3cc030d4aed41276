"""A service of one node over HTTP, in this process: its files, its tokens, a client.

A service's tests use it like this::

    async def test_…(postgres_url, node_files):
        async with serving(define, "catalog", postgres_url("catalog"), node_files) as node:
            clerk = node.caller("agency_clerk", organisation="114415210000000011")
            answer = await clerk.post("/catalog/v1/entries", {...})
"""

import io
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text

from contracts.calendar import packaged_calendar
from contracts.calendar_document import to_document
from kernel.app import create_app
from kernel.calendars import sign_calendar
from kernel.clock import Clock
from kernel.ids import IdSource, Uuid7Source
from kernel.issuer import Issuer, make_key
from kernel.logs import make_logger
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.settings import ServiceSettings
from kernel.signing import NodeKey

CITY = "441500"
COUNTIES = {"441521": "海丰县", "441581": "陆丰市"}
ISSUER = "http://127.0.0.1:9/issuer"


class SteadyClock:
    """A clock that tests set; it does not move by itself."""

    def __init__(self, now: datetime | None = None) -> None:
        self.instant = now or datetime(2026, 1, 12, 1, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def advance(self, **by: float) -> None:
        """Move on by ``timedelta(**by)``."""
        self.instant += timedelta(**by)


@dataclass(frozen=True)
class NodeFiles:
    """Registry, node keys, signed calendar and issuer key of a city with two counties."""

    root: Path
    keys: dict[str, NodeKey]
    issuer_key: ECKey

    @property
    def registry(self) -> Path:
        return self.root / "registry.json"

    @property
    def calendar(self) -> Path:
        return self.root / "calendar.json"

    @property
    def jwks(self) -> Path:
        return self.root / "jwks.json"

    def key_file(self, node: str) -> Path:
        return self.root / f"{node}.key"

    def settings(
        self, service: str, url: str, *, node: str = "441521", **more: Any
    ) -> ServiceSettings:
        """Settings of a service of a node; ``more`` overrides."""
        objects = self.root / "objects" / f"{node}-{service}-{url.rsplit('/', 1)[-1][-12:]}"
        given: dict[str, Any] = {
            "node": node,
            "service": service,
            "database_url": url,
            "registry_file": self.registry,
            "node_key_file": self.key_file(node),
            "calendar_file": self.calendar,
            "objects_dir": objects,
            "issuer": ISSUER,
            "jwks_file": self.jwks,
            "log_level": "warning",
        }
        return ServiceSettings(**{**given, **more})


def make_node_files(root: Path) -> NodeFiles:
    """Write the files of a federation of three nodes."""
    keys = {node: NodeKey.generate(f"{node}-1") for node in (CITY, *COUNTIES)}
    for node, key in keys.items():
        key.save(root / f"{node}.key")
    nodes = [
        {
            "node": node,
            "name": "汕尾市" if node == CITY else COUNTIES[node],
            "level": "city" if node == CITY else "county",
            "kind": "city" if node == CITY else "county",
            "parent": None if node == CITY else CITY,
            "regions": [node],
            "acts_as_county": False,
            "delivery_url": f"http://127.0.0.1:9/{node}",
            "keys": [
                {
                    "id": key.id,
                    "purpose": "sign",
                    "algorithm": "Ed25519",
                    "public": key.public(),
                    "state": "active",
                }
            ],
        }
        for node, key in keys.items()
    ]
    (root / "registry.json").write_bytes(orjson.dumps({"city": CITY, "nodes": nodes}))
    calendar = sign_calendar(to_document(packaged_calendar()), keys[CITY])
    (root / "calendar.json").write_bytes(calendar)
    issuer_key = make_key(root / "issuer.key", key_id="issuer-1")
    public = {**issuer_key.as_dict(private=False), "use": "sig", "alg": "ES256"}
    (root / "jwks.json").write_bytes(orjson.dumps({"keys": [public]}))
    return NodeFiles(root=root, keys=keys, issuer_key=issuer_key)


@pytest.fixture(scope="session")
def node_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeFiles]:
    """The files of a city and two counties, made once."""
    return make_node_files(tmp_path_factory.mktemp("federation"))


@dataclass
class Caller:
    """Somebody with a token; POST draws an Idempotency-Key unless one is given."""

    client: httpx.AsyncClient
    token: str
    ids: IdSource
    language: str = "en"

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Accept-Language": self.language,
            **(more or {}),
        }

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(path, params=query, headers=self.headers())

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        files: Any = None,
        data: Any = None,
    ) -> httpx.Response:
        sent = self.headers({"Idempotency-Key": key or str(self.ids.uuid7()), **(headers or {})})
        if files is not None:
            return await self.client.post(path, files=files, data=data, headers=sent)
        return await self.client.post(path, json=body, headers=sent)

    async def patch(self, path: str, body: Any, *, version: int | None = None) -> httpx.Response:
        more = {} if version is None else {"If-Match": f'"{version}"'}
        return await self.client.patch(path, json=body, headers=self.headers(more))


@dataclass
class ServedNode:
    """A running service of a node: runtime, definition, client and tokens."""

    definition: ServiceDefinition
    client: httpx.AsyncClient
    issuer: Issuer
    log: io.StringIO = field(default_factory=io.StringIO)
    made: int = field(default=0)

    @property
    def runtime(self) -> Runtime:
        return self.definition.runtime

    async def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Run one SQL statement (``:name`` parameters) in a transaction of its own."""
        async with self.runtime.database.transaction() as tx:
            result = await tx.connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def count(self, table: str, where: str = "true", **values: Any) -> int:
        """Count the rows of a table."""
        rows = await self.query(f"SELECT count(*) AS n FROM {table} WHERE {where}", **values)
        return int(rows[0]["n"])

    def token(self, *roles: str, organisation: str = "", subject: str = "", **more: Any) -> str:
        """Mint a token of this node."""
        self.made += 1
        given: dict[str, Any] = {
            "subject": subject or f"person-{self.made}",
            "organisation": organisation,
            "node": self.runtime.node,
            "roles": roles,
        }
        return self.issuer.mint(**{**given, **more})

    def caller(self, *roles: str, organisation: str = "", **more: Any) -> Caller:
        """Return somebody with these roles."""
        language = more.pop("language", "en")
        token = self.token(*roles, organisation=organisation, **more)
        return Caller(self.client, token, self.runtime.ids, language)


@asynccontextmanager
async def serving(
    define: Callable[[Runtime], ServiceDefinition],
    service: str,
    url: str,
    files: NodeFiles,
    *,
    node: str = "441521",
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncGenerator[ServedNode]:
    """Run a service's API in this process on a migrated database; no worker, no sockets."""
    log = io.StringIO()
    runtime = open_runtime(
        files.settings(service, url, node=node, **settings),
        clock=clock,
        logger=make_logger(stream=log, node=node, service=service),
    )
    definition = define(runtime)
    app = create_app(definition, runtime)
    await runtime.start()
    if definition.startup is not None:
        await definition.startup(runtime)
    issuer = Issuer(
        url=ISSUER, key=files.issuer_key, clock=runtime.clock, ids=Uuid7Source(runtime.clock)
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node.test") as client:
        try:
            yield ServedNode(definition, client, issuer, log)
        finally:
            await runtime.close()
