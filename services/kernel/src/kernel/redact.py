"""Keeps values out of errors, logs and traces: what is shown is class, SQLSTATE and field path."""

import re
import traceback
from collections.abc import Iterator
from typing import Any

from sqlalchemy.exc import StatementError

# citizen numbers (GB 11643, 18 or old 15 digits), telephone numbers, long digit runs, bearer tokens
_NUMBERS = re.compile(r"(?<![0-9A-Za-z-])(?:\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?![0-9A-Za-z-])")
_TOKENS = re.compile(r"eyJ[\w-]{8,}\.[\w-]*\.[\w-]*|(?i:bearer)\s+[\w.~+/-]{8,}=*")
MASK = "***"
# attributes of database errors that quote values
_TELLING = (
    "message",
    "detail",
    "hint",
    "where",
    "context",
    "internal_query",
    "query",
    "params",
    "statement",
)


def mask(text: str) -> str:
    """Replace citizen numbers, mobile numbers and tokens in a text; the net, not the method."""
    if len(text) < 11:  # noqa: PLR2004 - shorter than the shortest of them
        return text
    return _TOKENS.sub(MASK, _NUMBERS.sub(MASK, text))


def describe(error: BaseException) -> dict[str, Any]:
    """Tell an error by class, SQLSTATE, constraint and stack places; never by its message."""
    found: dict[str, Any] = {"error": type(error).__name__}
    for cause in _chain(error):
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            found["sqlstate"] = state
        constraint = getattr(cause, "constraint_name", None)
        if isinstance(constraint, str):
            found["constraint"] = constraint
    causes = [type(cause).__name__ for cause in _chain(error)][1:]
    if causes:
        found["causes"] = causes
    found["frames"] = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-12:]
    ]
    return found


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database error, wherever in the chain it stands."""
    return _first_text(error, "sqlstate")


def _first_text(error: BaseException, name: str) -> str | None:
    found = (getattr(cause, name, None) for cause in _chain(error))
    return next((value for value in found if isinstance(value, str)), None)


def scrub(error: BaseException) -> None:
    """Take every value out of a database error, in place: message, detail, hint, parameters."""
    for cause in _chain(error):
        state = sqlstate(cause)
        if getattr(cause, "sqlstate", None) is None and not isinstance(cause, StatementError):
            if not _from_driver(cause):
                continue
            state = state or "client"
        constraint = _first_text(cause, "constraint_name")
        named = f" on {constraint}" if constraint else ""
        cause.args = (f"{type(cause).__name__} [{state}]{named}",)
        for name in _TELLING:
            if getattr(cause, name, None) is not None:
                _blank(cause, name)


def _blank(error: BaseException, name: str) -> None:
    try:
        setattr(error, name, [] if isinstance(getattr(error, name), list) else None)
    except AttributeError:
        error.__dict__.pop(name, None)


def _from_driver(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "asyncpg"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__context__, current.__cause__, getattr(current, "orig", None)]
