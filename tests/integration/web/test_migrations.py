"""The kernel's tables are those of its migrations, up, down and up again."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from kernel import bus_tables, edge_tables
from kernel.migrate import differences, downgrade, heads, migrations_folder, pending, upgrade

pytestmark = pytest.mark.postgres


async def tables(url: str) -> set[str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'kernel'")
        )
        names = set(found.scalars())
    await engine.dispose()
    return names


async def test_up_down_and_up_again_ends_where_it_began(postgres_url: Callable[..., str]) -> None:
    url = postgres_url()
    assert await pending(url, "kernel") == heads("kernel")
    await upgrade(url, "kernel")
    first = await tables(url)
    assert await pending(url, "kernel") == ()
    await downgrade(url, "kernel")
    assert await tables(url) == {"alembic_version_kernel"}
    await upgrade(url, "kernel")
    assert await tables(url) == first


async def test_autogenerate_finds_nothing_to_add(postgres_url: Callable[..., str]) -> None:
    url = postgres_url("kernel")
    assert await differences(url, edge_tables.metadata, schema="kernel") == []
    # the bus keeps some of its indexes in SQL alone
    missing = await differences(url, bus_tables.metadata, schema="kernel")
    assert [change for change in missing if change[0] != "remove_index"] == []


async def test_processes_that_start_together_migrate_once(
    postgres_url: Callable[..., str],
) -> None:
    url = postgres_url()
    await asyncio.gather(*(upgrade(url, "kernel") for _ in range(4)))
    assert await pending(url, "kernel") == ()


def test_there_is_one_line_of_revisions() -> None:
    assert len(heads("kernel")) == 1


@pytest.mark.parametrize("service", ["catalog", "sharing", "notify"])
def test_a_services_migrations_are_found_beside_its_sources(service: str) -> None:
    assert (migrations_folder(service) / "versions").is_dir()


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no package nowhere"):
        migrations_folder("nowhere")
