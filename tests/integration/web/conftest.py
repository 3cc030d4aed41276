"""The sample service, served on a database of its own for each test module."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.web import sample
from tests.support.http import NodeFiles, ServedNode, SteadyClock, serving


@pytest.fixture(scope="module")
def database_url(postgres_url: Callable[..., str]) -> str:
    return postgres_url("kernel")


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
async def node(
    database_url: str, node_files: NodeFiles, clock: SteadyClock
) -> AsyncIterator[ServedNode]:
    """The sample service with empty tables."""
    async with serving(sample.define, "sample", database_url, node_files, clock=clock) as served:
        await served.query(
            "TRUNCATE things, kernel.idempotency, kernel.outbox, kernel.refusal_counts,"
            " kernel.attachments"
        )
        yield served
