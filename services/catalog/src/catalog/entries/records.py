"""An entry as a use case holds it: the row, typed, with its content parsed when asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import RowMapping

from catalog.agencies.domain import name_key
from catalog.entries.content import EntryContent
from catalog.entries.domain import Copy, Position, RunningClock, Standing, state_of
from contracts.events.base import DueDate

UPDATE, REVIEW = "update", "review"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of this node.

    ``document`` is the stored form of the working copy, or of what was last in force. ``clocks``
    holds the announced deadlines under ``update`` (D1) and ``review`` (D2), each with ``running``.
    """

    entry_id: str
    providing_org: str
    region_code: str
    created_by: str
    created_at: datetime
    changed_at: datetime
    document: Mapping[str, Any]
    resource_code: str | None = None
    standing: str = Standing.NONE.value
    copy: str = Copy.DRAFT.value
    takedown: bool = False
    version: int = 0
    record_version: int = 1
    emitted: int = 0
    round: int = 0
    complete: bool = False
    source_pending: bool = False
    provenance: Mapping[str, Any] | None = None
    import_id: str | None = None
    rule_version: str = ""
    trigger: Mapping[str, Any] | None = None
    clocks: Mapping[str, Any] = field(default_factory=dict)
    confidentiality: Mapping[str, Any] | None = None
    takedown_request: Mapping[str, Any] | None = None
    suspension: Mapping[str, Any] | None = None
    opinion: str = ""
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    published_at: datetime | None = None

    @cached_property
    def content(self) -> EntryContent:
        """The content, parsed."""
        return EntryContent.model_validate(self.document)

    @property
    def position(self) -> Position:
        """Where the entry stands."""
        return Position(
            standing=Standing(self.standing), copy=Copy(self.copy), takedown=self.takedown
        )

    @property
    def state(self) -> str:
        """The one state that lists show."""
        return state_of(self.position)

    @property
    def title(self) -> str:
        return str(self.document.get("title", ""))

    def at(self, position: Position, **changes: Any) -> "Entry":
        """Return the entry in another position, with other changes."""
        return replace(
            self,
            standing=position.standing.value,
            copy=position.copy.value,
            takedown=position.takedown,
            **changes,
        )

    def clock(self, name: str) -> RunningClock | None:
        """Return an announced deadline, running or kept to be run on."""
        held = self.clocks.get(name)
        if held is None:
            return None
        return RunningClock(
            clock_id=held["clock_id"],
            due=DueDate.model_validate(held["due"]),
            bound=held["bound"],
            running=held["running"],
        )

    def with_clock(self, name: str, clock: RunningClock | None) -> "Entry":
        """Return the entry with a deadline noted, or forgotten."""
        clocks = {key: value for key, value in self.clocks.items() if key != name}
        if clock is not None:
            clocks[name] = {
                "clock_id": clock.clock_id,
                "due": clock.due.model_dump(),
                "bound": clock.bound,
                "running": clock.running,
            }
        return replace(self, clocks=clocks)

    def row(self) -> dict[str, Any]:
        """Return the column values of the entry."""
        values = {name: getattr(self, name) for name in _PLAIN}
        title = self.title
        values |= {
            "content": dict(self.document),
            "state": self.state,
            "title": title,
            "title_key": name_key(title),
        }
        return values


_PLAIN = tuple(each.name for each in fields(Entry) if each.name != "document")


def entry_of(row: RowMapping) -> Entry:
    """Return the entry of a row."""
    return Entry(document=row["content"], **{name: row[name] for name in _PLAIN})
