"""The migrations of sharing make the tables that its queries use."""

from collections.abc import Callable

import pytest

from kernel.migrate import differences, downgrade, pending, upgrade
from sharing.datasets import models as datasets
from sharing.filings import models as filings
from sharing.grants import models as grants
from sharing.known import models as known
from sharing.orm import metadata
from sharing.requests import models as requests

pytestmark = pytest.mark.postgres
SLICES = (datasets, filings, grants, known, requests)


async def test_migrations_and_tables_agree(postgres_url: Callable[..., str]) -> None:
    url = postgres_url("sharing")
    assert len(metadata.tables) == 9, [each.__name__ for each in SLICES]
    assert await pending(url, "sharing") == ()
    assert await differences(url, metadata) == []


async def test_migrations_go_down_and_up_again(postgres_url: Callable[..., str]) -> None:
    url = postgres_url()
    await upgrade(url, "sharing")
    await downgrade(url, "sharing")
    assert await pending(url, "sharing") != ()
    await upgrade(url, "sharing")
    assert await differences(url, metadata) == []
