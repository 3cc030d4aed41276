"""Submitting a share request: its rate against a bare endpoint, and how soon the receipt is back.

``request.submit``: ``POST /sharing/v1/requests`` of a cross-level request (authentication, policy,
guards, request, two filings, three events, audit, idempotency) against FastAPI with the same body
and one asyncpg insert. Both servers are processes of their own, on one database server; runs
alternate. ``request.receipt``: from submission to the other node's signed receipt stored at the
requester, two nodes in processes of their own over a real broker; both instants are the
requester's. ``python -m tests.bench.request profile`` shows where the time of a submission goes.
"""

import asyncio
import contextlib
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from tests.bench.load import Load, request_bytes, run_load
from tests.bench.report import Figure, median_figure, show
from tests.bench.request_apps import BARE_TABLE, serve_bare, serve_sharing
from tests.support import providers
from tests.support.databases import DatabaseServer, migrate, run_apart
from tests.support.http import ISSUER, NodeFiles, make_node_files
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, agency, command, entry
from tests.support.topics import create_node_topics

RUNS = 7
SECONDS = 4.0
RECEIPTS = 100
RECEIPT_RUNS = 5
LOOK = 0.01
# uneven, so that submissions do not fall into step with the polls of clients and broker
PAUSES = (0.013, 0.091, 0.047, 0.127, 0.029, 0.163, 0.071)
PATH = "/sharing/v1/requests"
Make = Callable[[int], bytes]


def figures() -> list[Figure]:
    """Measure alternated runs of both servers, then receipts between two nodes."""
    return [*rate_figures(), *receipt_figures()]


def rate_figures() -> list[Figure]:
    with _rate_servers() as (bare, hot, token):
        bare_runs, hot_runs = asyncio.run(_alternate(bare, hot, token))
    return [
        median_figure(
            "request.submit",
            [run.rate for run in hot_runs],
            unit="ratio",
            target=0.25,
            better="higher",
            floors=[run.rate for run in bare_runs],
        ),
    ]


