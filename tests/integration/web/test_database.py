"""Transactions, ORM sessions on the same connection, and the pool of hot statements."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kernel.db import Database, Transaction
from kernel.ports import AuditEntry

pytestmark = pytest.mark.postgres
NUMBER = "990000190001010016"


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    town: Mapped[str] = mapped_column(Text)


@pytest.fixture(scope="module")
def url(postgres_url: Callable[..., str]) -> str:
    return postgres_url("kernel")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = Database(url, node="441521", service="sample", pool_size=3, hot_pool_size=2)
    async with made.transaction() as tx:
        await run(tx, "CREATE TABLE IF NOT EXISTS people (name text PRIMARY KEY, town text)")
        await run(tx, "TRUNCATE people")
    yield made
    await made.close()


async def run(tx: Transaction, statement: str) -> Any:
    return await tx.connection.exec_driver_sql(statement)


async def names(database: Database) -> list[str]:
    async with database.transaction(read_only=True) as tx:
        return sorted((await run(tx, "SELECT name FROM people")).scalars())


async def test_what_the_session_and_the_connection_write_is_one_transaction(
    database: Database,
) -> None:
    async def write(*, fails: bool) -> None:
        async with database.transaction() as tx:
            tx.session.add(Person(name="a", town="x"))
            await run(tx, "INSERT INTO people VALUES ('b', 'x')")
            await tx.session.flush()
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await write(fails=True)
    assert await names(database) == []
    await write(fails=False)
    assert await names(database) == ["a", "b"]


async def test_the_session_sees_what_the_connection_wrote(database: Database) -> None:
    async with database.transaction() as tx:
        await run(tx, "INSERT INTO people VALUES ('c', 'y')")
        person = await tx.session.get_one(Person, "c")
        person.town = "z"
    async with database.transaction() as tx:
        assert (await tx.session.get_one(Person, "c")).town == "z"


async def test_a_savepoint_takes_back_its_own_part_alone(database: Database) -> None:
    async def part(tx: Transaction) -> None:
        async with tx.savepoint():
            await run(tx, "INSERT INTO people VALUES ('b', 'x')")
            await run(tx, "INSERT INTO people VALUES ('a', 'x')")

    async with database.transaction() as tx:
        await run(tx, "INSERT INTO people VALUES ('a', 'x')")
        with pytest.raises(IntegrityError):
            await part(tx)
        await run(tx, "INSERT INTO people VALUES ('c', 'x')")
    assert await names(database) == ["a", "c"]


async def test_what_waits_for_the_commit_runs_after_it_and_never_after_a_rollback(
    database: Database,
) -> None:
    seen: list[str] = []

    async def write(mark: str) -> None:
        async with database.transaction() as tx:
            tx.after_commit(lambda: seen.append(mark))
            await run(tx, "INSERT INTO people VALUES ('a', 'x')")
            assert mark not in seen

    await write("first")
    assert seen == ["first"]
    with pytest.raises(IntegrityError):
        await write("second")
    assert seen == ["first"]


async def test_a_handler_acts_as_the_service_itself(database: Database) -> None:
    async with database.transaction() as tx:
        assert tx.principal.subject == "system:sample"
        assert tx.principal.kind == "service"
        entry = AuditEntry(act="x", object_kind="k", object_id="h1", principal=tx.principal)
        await tx.record(entry)
    async with database.transaction(read_only=True) as tx:
        found = await run(tx, "SELECT subject FROM kernel.audit WHERE object_id = 'h1'")
        assert found.scalar() == "system:sample"


async def test_a_database_error_shows_no_parameter_and_no_detail(database: Database) -> None:
    for _ in range(2):
        try:
            async with database.transaction() as tx:
                tx.session.add(Person(name=NUMBER, town=NUMBER))
        except IntegrityError as error:
            shown = f"{error!s} {error!r} {error.orig!r} {error.__cause__!r} {vars(error)}"
            assert NUMBER not in shown
            assert "people_pkey" in shown
            break
    else:
        pytest.fail("the second insert must be refused")


async def test_the_hot_pool_opens_no_more_than_its_size_and_shares_it(database: Database) -> None:
    rows = await asyncio.gather(
        *(database.hot.fetch("SELECT pg_backend_pid() AS pid", []) for _ in range(20))
    )
    assert len({row[0]["pid"] for row in rows}) <= 2


async def test_a_caller_who_gives_up_leaves_the_hot_pool_usable(database: Database) -> None:
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.hot.fetch("SELECT pg_sleep(5)", [])
    found = await asyncio.gather(
        *(database.hot.fetch("SELECT $1::integer AS n", [number]) for number in range(6))
    )
    assert [row[0]["n"] for row in found] == list(range(6))


async def test_a_refused_hot_statement_shows_no_value(database: Database) -> None:
    with pytest.raises(Exception, match="22003") as refused:
        await database.hot.fetch(f"SELECT '{NUMBER}x'::integer", [])
    assert NUMBER not in f"{refused.value!s} {refused.value!r} {vars(refused.value)}"


async def test_a_pool_without_a_free_connection_says_so_instead_of_waiting_for_ever(
    url: str,
) -> None:
    database = Database(url, node="441521", service="sample", pool_size=1)
    database.engine.sync_engine.pool._timeout = 0.2  # type: ignore[attr-defined]
    async with database.transaction() as tx:
        await run(tx, "SELECT 1")
        with pytest.raises(Exception, match="limit"):
            async with database.transaction() as second:
                await run(second, "SELECT 1")
    await database.close()
