"""Several services of a node in one process, and one service as a process of its own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.clock import SystemClock
from kernel.entry import service_main
from kernel.handlers import Handlers
from kernel.ids import Uuid7Source
from kernel.issuer import Issuer
from kernel.listening import AddressTaken
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.serve import NodeApp, node_app, serve
from tests.integration.web import sample
from tests.support.http import ISSUER, NodeFiles
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres


def definitions(
    postgres_url: Callable[..., str], files: NodeFiles, heard: list[ReceivedEvent]
) -> list[ServiceDefinition]:
    """A sharing service that makes things, and a notify service that hears of them."""
    handlers = Handlers()

    @handlers.on("yiwang.clock.ended.v1")
    async def hear(_: Any, event: ReceivedEvent) -> None:
        heard.append(event)

    made = []
    for name in ("sharing", "notify"):
        settings = files.settings(name, postgres_url("kernel"), log_level="error")
        runtime: Runtime = open_runtime(settings)
        sampled = sample.define(runtime)
        made.append(
            ServiceDefinition(
                name=name,
                runtime=runtime,
                routers=sampled.routers,
                handlers=handlers if name == "notify" else Handlers(),
                startup=sampled.startup,
            )
        )
    return made


@asynccontextmanager
async def served(app: NodeApp) -> AsyncIterator[str]:
    """Serve on a free port; yield the address."""
    ports: asyncio.Queue[int] = asyncio.Queue()
    stop = asyncio.Event()
    task = asyncio.create_task(
        serve(app, host="127.0.0.1", port=0, ready=ports.put_nowait, stop=stop)
    )
    try:
        async with asyncio.timeout(60):
            yield f"http://127.0.0.1:{await ports.get()}"
    finally:
        stop.set()
        await task


def token(files: NodeFiles) -> dict[str, str]:
    clock = SystemClock()
    issuer = Issuer(url=ISSUER, key=files.issuer_key, clock=clock, ids=Uuid7Source(clock))
    minted = issuer.mint(subject="p1", node="441521", organisation="org-1", roles=["agency_clerk"])
    return {"Authorization": f"Bearer {minted}", "Idempotency-Key": "k1"}


async def test_an_event_goes_from_one_service_to_the_other_inside_the_process_without_a_broker(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    heard: list[ReceivedEvent] = []
    app = node_app(definitions(postgres_url, node_files, heard), migrate=False)
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        headers = token(node_files)
        answer = await client.post("/sharing/v1/things", json={"name": "a"}, headers=headers)
        assert answer.status_code == 201
        await eventually(lambda: len(heard) == 1, within=60)
        assert heard[0].key == answer.json()["id"]
        assert heard[0].source == "/nodes/441521/sharing"
        for service in ("sharing", "notify"):
            ready = await client.get(f"/{service}/health/ready")
            assert ready.status_code == 200


async def test_each_service_answers_below_its_own_name_and_nothing_else_does(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    app = node_app(definitions(postgres_url, node_files, []), workers=False, migrate=False)
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/sharing/openapi.json")).json()["info"]["title"]
        assert (await client.get("/notify/health/live")).status_code == 200
        for path in ("/", "/catalog/v1/x", "/sharingx/v1/things", "//"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"


async def test_the_internal_door_stays_shut_without_the_service_token(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    app = node_app(definitions(postgres_url, node_files, []), workers=False, migrate=False)
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        for headers in ({}, token(node_files), {"Authorization": "Bearer x"}):
            answer = await client.post("/notify/internal/events", content=b"[]", headers=headers)
            assert answer.status_code == 401


async def test_a_service_that_cannot_start_stops_the_node_and_closes_what_was_open(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    made = definitions(postgres_url, node_files, [])

    async def fails(_: Runtime) -> None:
        raise RuntimeError("no tables")

    broken = ServiceDefinition(
        name="notify",
        runtime=made[1].runtime,
        routers=(),
        handlers=Handlers(),
        startup=fails,
    )
    app = node_app([made[0], broken], workers=False, migrate=False)
    with pytest.raises(RuntimeError, match="no tables"):
        await serve(app, host="127.0.0.1", port=0)
    assert made[0].runtime.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_taken_port_is_said_in_one_sentence_before_anything_starts(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    made = definitions(postgres_url, node_files, [])
    app = node_app(made, workers=False, migrate=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken, match=f":{port}: another program listens there"):
            await serve(app, host="127.0.0.1", port=port)
    with pytest.raises(AddressTaken, match="cannot listen on 203"):
        await serve(app, host="203.0.113.1", port=1)


MAIN = """
import sys
from kernel.entry import service_main
from tests.integration.web.sample import define
sys.exit(service_main("kernel", define))
"""


async def run(command: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        MAIN,
        command,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def environment(files: NodeFiles, url: str, objects: Path, port: int) -> dict[str, str]:
    return {
        "YIWANG_NODE": "441521",
        "YIWANG_KERNEL_DATABASE_URL": url,
        "YIWANG_REGISTRY_FILE": str(files.registry),
        "YIWANG_NODE_KEY_FILE": str(files.key_file("441521")),
        "YIWANG_CALENDAR_FILE": str(files.calendar),
        "YIWANG_OBJECTS_DIR": str(objects),
        "YIWANG_ISSUER": ISSUER,
        "YIWANG_JWKS_FILE": str(files.jwks),
        "YIWANG_KERNEL_PORT": str(port),
        "PYTHONPATH": ".",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.processes
async def test_a_service_process_migrates_serves_and_ends_on_a_signal(
    postgres_url: Callable[..., str], node_files: NodeFiles, tmp_path: Path
) -> None:
    port = free_port()
    env = environment(node_files, postgres_url(), tmp_path / "objects", port)
    process = await run("api", env)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def answers() -> bool:
                try:
                    return (await client.get("/sample/health/live")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(answers, within=60)
            headers = token(node_files)
            answer = await client.post("/sample/v1/things", json={"name": "a"}, headers=headers)
            assert answer.status_code == 201
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        out, error = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, error, out) == (0, b"", b"")


def test_check_says_in_sentences_what_is_wrong(
    postgres_url: Callable[..., str],
    node_files: NodeFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = environment(node_files, postgres_url(), tmp_path / "objects", 1)
    away = "postgresql+asyncpg://u:hidden@127.0.0.1:1/x"
    cases: list[tuple[dict[str, str], int, str]] = [
        ({}, 0, ""),
        ({"YIWANG_NODE": "449999"}, 2, "node 449999 is not in the registry"),
        ({"YIWANG_REGISTRY_FILE": "nowhere.json"}, 2, "registry file cannot be read"),
        ({"YIWANG_CALENDAR_FILE": str(node_files.jwks)}, 2, "not a signed document"),
        ({"YIWANG_NODE_KEY_FILE": str(node_files.key_file("441581"))}, 2, "441581-1"),
        ({"YIWANG_KERNEL_DATABASE_URL": away}, 2, "cannot be reached: ConnectionRefusedError"),
        ({"YIWANG_KERNEL_PORT": "x"}, 2, "YIWANG_KERNEL_PORT: "),
        ({"YIWANG_ISSUER": ""}, 2, "issuer is not set"),
    ]
    for changed, code, sentence in cases:
        for name, value in {**good, **changed}.items():
            monkeypatch.setenv(name, value)
        assert service_main("kernel", sample.define, ["check"]) == code
        said = capsys.readouterr().err
        assert sentence in said
        assert bool(said) == bool(code)
        assert "hidden" not in said
