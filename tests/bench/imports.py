"""Importing a catalogue file into drafts over HTTP: parsed, mapped, checked, stored, audited.

The file is made up: JSON lines in the vocabulary of an open-data portal, 20,000 rows a run, each
run another file. The service runs in this process behind its whole HTTP edge.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import corpus
from tests.bench.report import Figure, median_figure, show
from tests.integration.catalog.world import AUTHORITY, World, catalog_world
from tests.support import providers
from tests.support.databases import DatabaseServer, migrate
from tests.support.http import make_node_files

GROUP = "import"
RUNS = 5
ROWS = 20_000
OPEN = {"open": "无条件开放", "conditional": "有条件开放", "none": "不予开放"}
FREQUENCIES = {"realtime": "实时", "daily": "每天", "monthly": "每月", "quarterly": "每季度"}


def figures() -> list[Figure]:
    """Measure imports into drafts."""
    with (
        providers.provide(providers.choose_database()) as admin,
        tempfile.TemporaryDirectory() as place,
    ):
        server = DatabaseServer(admin)
        url = server.url(server.create())
        migrate(url, "catalog")
        rates = asyncio.run(_runs(url, Path(place)))
    return [median_figure("import.drafts", rates, unit="1/s", target=2000, better="higher")]


async def _runs(url: str, place: Path) -> list[float]:
    async with catalog_world(url, make_node_files(place)) as world:
        await _once(world, seed=0, rows=2000)
        return [await _once(world, seed=seed, rows=ROWS) for seed in range(1, RUNS + 1)]


async def _once(world: World, *, seed: int, rows: int) -> float:
    content = catalogue_file(rows, seed=seed)
    begun = time.perf_counter()
    answer = await world.reviewer.post(
        "/catalog/v1/imports",
        files={"file": ("catalog.jsonl", content, "application/x-ndjson")},
        data={"default_org": AUTHORITY},
    )
    seconds = time.perf_counter() - begun
    if answer.status_code != 201 or answer.json()["drafts"] != rows:
        raise SystemExit(f"not every row became a draft: {answer.text[:300]}")
    return rows / seconds


def catalogue_file(rows: int, *, seed: int) -> bytes:
    """Return a portal's catalogue as JSON lines."""
    lines = []
    for number, entry in enumerate(corpus.entries(rows, seed=seed)):
        row = {
            "title": entry.title,
            "description": entry.abstract,
            "department": entry.department_name,
            "category": "其他",
            "publish_time": "2022-6-27",
            "update_time": "2022/03/18 10:46:00",
            "update_frequency": FREQUENCIES.get(entry.update_frequency, "每年"),
            "is_open": OPEN[entry.open_attr],
            "formats": "['xls', 'xml', 'json', 'csv']",
            "data_volume": f"{number % 5000:,}",
            "tags": entry.keywords.replace(" ", "\r\n\t"),
            "url": "http://data.example.invalid/catalog",
        }
        lines.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(lines).encode()


def main() -> int:
    show(figures())
    return 0


if __name__ == "__main__":
    sys.exit(main())