def receipt_figures() -> list[Figure]:
    with _two_nodes() as (port, token, url):
        runs = [_receipt_run(port, token, url, number) for number in range(-1, RECEIPT_RUNS)][1:]
    medians = [sorted(run)[len(run) // 2] for run in runs]
    return [median_figure("request.receipt", medians, unit="ms", target=50, better="lower")]


async def _alternate(bare: int, hot: int, token: str) -> tuple[list[Load], list[Load]]:
    bare_runs, hot_runs = [], []
    for number in range(-1, RUNS):
        seconds = SECONDS if number >= 0 else 1.5
        one = await _load(bare, _make(f"b{number}", token), seconds)
        two = await _load(hot, _make(f"h{number}", token), seconds)
        if number >= 0:
            bare_runs.append(one)
            hot_runs.append(two)
    return bare_runs, hot_runs


async def _load(port: int, make: Make, seconds: float) -> Load:
    load = await run_load(port, make, seconds=seconds)
    if set(load.statuses) != {201}:
        raise SystemExit(f"not every answer was 201: {load.statuses}")
    return load


def _make(run: str, token: str) -> Make:
    """Make submissions that differ in their purpose, so that none is a duplicate."""
    stamp = time.monotonic_ns()
    mark = "用途0000000"
    body = orjson.dumps({**command().model_dump(mode="json"), "purpose": mark})
    before, after = body.split(mark.encode())

    def make(number: int) -> bytes:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{stamp}-{run}-{number}",
        }
        purpose = f"台风防御期间登记责任区，批次{run}-{stamp % 10**7}-{number}"
        return request_bytes("POST", PATH, headers, before + purpose.encode() + after)

    return make


@contextlib.contextmanager
def _rate_servers(profile: str = "") -> Iterator[tuple[int, int, str]]:
    with _place() as (server, place, files):
        url = _sharing_database(server)
        targets = [
            (serve_bare, (url,)),
            (serve_sharing, (url, str(place), HAIFENG, "", profile)),
        ]
        with _processes(targets) as ports:
            yield ports[0], ports[1], _token(files, HAIFENG)


@contextlib.contextmanager
def _two_nodes() -> Iterator[tuple[int, str, str]]:
    with _place() as (server, place, files), providers.provide(providers.choose_broker()) as broker:
        asyncio.run(create_node_topics(broker, (CITY, HAIFENG, LUFENG)))
        urls = [_sharing_database(server) for _ in (HAIFENG, LUFENG)]
        targets = [
            (serve_sharing, (url, str(place), node, broker, ""))
            for url, node in zip(urls, (HAIFENG, LUFENG), strict=True)
        ]
        with _processes(targets) as ports:
            yield ports[0], _token(files, HAIFENG), urls[0]


@contextlib.contextmanager
def _place() -> Iterator[tuple[DatabaseServer, Path, NodeFiles]]:
    with (
        providers.provide(providers.choose_database()) as admin,
        tempfile.TemporaryDirectory() as place,
    ):
        yield DatabaseServer(admin), Path(place), make_node_files(Path(place))


@contextlib.contextmanager
def _processes(targets: Sequence[tuple[Any, tuple[Any, ...]]]) -> Iterator[list[int]]:
    context = multiprocessing.get_context("spawn")
    ports: Any = context.Queue()
    processes = [
        context.Process(target=target, args=(number, ports, *arguments), daemon=True)
        for number, (target, arguments) in enumerate(targets)
    ]
    for process in processes:
        process.start()
    try:
        found = dict(ports.get(timeout=60) for _ in processes)
        yield [found[number] for number in range(len(processes))]
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _sharing_database(server: DatabaseServer) -> str:
    """Make a database of the service that knows one entry of Lufeng and the agencies."""
    url = server.url(server.create())
    migrate(url, "sharing")
    run_apart(lambda: _know(url))
    return url


async def _know(url: str) -> None:
    from kernel.db import Database  # noqa: PLC0415
    from sharing.known import repository as known  # noqa: PLC0415

    database = Database(url, node=HAIFENG, service="sharing")
    async with database.transaction() as tx:
        await known.keep_entry(tx.connection, entry(), seen_at=tx.clock.now())
        for code in (CITY, HAIFENG, LUFENG):
            await known.keep_organisation(tx.connection, agency(code))
    await _make_bare_table(database)
    await database.close()


async def _make_bare_table(database: Any) -> None:
    async with database.transaction() as tx:
        await tx.connection.exec_driver_sql(BARE_TABLE)


def _token(files: NodeFiles, node: str) -> str:
    from kernel.clock import SystemClock  # noqa: PLC0415
    from kernel.ids import Uuid7Source  # noqa: PLC0415
    from kernel.issuer import Issuer  # noqa: PLC0415

    clock = SystemClock()
    issuer = Issuer(url=ISSUER, key=files.issuer_key, clock=clock, ids=Uuid7Source(clock))
    return issuer.mint(
        subject="clerk-1", node=node, organisation=f"{node}-a", roles=["agency_clerk"]
    )


def _receipt_run(port: int, token: str, url: str, number: int) -> list[float]:
    """Submit, wait for the receipt, submit again; return the times in milliseconds."""
    return asyncio.run(_receipts(port, _make(f"r{number}", token), url))


async def _receipts(port: int, make: Make, url: str) -> list[float]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    found = []
    for number in range(RECEIPTS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(make(number))
        request_id = (await _answered(reader))["request_id"]
        writer.close()
        found.append(await _back(connection, request_id))
        await asyncio.sleep(PAUSES[number % len(PAUSES)])
    await connection.close()
    return found


async def _back(connection: Any, request_id: str) -> float:
    """Return how long the receipt took by the requester's own two instants."""
    query = """SELECT extract(epoch FROM returned_at - submitted_at)::float8 * 1000
        FROM requests WHERE side = 'sent' AND request_id = $1"""
    for _ in range(6000):
        took: float | None = await connection.fetchval(query, request_id)
        if took is not None:
            return took
        await asyncio.sleep(LOOK)
    raise SystemExit("a receipt did not come within a minute")


async def _answered(reader: asyncio.StreamReader) -> Any:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 201"):
        raise SystemExit(f"not submitted: {head[:20]!r}")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r", 1)[0])
    return orjson.loads(await reader.readexactly(length))


def main(arguments: list[str]) -> int:
    if arguments == ["profile"]:
        with _rate_servers("request.prof") as (_, hot, token):
            load = asyncio.run(run_load(hot, _make("p", token), seconds=6.0))
        print(f"{load.rate:.0f}/s {load.statuses}; profile in request.prof")
        return 0
    chosen = {"rate": rate_figures, "receipt": receipt_figures}
    show(chosen[arguments[0]]() if arguments else figures())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
