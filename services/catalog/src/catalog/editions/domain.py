"""Editions (SM-1b): each carries a digest that chains it to the one before.

An edition says what it adds, changes and removes; the digest over these and the digest before
proves the whole list without reading it, so that an edition costs what it changes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of an edition: its id and the version that the edition lists."""

    entry_id: str
    version: int


def chained_digest(
    before: str, edition: int, *, added: Sequence[Listed], changed: Sequence[Listed],
    removed: Sequence[Listed],
) -> str:  # fmt: skip
    """Return the hexadecimal SHA-256 of an edition, given the digest of the one before."""
    lines = [before, str(edition)]
    for mark, entries in (("+", added), ("~", changed), ("-", removed)):
        ordered = sorted(entries, key=lambda each: each.entry_id)
        lines += [f"{mark}{each.entry_id}@{each.version}" for each in ordered]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
