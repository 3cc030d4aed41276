"""Database and broker of a test run: who provides them, and the fixtures that hand them out.

``postgres_url`` and ``broker_bootstrap`` are all that a test needs. Providers are tried in the
order of ``tests/support/providers.py``; with ``CI=true`` a missing one is a failure, not a skip.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.support import providers
from tests.support.databases import DatabaseServer


def pytest_report_header() -> list[str]:
    return [
        f"database: {providers.choose_database().title}",
        f"broker: {providers.choose_broker().title}",
    ]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """The session's PostgreSQL server, one per xdist worker."""
    with providers.provide(providers.choose_database()) as url:
        server = DatabaseServer(url)
        yield server
        server.close()


@pytest.fixture(scope="module")
def postgres_url(postgres_server: DatabaseServer) -> Iterator[Callable[..., str]]:
    """Make databases for this module: ``postgres_url("catalog")`` or an empty ``postgres_url()``.

    Each call returns the ``postgresql+asyncpg://`` URL of a new database. With a service's name it
    is a copy of a template on which that service's migrations ran once a session. All are dropped
    when the module is done.
    """
    made: list[str] = []

    def make(service: str | None = None) -> str:
        name = postgres_server.create(service)
        made.append(name)
        return postgres_server.url(name)

    yield make
    for name in made:
        postgres_server.drop(name)


@pytest.fixture(scope="session")
def broker_bootstrap() -> Iterator[str]:
    """The session's broker as ``host:port``; it has no topics: see ``tests.support.topics``."""
    with providers.provide(providers.choose_broker()) as bootstrap:
        yield bootstrap


@pytest.fixture
def fresh_broker() -> Iterator[Callable[[], str]]:
    """Start brokers of a test's own: ``fresh_broker()`` returns the bootstrap of an empty one."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(providers.provide(providers.choose_broker()))


@pytest.fixture
def run_broker(tmp_path: Path) -> Callable[[], AbstractContextManager[str]]:
    """Like ``fresh_broker``, as a context manager, for tests that stop their broker."""
    return lambda: providers.provide(providers.choose_broker())
