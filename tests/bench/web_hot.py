"""The hot command path against a bare endpoint: what authentication, idempotency, audit and outbox cost.

The bare endpoint is FastAPI with the same body and one asyncpg insert. The hot one authenticates,
checks the Idempotency-Key, validates, and writes a request, two filings, three events, an audit row
and the key with its answer, in one statement. Runs alternate; both servers are processes of their
own with uvloop and httptools. ``python -m tests.bench.web_hot profile`` shows where time goes.
"""

import asyncio
import contextlib
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from tests.bench.load import Load, request_bytes, run_load
from tests.bench.report import Figure, median_figure, show
from tests.bench.web_hot_apps import COMMAND, TABLES, serve_bare, serve_hot
from tests.support import providers
from tests.support.databases import DatabaseServer, migrate, run_apart
from tests.support.http import make_node_files

RUNS = 5
SECONDS = 4.0
PATH = "/sample/v1/requests"


def figures() -> list[Figure]:
    """Measure five alternated runs of both."""
    with _servers() as (bare, hot, token):
        bare_runs, hot_runs = asyncio.run(_measure(bare, hot, token))
    return [
        median_figure(
            "web_hot.rate",
            [run.rate for run in hot_runs],
            unit="ratio",
            target=0.25,
            better="higher",
            floors=[run.rate for run in bare_runs],
        ),
        median_figure(
            "web_hot.p95",
            [run.percentile(0.95) * 1000 for run in hot_runs],
            unit="ms",
            target=50,
            better="lower",
            floors=[run.percentile(0.95) * 1000 for run in bare_runs],
        ),
    ]


async def _measure(bare: int, hot: int, token: str) -> tuple[list[Load], list[Load]]:
    bare_runs, hot_runs = [], []
    for number in range(-1, RUNS):
        seconds = SECONDS if number >= 0 else 1.0
        one = await run_load(bare, _make(f"b{number}", token), seconds=seconds)
        two = await run_load(hot, _make(f"h{number}", token), seconds=seconds)
        for load in (one, two):
            if set(load.statuses) != {201}:
                raise SystemExit(f"not every answer was 201: {load.statuses}")
        if number >= 0:
            bare_runs.append(one)
            hot_runs.append(two)
    return bare_runs, hot_runs


def _make(run: str, token: str) -> Any:
    body = orjson.dumps(COMMAND)
    stamp = time.monotonic_ns()

    def make(number: int) -> bytes:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{stamp}-{run}-{number}",
        }
        return request_bytes("POST", PATH, headers, body)

    return make


@contextlib.contextmanager
def _servers(profile: str = "") -> Iterator[tuple[int, int, str]]:
    context = multiprocessing.get_context("spawn")
    with (
        providers.provide(providers.choose_database()) as admin,
        tempfile.TemporaryDirectory() as place,
    ):
        server = DatabaseServer(admin)
        url = server.url(server.create())
        migrate(url, "kernel")
        run_apart(lambda: _make_tables(url))
        files = make_node_files(Path(place))
        ports: Any = context.Queue()
        processes = [
            context.Process(target=serve_bare, args=(url, ports), daemon=True),
            context.Process(target=serve_hot, args=(url, place, ports, profile), daemon=True),
        ]
        for process in processes:
            process.start()
        try:
            found = dict(ports.get(timeout=60) for _ in processes)
            yield found["bare"], found["hot"], _token(files)
        finally:
            for process in processes:
                process.terminate()
                process.join()


async def _make_tables(url: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(TABLES)
    await connection.close()


def _token(files: Any) -> str:
    from kernel.clock import SystemClock  # noqa: PLC0415
    from kernel.ids import Uuid7Source  # noqa: PLC0415
    from kernel.issuer import Issuer  # noqa: PLC0415
    from tests.support.http import ISSUER  # noqa: PLC0415

    clock = SystemClock()
    issuer = Issuer(url=ISSUER, key=files.issuer_key, clock=clock, ids=Uuid7Source(clock))
    return issuer.mint(
        subject="clerk-1", node="441521", organisation="org-1", roles=["agency_clerk"]
    )


def main(arguments: list[str]) -> int:
    if arguments == ["profile"]:
        with _servers("web_hot.prof") as (_, hot, token):
            load = asyncio.run(run_load(hot, _make("p", token), seconds=6.0))
        print(f"{load.rate:.0f}/s; profile in web_hot.prof")
        return 0
    show(figures())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
