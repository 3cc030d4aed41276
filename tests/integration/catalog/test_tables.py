"""The migrations of the catalogue make the tables that its queries use."""

from collections.abc import Callable

import pytest

from catalog.tables import metadata
from kernel.migrate import differences, downgrade, pending, upgrade

pytestmark = pytest.mark.postgres
# the token indexes stand over an expression, which the comparison cannot read back
EXPRESSIONS = {f"ix_search_entries_tokens_{level}" for level in range(5)}


async def real_differences(url: str) -> list[object]:
    found = await differences(url, metadata)
    return [
        change
        for change in found
        if not (str(change[0]).endswith("_index") and change[1].name in EXPRESSIONS)
    ]


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
async def test_migrations_and_tables_agree(postgres_url: Callable[..., str]) -> None:
    url = postgres_url("catalog")
    assert await pending(url, "catalog") == ()
    assert await real_differences(url) == []


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
async def test_migrations_go_down_and_up_again(postgres_url: Callable[..., str]) -> None:
    url = postgres_url()
    await upgrade(url, "catalog")
    await downgrade(url, "catalog")
    assert await pending(url, "catalog") != ()
    await upgrade(url, "catalog")
    assert await real_differences(url) == []
