"""The city's whole node in this process: three services with their workers, without a bus.

Requests go through the ASGI adapter that schemathesis uses, so that fuzzing and story share one
loop and one node. Everything that is answered is noted, for counting which operations succeeded.
"""

import importlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import requests
from schemathesis.python import asgi

from kernel.consuming import Record
from kernel.ids import Uuid7Source
from kernel.issuer import Issuer
from kernel.local import DOOR, encode
from kernel.logs import make_logger
from kernel.runtime import open_runtime
from kernel.serve import NodeApp, node_app
from tests.support.http import ISSUER, NodeFiles

T = TypeVar("T")
SERVICES = ("catalog", "sharing", "notify")
NODE = "441500"


@dataclass(frozen=True, slots=True)
class Seen:
    """One answered request."""

    method: str
    path: str
    status: int


@dataclass
class WholeNode:
    """The running node and what it has answered."""

    app: NodeApp
    client: asgi.ASGIClient
    issuer: Issuer
    seen: list[Seen] = field(default_factory=list)

    def token(self, *roles: str, organisation: str = "", subject: str = "", **more: Any) -> str:
        """Mint a token of this node."""
        given: dict[str, Any] = {
            "subject": subject or f"person-{uuid4().hex[:8]}",
            "organisation": organisation,
            "node": NODE,
            "roles": roles,
            "seconds": 36_000,
        }
        return self.issuer.mint(**{**given, **more})

    def person(self, *roles: str, organisation: str, subject: str = "") -> "Person":
        """Return somebody with a token."""
        token = self.token(*roles, organisation=organisation, subject=subject)
        return Person(self, token)

    def send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send a request and note how it was answered."""
        answer = self.client.request(method, path, **arguments)
        self.seen.append(Seen(method, path.partition("?")[0], answer.status_code))
        return answer

    def operations(self, service: str) -> list[tuple[str, str]]:
        """Return every operation of a service's OpenAPI document as (method, path)."""
        paths: Mapping[str, Mapping[str, Any]] = self.app.apps[service].openapi()["paths"]
        return [(method.upper(), path) for path, item in paths.items() for method in item]

    def deliver(self, service: str, *records: Record) -> requests.Response:
        """Hand records to a service at its internal door, as a sibling's relay does."""
        runtime = self.app.apps[service].state.runtime
        headers = {
            "Authorization": f"Bearer {runtime.service_token()}",
            "Content-Type": "application/json",
        }
        return self.client.request(
            "POST", f"/{service}{DOOR}", headers=headers, data=encode(records)
        )

    def succeeded(self, service: str) -> set[tuple[str, str]]:
        """Return the operations that were answered with a 2xx."""
        operations = self.operations(service)
        good = {(seen.method, seen.path) for seen in self.seen if 200 <= seen.status < 300}
        return {found for sent in good for found in [_operation(operations, *sent)] if found}


def _operation(
    operations: Sequence[tuple[str, str]], method: str, path: str
) -> tuple[str, str] | None:
    """Return the operation that answers a path: the one with the fewest parameters that fits."""
    fitting = [
        (template.count("{"), (verb, template))
        for verb, template in operations
        if verb == method and re.fullmatch(re.sub(r"\{[^}]+\}", r"[^/]+", template), path)
    ]
    return min(fitting)[1] if fitting else None


@dataclass
class Person:
    """Somebody who sends requests; POST draws an Idempotency-Key."""

    node: WholeNode
    token: str

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **more}

    def get(self, path: str, *, expect: int = 200, **query: Any) -> Any:
        answer = self.node.send("GET", path, headers=self.headers(), params=query)
        assert answer.status_code == expect, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    def post(self, path: str, body: Any = None, *, expect: Sequence[int] = (200, 201)) -> Any:
        headers = self.headers(**{"Idempotency-Key": uuid4().hex})
        answer = self.node.send("POST", path, headers=headers, json=body)
        assert answer.status_code in expect, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def patch(self, path: str, body: Any, *, version: int | None = None) -> Any:
        more = {} if version is None else {"If-Match": f'"{version}"'}
        answer = self.node.send("PATCH", path, headers=self.headers(**more), json=body)
        assert answer.status_code == 200, f"PATCH {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def upload(self, path: str, content: bytes, *, name: str, kind: str, **fields: str) -> Any:
        answer = self.node.send(
            "POST",
            path,
            headers=self.headers(**{"Idempotency-Key": uuid4().hex}),
            files={"file": (name, content, kind)},
            data=fields,
        )
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


def until(check: Callable[[], T], *, within: float = 60) -> T:
    """Call ``check`` until it returns something true; a failed assertion is "not yet"."""
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | None = None
        try:
            if found := check():
                return found
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within} s")
        time.sleep(0.02)


@contextmanager
def whole_node(
    urls: Mapping[str, str], files: NodeFiles, *, log: io.StringIO | None = None, **settings: Any
) -> Iterator[WholeNode]:
    """Run all services of a node on migrated databases; its log lines go to ``log``."""
    runtimes = [
        open_runtime(
            files.settings(service, urls[service], node=NODE, **settings),
            logger=make_logger(stream=log, node=NODE, service=service, level="debug"),
        )
        for service in SERVICES
    ]
    definitions = [
        importlib.import_module(f"{runtime.service}.bootstrap").define(runtime)
        for runtime in runtimes
    ]
    app = node_app(definitions, workers=True)
    clock = runtimes[0].clock
    issuer = Issuer(url=ISSUER, key=files.issuer_key, clock=clock, ids=Uuid7Source(clock))
    with asgi.get_client(app) as client:
        yield WholeNode(app, client, issuer)
    asgi.shutdown_lifespans()
