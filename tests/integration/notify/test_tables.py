"""The migrations of notify make the tables that its rows describe."""

from collections.abc import Callable

import pytest

from kernel.migrate import differences, downgrade, pending, upgrade
from notify.tables import metadata

pytestmark = pytest.mark.postgres


async def test_migrations_and_tables_agree(postgres_url: Callable[..., str]) -> None:
    url = postgres_url("notify")
    assert await pending(url, "notify") == ()
    assert await differences(url, metadata) == []


async def test_migrations_go_down_and_up_again(postgres_url: Callable[..., str]) -> None:
    url = postgres_url()
    await upgrade(url, "notify")
    await downgrade(url, "notify")
    assert await pending(url, "notify") != ()
    await upgrade(url, "notify")
    assert await differences(url, metadata) == []
