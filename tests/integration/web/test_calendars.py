"""Due dates are computed on a calendar that the city signed, and on no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.calendar import packaged_calendar
from contracts.calendar_document import to_document
from kernel.calendars import CalendarMissing, CalendarRefused, CalendarStore, sign_calendar
from kernel.db import Database
from kernel.registry import Registry
from kernel.signing import NodeKey
from tests.support.http import CITY, NodeFiles, SteadyClock

pytestmark = pytest.mark.postgres


@pytest.fixture
async def database(postgres_url: Callable[..., str]) -> Any:
    made = Database(postgres_url("kernel"), node="441521", service="sample", clock=SteadyClock())
    yield made
    await made.close()


@pytest.fixture
def store(node_files: NodeFiles) -> CalendarStore:
    return CalendarStore(Registry.load(node_files.registry), SteadyClock())


def document(version: str = "") -> dict[str, Any]:
    made = to_document(packaged_calendar())
    return {**made, "version": version or made["version"]}


async def test_the_file_of_the_settings_is_verified_kept_and_used(
    database: Database, store: CalendarStore, node_files: NodeFiles
) -> None:
    await store.start(database, node_files.calendar)
    assert store.current() == packaged_calendar()
    await store.start(database, node_files.calendar)
    async with database.transaction() as tx:
        count = await tx.connection.exec_driver_sql("SELECT count(*) FROM kernel.calendar_versions")
        assert count.scalar() == 1


async def test_a_node_computes_from_its_table_when_the_file_is_gone(
    database: Database, store: CalendarStore, node_files: NodeFiles
) -> None:
    await store.start(database, node_files.calendar)
    again = CalendarStore(Registry.load(node_files.registry), SteadyClock())
    await again.start(database, None)
    assert again.current().version == store.current().version


async def test_without_any_calendar_no_due_date_is_guessed(
    database: Database, store: CalendarStore
) -> None:
    await store.start(database, None)
    with pytest.raises(CalendarMissing):
        store.current()


async def test_the_newer_version_is_used_and_the_older_one_kept(
    database: Database, store: CalendarStore, node_files: NodeFiles, tmp_path: Path
) -> None:
    await store.start(database, node_files.calendar)
    newer = tmp_path / "newer.json"
    newer.write_bytes(sign_calendar(document("cn-2099.1"), node_files.keys[CITY]))
    await store.start(database, newer)
    assert store.current().version == "cn-2099.1"


def forged(content: bytes, **changed: Any) -> bytes:
    return orjson.dumps({**orjson.loads(content), **changed})


@pytest.mark.parametrize(
    "make",
    [
        lambda good, _: forged(good, document=document("cn-2099.1")),
        lambda good, _: forged(good, signature="AAAA"),
        lambda good, _: forged(good, key_id="nobody"),
        lambda _, keys: sign_calendar(document(), keys["441521"]),
        lambda _, keys: sign_calendar(document(), NodeKey.generate(keys[CITY].id)),
        lambda _, keys: sign_calendar({"kind": "yiwang.calendar"}, keys[CITY]),
        lambda *_: b"{}",
        lambda *_: b"not json",
        lambda *_: b"[]",
    ],
)
async def test_what_the_city_did_not_sign_is_refused(
    database: Database,
    store: CalendarStore,
    node_files: NodeFiles,
    make: Callable[[bytes, dict[str, NodeKey]], bytes],
) -> None:
    content = make(node_files.calendar.read_bytes(), node_files.keys)
    async with database.transaction() as tx:
        with pytest.raises(CalendarRefused):
            await store.take(tx, content)


async def test_a_row_changed_in_the_table_is_not_used(
    database: Database, store: CalendarStore, node_files: NodeFiles
) -> None:
    await store.start(database, node_files.calendar)
    async with database.transaction() as tx:
        await tx.connection.exec_driver_sql(
            "UPDATE kernel.calendar_versions SET signature = decode(repeat('00', 64), 'hex')"
        )
    again = CalendarStore(Registry.load(node_files.registry), SteadyClock())
    await again.start(database, None)
    with pytest.raises(CalendarMissing):
        again.current()
