"""Checks of a data file against the items of its entry: pure, one cell at a time.

A finding names row and item and a code of what is wrong, never the value.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b

from contracts.events.catalog import Item

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,38}(?:\.[0-9]{1,20})?", re.ASCII)
_COMPACT_DATE = re.compile(r"[0-9]{8}", re.ASCII)
_LOGICAL = frozenset({"true", "false", "t", "f", "1", "0", "y", "n", "yes", "no", "是", "否"})
_KEY_BYTES = 12
Reason = str
CellCheck = Callable[[str], Reason | None]


@dataclass(frozen=True, slots=True)
class CellFinding:
    """What is wrong in which row (counted from 1, without the header) and item."""

    row: int
    item: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class HeaderFinding:
    """What is wrong with a column of the header, counted from 1; ``item`` is one of the entry's."""

    column: int | None
    item: str
    reason: Reason


def match_header(
    header: Sequence[str], items: Sequence[Item]
) -> tuple[tuple[Item, ...], list[HeaderFinding]]:
    """Find the item of each column by field name or Chinese name; return items and findings."""
    by_name = {item.name_cn.strip(): item for item in items}
    by_name.update({item.name_en: item for item in items})
    found: list[Item] = []
    findings: list[HeaderFinding] = []
    seen: set[str] = set()
    for column, name in enumerate(header, start=1):
        item = by_name.get(name.strip())
        if item is None:
            findings.append(HeaderFinding(column, "", "column_unknown"))
        elif item.name_en in seen:
            findings.append(HeaderFinding(column, item.name_en, "column_repeated"))
        elif item.secret:
            findings.append(HeaderFinding(column, item.name_en, "item_secret"))
        else:
            seen.add(item.name_en)
            found.append(item)
    findings += [
        HeaderFinding(None, item.name_en, "column_missing")
        for item in items
        if item.name_en not in seen and not item.secret and (item.primary_key or not item.nullable)
    ]
    return tuple(found), findings


def cell_check(item: Item) -> CellCheck:
    """Return the check of an item's non-empty values by its type, length and precision."""
    checks: dict[str, CellCheck] = {
        "I": lambda value: _form(_INTEGER, value, item),
        "N": lambda value: _decimal(value, item),
        "Y": lambda value: _decimal(value, item),
        "F": _float,
        "B": _float,
        "D": _date,
        "T": _datetime,
        "L": lambda value: None if value.strip().lower() in _LOGICAL else "not_logical",
        "G": _binary,
    }
    return checks.get(item.data_type, lambda value: _text(value, item))


def _text(value: str, item: Item) -> Reason | None:
    return "too_long" if item.length is not None and len(value) > item.length else None


def _form(pattern: re.Pattern[str], value: str, item: Item) -> Reason | None:
    if not pattern.fullmatch(value.strip()):
        return "not_an_integer"
    digits = value.strip().lstrip("+-")
    return "too_long" if item.length is not None and len(digits) > item.length else None


def _decimal(value: str, item: Item) -> Reason | None:
    text = value.strip()
    if not _DECIMAL.fullmatch(text):
        return "not_a_number"
    try:
        _, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return "not_a_number"
    scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    if item.length is not None and len(digits) > item.length:
        return "too_long"
    return "too_precise" if item.precision is not None and scale > item.precision else None


def _float(value: str) -> Reason | None:
    try:
        number = float(value)
    except ValueError:
        return "not_a_number"
    return None if number - number == 0 else "not_a_number"  # neither infinite nor NaN


def _date(value: str) -> Reason | None:
    text = value.strip()
    if _COMPACT_DATE.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        date.fromisoformat(text)
    except ValueError:
        return "not_a_date"
    return None


def _datetime(value: str) -> Reason | None:
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        return "not_a_datetime"
    return None


def _binary(value: str) -> Reason | None:
    try:
        b64decode(value, validate=True)
    except (Base64Error, ValueError):
        return "not_base64"
    return None


class RowChecker:
    """Checks rows one after the other; remembers the keys that it has seen."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = [(item, cell_check(item)) for item in items]
        self._key = [index for index, item in enumerate(items) if item.primary_key]
        self._seen: set[bytes] = set()

    def check(self, row: int, cells: Sequence[str]) -> tuple[list[str | None], list[CellFinding]]:
        """Return the cells as stored (empty is absent) and what is wrong with them."""
        if len(cells) != len(self._items):
            return [], [CellFinding(row, "", "wrong_number_of_fields")]
        findings: list[CellFinding] = []
        stored: list[str | None] = []
        for value, (item, check) in zip(cells, self._items, strict=True):
            reason = self._reason(value, item, check)
            if reason is not None:
                findings.append(CellFinding(row, item.name_en, reason))
            stored.append(value if value != "" else None)
        if self._key and not findings:
            findings += self._repeated(row, stored)
        return stored, findings

    def _reason(self, value: str, item: Item, check: CellCheck) -> Reason | None:
        if value == "":
            needed = item.primary_key or not item.nullable
            return "required" if needed else None
        if "\x00" in value:
            return "invalid_character"
        return check(value)

    def _repeated(self, row: int, stored: Sequence[str | None]) -> Iterable[CellFinding]:
        text = "\x1f".join(stored[index] or "" for index in self._key)
        mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        if mark in self._seen:
            yield CellFinding(row, self._items[self._key[0]][0].name_en, "key_repeated")
        self._seen.add(mark)
