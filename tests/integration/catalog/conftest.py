"""A county's catalogue on a fresh database."""

from collections.abc import AsyncGenerator, Callable

import pytest

from tests.integration.catalog.world import World, catalog_world
from tests.support.http import NodeFiles


@pytest.fixture
async def world(postgres_url: Callable[..., str], node_files: NodeFiles) -> AsyncGenerator[World]:
    async with catalog_world(postgres_url("catalog"), node_files) as found:
        yield found
