"""A county's desk and the city's, each on a database of its own."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.notify.support import CITY, Desk, desk_at
from tests.support.http import NodeFiles


@pytest.fixture
async def desk(postgres_url: Callable[..., str], node_files: NodeFiles) -> AsyncIterator[Desk]:
    async with desk_at(postgres_url("notify"), node_files) as found:
        yield found


@pytest.fixture
async def city(postgres_url: Callable[..., str], node_files: NodeFiles) -> AsyncIterator[Desk]:
    async with desk_at(postgres_url("notify"), node_files, node=CITY) as found:
        yield found
