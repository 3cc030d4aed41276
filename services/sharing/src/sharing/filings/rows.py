"""Filings as rows: one mapping in each direction."""

from dataclasses import fields
from typing import Any

from sharing.filings.domain import Filing, FilingState

_NAMES = tuple(field.name for field in fields(Filing))


def to_row(filing: Filing) -> dict[str, Any]:
    """Return every column of a filing's row."""
    return {**{name: getattr(filing, name) for name in _NAMES}, "state": filing.state.value}


def from_row(row: Any) -> Filing:
    """Return the filing that a row holds; ``sent`` when its event has left the outbox."""
    state = FilingState(row["state"])
    if state is FilingState.QUEUED and row.get("left") is True:
        state = FilingState.SENT
    return Filing(**{**{name: row[name] for name in _NAMES}, "state": state})
