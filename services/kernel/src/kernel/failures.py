"""What an error of a handler or of the database means to the consumer (protocol §3)."""

import asyncio
from enum import StrEnum
from typing import NamedTuple

from asyncpg.exceptions import InterfaceError as DriverInterfaceError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kernel.handlers import NotYet, Poison
from kernel.redact import sqlstate

_AWAY = frozenset({"08", "25", "40", "53", "55", "57", "58"})
_FOREIGN_KEY = "23503"
# an earlier statement failed and the handler went on: our code's fault, and it would never end
_FAILED_TRANSACTION = "25P02"


class Meaning(StrEnum):
    """What follows from an error."""

    AWAY = "away"
    """The database cannot answer: wait for it, the event is not to blame."""
    WAIT = "wait"
    """The event waits behind its key."""
    DEAD = "dead"
    """The event becomes a dead letter."""


class Failure(NamedTuple):
    """An error's meaning, with a code for operators and never a value."""

    meaning: Meaning
    reason: str
    sqlstate: str = ""


def read_failure(error: Exception) -> Failure:
    """Say what an error means for the single event whose handling raised it."""
    if isinstance(error, NotYet):
        return Failure(Meaning.WAIT, error.reason)
    if isinstance(error, Poison):
        return Failure(Meaning.DEAD, error.reason)
    state = sqlstate(error) or ""
    if is_away(error, state):
        return Failure(Meaning.AWAY, type(error).__name__, state)
    if state == _FOREIGN_KEY:
        return Failure(Meaning.WAIT, "foreign_key", state)
    return Failure(Meaning.DEAD, type(error).__name__, state)


def is_away(error: Exception, state: str) -> bool:
    """Tell whether the database is away or cannot do it now; ``state`` is the SQLSTATE or empty."""
    if state:
        return state[:2] in _AWAY and state != _FAILED_TRANSACTION
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    lost = (ConnectionError, asyncio.TimeoutError, PoolTimeoutError, DriverInterfaceError)
    return isinstance(error, lost)
