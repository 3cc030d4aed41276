"""Reads the values of real catalogues: what stands for absent, lists, dates, numbers, codes."""

import ast
import json
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from html import unescape
from typing import Any

from contracts.vocabulary import is_absent, recognise

_TAG = re.compile(r"<[^<>]{0,200}>")
_BLANKS = re.compile(r"[ \t\u3000]+")
_SEPARATORS = re.compile(r"[\r\n\t,，、;；|]+")
_DATE = re.compile(r"^\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_COMPACT_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_NUMBER = re.compile(r"^-?[\d,，]+(?:\.0+)?$")
_LITERAL_LIMIT = 20_000


@lru_cache(maxsize=4096)
def code_of(name: str, text: str) -> str | None:
    """Return the code of list ``name`` that a text means."""
    return recognise(name, text)


@lru_cache(maxsize=4096)
def absent(text: str) -> bool:
    """Tell whether a short text stands for an absent value (暂无, null, 无 …)."""
    return is_absent(text)


def text_of(value: Any) -> str:
    """Return a value as one trimmed text; markup removed, absent ones empty."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "<" in text or "&" in text:
        text = unescape(_TAG.sub(" ", text))
    text = _BLANKS.sub(" ", text).strip()
    return "" if len(text) <= 8 and absent(text) else text  # noqa: PLR2004 -- absent texts are short


def list_of(value: Any) -> list[str]:
    """Return a value as distinct texts.

    Lists come as JSON, as Python literals (``"['xls', 'xml']"``), and as text with separators.
    """
    return list(dict.fromkeys(text for each in _parts(value) if (text := text_of(each))))


def _parts(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return [part for each in value for part in _parts(each)]
    if not isinstance(value, str):
        return (str(value),)
    text = value.strip()
    if text.startswith("[") and text.endswith("]") and len(text) <= _LITERAL_LIMIT:
        parsed = _literal(text)
        if parsed is not None:
            return [part for each in parsed for part in _parts(each)]
    return _SEPARATORS.split(text)


def _literal(text: str) -> list[Any] | None:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list):
            return found
    return None


def date_of(value: Any) -> str:
    """Return a date in ISO form, empty when the text is none; a time of day is dropped."""
    text = text_of(value)
    found = _DATE.match(text) or _COMPACT_DATE.match(text)
    if found is None:
        return ""
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return ""


def number_of(value: Any) -> int | None:
    """Return a whole number such as ``4,408``; ``None`` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    text = text_of(value)
    if not _NUMBER.match(text) or len(text) > 18:  # noqa: PLR2004 -- more digits than any table has
        return None
    plain = re.sub(r"[,，]|\.0+$", "", text)
    return int(plain) if plain.isdigit() else None


def codes_of(name: str, value: Any) -> tuple[list[str], list[str]]:
    """Return the codes that a list's texts mean, and the texts that mean none."""
    found: dict[str, None] = {}
    unread = []
    for text in list_of(value):
        code = code_of(name, text)
        if code is None:
            unread.append(text)
        else:
            found[code] = None
    return list(found), unread
