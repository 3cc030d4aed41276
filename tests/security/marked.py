"""One marked identity number on every failing way into a node, and the places where it may show.

The number is impossible (region 990000) with a true check digit. It is sent alone and inside a
word: the first would be hidden by the net that masks numbers in logs, the second would not, so that
a log line that holds a value at all is found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.security.whole_node import WholeNode
from tests.support.databases import run_apart

NUMBER = "990000190001010016"
WORD = f"x{NUMBER}x"
VALUES = (NUMBER, WORD)
#: what operators read of refused events; the event itself is kept as it was signed, for replay and
#: as evidence, in ``parked_events`` and ``evidence``
FOR_OPERATORS = (
    "kernel.dead_letters",
    "kernel.held_keys",
    "kernel.consumer_streams",
    "kernel.refusal_counts",
    "(SELECT payload FROM kernel.outbox WHERE topic LIKE 'dlq.%')",
    "(SELECT payload FROM kernel.sent_log WHERE topic LIKE 'dlq.%')",
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request; ``files`` as ``requests`` takes them."""

    what: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    files: Any = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service's document."""

    method: str
    template: str
    document: Mapping[str, Any]
    components: Mapping[str, Any]

    def names(self, place: str) -> list[str]:
        """Return the parameters of a place (``path``, ``query``)."""
        return [each["name"] for each in self.document.get("parameters", ()) if each["in"] == place]

    @property
    def media_type(self) -> str:
        content = self.document.get("requestBody", {}).get("content", {})
        return next(iter(content), "")

    def fields(self) -> list[str]:
        """Return the names of the body's fields."""
        content = self.document.get("requestBody", {}).get("content", {})
        schema = content.get(self.media_type, {}).get("schema", {})
        for part in (schema, *schema.get("anyOf", ())):
            if "$ref" in part:
                name = part["$ref"].rsplit("/", 1)[-1]
                return list(self.components[name].get("properties", ()))
        return []

    def path(self, **known: str) -> str:
        """Return an address: known ids, else ids that nothing has."""
        found = self.template
        for name in self.names("path"):
            found = found.replace(f"{{{name}}}", known.get(name, NOBODYS.get(name, UNKNOWN)))
        return found


UNKNOWN = "019a7b00-0000-7000-8000-0000000000ff"
NOBODYS = {"number": "999999", "digest": "0" * 64, "node": "441523", "org_id": "nobody"}


