"""The difference of two versions, field by field and item by item."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from catalog.entries.content import FIELDS, EntryContent, ItemContent


class FieldChange(BaseModel):
    """One field: its value before and after; an item by name under ``items.<name>``."""

    model_config = ConfigDict(frozen=True)

    field: str
    change: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None


def field_diff(before: EntryContent, after: EntryContent) -> tuple[FieldChange, ...]:
    """Return what differs, in the order of the fields."""
    changes: list[FieldChange] = []
    empty = EntryContent()
    for name in FIELDS:
        if name == "items":
            changes.extend(_item_diff(before.items, after.items))
            continue
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            nothing = getattr(empty, name)
            kind: Literal["added", "changed", "removed"] = "changed"
            if old == nothing:
                kind = "added"
            elif new == nothing:
                kind = "removed"
            changes.append(
                FieldChange(field=name, change=kind, before=_plain(old), after=_plain(new))
            )
    return tuple(changes)


def _item_diff(
    before: tuple[ItemContent, ...], after: tuple[ItemContent, ...]
) -> list[FieldChange]:
    old = {item.name_cn: item for item in before}
    new = {item.name_cn: item for item in after}
    changes = []
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) == new.get(name):
            continue
        kind: Literal["added", "changed", "removed"] = (
            "added" if name not in old else "removed" if name not in new else "changed"
        )
        changes.append(
            FieldChange(
                field=f"items.{name}",
                change=kind,
                before=_plain(old.get(name)),
                after=_plain(new.get(name)),
            )
        )
    return changes


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
