"""Waiting for a condition with a deadline; tests never just sleep."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    check: Callable[[], T | Awaitable[T]], *, within: float = 10, every: float = 0.02
) -> T:
    """Call ``check`` until it returns something true, and return that.

    An ``AssertionError`` counts as "not yet", and is raised when the time (seconds) is over.
    """
    deadline = time.monotonic() + within
    while True:
        failure: AssertionError | None = None
        try:
            found = check()
            value: T = await found if inspect.isawaitable(found) else found
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within} s: {check}")
        await asyncio.sleep(every)
