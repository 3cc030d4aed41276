"""Rows of the replica for made-up entries, as ``catalog.search.replica`` would write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from catalog.search.domain import DIMENSIONS, body_of, facet_id, fold, level_of
from tests.bench.corpus import MadeEntry

STORED = datetime(2026, 2, 13, tzinfo=UTC)


def _codes(entry: MadeEntry) -> dict[str, str]:
    return {
        "node": entry.node,
        "department": entry.department,
        "region": entry.node,
        "theme": entry.theme,
        "share_type": entry.share_type,
        "open_attr": entry.open_attr,
        "update_frequency": entry.update_frequency,
        "data_form": entry.data_form,
    }


def search_row(entry: MadeEntry) -> tuple[Any, ...]:
    codes = _codes(entry)
    return (
        entry.entry_id,
        level_of(entry.entry_id),
        entry.changed_at,
        *(facet_id(name, codes[name]) for name in DIMENSIONS),
        fold(entry.title),
        body_of(entry.title, entry.keywords, entry.department_name, entry.abstract),
    )


def published_row(entry: MadeEntry, number: int) -> tuple[Any, ...]:
    card = {
        "entry_id": entry.entry_id,
        "title": entry.title,
        "abstract": entry.abstract,
        "node": entry.node,
        "providing_org": {"org_id": entry.department, "name": entry.department_name},
        **_codes(entry),
        "items": 8,
        "source_pending": False,
    }
    document = {"entry_id": entry.entry_id, "title": entry.title}
    return (
        entry.entry_id,
        f"307044{entry.node}{number // 900_000:03d}/{number % 900_000:06d}",
        entry.node,
        entry.department,
        "published",
        1,
        1,
        entry.changed_at,
        orjson.dumps(document).decode(),
        orjson.dumps(card).decode(),
        STORED,
    )


def facets(portion: Sequence[MadeEntry]) -> list[tuple[int, str, str, str]]:
    found = {}
    for entry in portion:
        for name, code in _codes(entry).items():
            label = entry.department_name if name == "department" else ""
            found[facet_id(name, code)] = (facet_id(name, code), name, code, label)
    return list(found.values())
