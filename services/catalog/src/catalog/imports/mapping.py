"""Turns a row of a foreign catalogue into the content of a draft; nothing is invented here.

What a text does not say stays missing; what it says and nobody understands is reported by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from catalog.entries.content import ABSTRACT_LENGTH, TITLE_LENGTH, EntryContent
from catalog.entries.fields import SPECS
from catalog.imports.aliases import DEPARTMENT, ORIGIN, meaning_of
from catalog.imports.values import code_of, codes_of, date_of, list_of, number_of, text_of
from contracts.vocabulary import is_code

_KEYWORDS = 30
_NUMBERS = ("record_count", "security_level", "default_term_days")
_TRUE = frozenset({"true", "1", "是", "yes", "y"})
_FALSE = frozenset({"false", "0", "否", "no", "n"})
_FLAGS = frozenset(
    name for name, spec in EntryContent.model_fields.items() if "bool" in str(spec.annotation)
)
_LISTS = frozenset(
    name for name, spec in EntryContent.model_fields.items() if "tuple" in str(spec.annotation)
)


@dataclass(slots=True, kw_only=True)
class MappedRow:
    """A row as understood: content as stored, the department's name, origin, unread fields."""

    content: dict[str, Any] = field(default_factory=dict)
    department: str = ""
    origin: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def map_row(values: Mapping[str, Any]) -> MappedRow:
    """Return what a row says in our vocabulary."""
    row = MappedRow()
    for column, value in values.items():
        meaning = meaning_of(column)
        if meaning is None:
            row.unknown.append(column[:64])
        elif meaning == DEPARTMENT:
            row.department = text_of(value)
        elif meaning in ORIGIN:
            text = date_of(value) if meaning.endswith("_time") else text_of(value)
            if text:
                row.origin[meaning] = text[:500]
        elif column == meaning and (code := _own_code(meaning, value)):
            row.content[meaning] = code
        else:
            _put(row, meaning, value)
    if "data_updated_at" not in row.content and row.origin.get("update_time"):
        row.content["data_updated_at"] = row.origin["update_time"]
    return row


def _own_code(name: str, value: Any) -> str:
    """Return the code that a column of our own form holds.

    There ``none`` is a code (不予开放), elsewhere a way to write "absent".
    """
    codes = SPECS[name].codes if name in SPECS and name not in _LISTS else ""
    text = value.strip() if isinstance(value, str) else ""
    return text if codes and is_code(codes, text) else ""


def _put(row: MappedRow, name: str, value: Any) -> None:
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, dict) for v in value)
    ):
        _structured(row, name, value)
        return
    if name in _FLAGS:
        _flag(row, name, value)
        return
    if name in _NUMBERS:
        number = number_of(value)
        if number is not None:
            row.content[name] = number
        elif text_of(value):
            row.unread[name] = text_of(value)[:100]
        return
    codes = SPECS[name].codes if name in SPECS else ""
    if name in _LISTS:
        _list(row, name, value, codes)
        return
    text = text_of(value)
    if not text:
        return
    if codes:
        code = code_of(codes, text)
        if code is None:
            row.unread[name] = text[:100]
        else:
            row.content[name] = code
        return
    limits = {"title": TITLE_LENGTH, "abstract": ABSTRACT_LENGTH}
    row.content[name] = text[: limits.get(name, 128)]


def _list(row: MappedRow, name: str, value: Any, codes: str) -> None:
    if codes:
        found, unread = codes_of(codes, value)
        if unread:
            row.unread[name] = "、".join(unread)[:100]
        if found:
            row.content[name] = found
    elif name == "items":
        # names only: types and lengths are for the department to state
        names = list_of(value)
        if names:
            row.content[name] = [{"name_cn": each[:128]} for each in names]
    elif found := list_of(value):
        row.content[name] = [each[:128] for each in found[:_KEYWORDS]]


def _flag(row: MappedRow, name: str, value: Any) -> None:
    text = value if isinstance(value, bool) else text_of(value).casefold()
    if text is True or text in _TRUE:
        row.content[name] = True
    elif text is False or text in _FALSE:
        row.content[name] = False
    elif text:
        row.unread[name] = str(text)[:100]


def _structured(row: MappedRow, name: str, value: Any) -> None:
    """Keep a value that is in our own form (items, bases)."""
    try:
        parsed = EntryContent.model_validate({name: value})
    except ValidationError:
        row.unread[name] = "structure"
        return
    row.content |= parsed.stored()