def operations(node: WholeNode, service: str) -> list[Operation]:
    """Return a service's operations."""
    document = node.app.apps[service].openapi()
    components = document["components"]["schemas"]
    return [
        Operation(method.upper(), path, operation, components)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def attempts(operation: Operation) -> Iterator[Attempt]:
    """Yield failing requests to one operation with the number everywhere a caller can put it."""
    yield from _in_addresses(operation)
    yield from _in_headers(operation)
    if operation.media_type == "application/json":
        yield from _in_json(operation)
    elif operation.media_type:
        yield from _in_forms(operation)


def _in_addresses(operation: Operation) -> Iterator[Attempt]:
    for value in VALUES:
        for name in operation.names("path"):
            yield Attempt(f"path {name}", operation.method, operation.path(**{name: value}))
        for name in [*operation.names("query"), value]:
            yield Attempt(f"query {name}", operation.method, operation.path(), query={name: value})


def _in_headers(operation: Operation) -> Iterator[Attempt]:
    for value in VALUES:
        for name in (
            "Authorization", "If-Match", "Idempotency-Key", "Accept-Language", "traceparent",
            "tracestate", "baggage", "User-Agent", "Cookie", "X-Forwarded-For", "X-Request-Id",
            "Content-Type", "Origin", f"X-{value}",
        ):  # fmt: skip
            given = f"Bearer {value}" if name == "Authorization" else value
            yield Attempt(
                f"header {name}", operation.method, operation.path(), headers={name: given}
            )


def _in_json(operation: Operation) -> Iterator[Attempt]:
    def attempt(what: str, body: str | bytes, kind: str = "application/json") -> Attempt:
        content = body.encode() if isinstance(body, str) else body
        return Attempt(
            what, operation.method, operation.path(), headers={"Content-Type": kind}, body=content
        )

    for value in VALUES:
        yield attempt("unknown field", f'{{"unexpected": "{value}"}}')
        yield attempt("field name", f'{{"{value}": 1}}')
        yield attempt("bare text", f'"{value}"')
        yield attempt("list", f'["{value}", {{"{value}": "{value}"}}]')
        yield attempt("cut off", f'{{"title": "{value}')
        yield attempt("gb18030", f'{{"title": "身份证{value}"}}'.encode("gb18030"))
        yield attempt("not utf-8", b'{"title": "\xff\xfe' + value.encode() + b'"}')
        yield attempt("nul", f'{{"unexpected": "\\u0000{value}"}}')
        yield attempt("surrogate", f'{{"unexpected": "\\ud800{value}"}}')
        yield attempt("form", f"title={value}", "application/x-www-form-urlencoded")
        yield attempt("text", value, "text/plain")
        yield attempt("large", f'{{"unexpected": "{value * 60_000}"}}')
    for name in operation.fields():
        yield attempt(f"field {name}", f'{{"unexpected": 1, "{name}": "{WORD}"}}')
        yield attempt(f"within {name}", f'{{"{name}": {{"{WORD}": ["{WORD}"]}}}}')
        yield attempt(f"list in {name}", f'{{"unexpected": 1, "{name}": [{{"{WORD}": "{WORD}"}}]}}')


def _in_forms(operation: Operation) -> Iterator[Attempt]:
    for value in VALUES:
        plain = {"method": operation.method, "path": operation.path()}
        yield Attempt("no file", **plain, data={value: value}, files={"other": ("a", b"b")})
        yield Attempt("file as text", **plain, data={"file": value}, files={value: (value, b"")})
        yield Attempt(
            "broken multipart",
            **plain,
            headers={"Content-Type": f"multipart/form-data; boundary={value}"},
            body=f"--{value}\r\nContent-Disposition: form-data; name={value}\r\n".encode(),
        )
        yield Attempt("json", **plain, body=f'{{"file": "{value}"}}'.encode())
        for name in operation.fields():
            # an executable: no service takes one, whatever else the form says
            program = (f"{value}.exe", b"MZ\x90\x00" + value.encode(), "application/x-msdownload")
            yield Attempt(f"form {name}", **plain, data={name: value}, files={"file": program})


def shown(value: bytes | str) -> bool:
    """Tell whether a text or bytes hold the number, plainly or in hexadecimal."""
    content = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return NUMBER.encode() in content or NUMBER.encode().hex().encode() in content


def stored(url: str, relations: Sequence[str] = ()) -> list[str]:
    """Return the relations of a database (all its tables) that hold the number in any column."""
    found: list[str] = run_apart(lambda: _stored(url, relations))
    return found


async def _stored(url: str, relations: Sequence[str]) -> list[str]:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        tables = relations or [row["name"] for row in await connection.fetch(_TABLES)]
        holding = []
        for name in sorted(tables):
            rows = await connection.fetchval(
                f"SELECT count(*) FROM {name} AS t WHERE t::text LIKE $1 OR t::text LIKE $2",
                f"%{NUMBER}%",
                f"%{NUMBER.encode().hex()}%",
            )
            if rows:
                holding.append(f"{name} ({rows} rows)")
        return holding
    finally:
        await connection.close()


_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def server_log(url: str) -> str | None:
    """Return the database server's log, None when it cannot be read from here."""
    directory: str = run_apart(lambda: _setting(url, "data_directory"))
    logs = sorted(Path(directory).parent.glob("*.log")) if directory else []
    return "".join(log.read_text(errors="replace") for log in logs) if logs else None


async def _setting(url: str, name: str) -> str:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        return str(await connection.fetchval("SELECT current_setting($1, true)", name) or "")
    finally:
        await connection.close()
