"""When a digest is due, and whether it says anything new."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.events.clock import DigestLine

# a change may commit this long after the instant that it carries
LATE_COMMIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSent:
    """The digest sent last: its number, a digest of its content, when and on which civil date."""

    number: int
    content: str
    as_of: datetime
    day: date


def content_of(lines: Sequence[DigestLine], overdue_cases: Sequence[str]) -> str:
    """Return a SHA-256 over the figures, without their time."""
    document = [[line.model_dump(mode="json") for line in lines], list(overdue_cases)]
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_due(last: LastSent | None, content: str, *, now: datetime, every: timedelta) -> bool:
    """Tell whether to send: never sent, figures changed, or the interval has passed."""
    return last is None or last.content != content or now - last.as_of >= every


def is_quiet(
    last: LastSent | None, changed_at: datetime | None, *, now: datetime, today: date,
    every: timedelta,
) -> bool:  # fmt: skip
    """Tell whether nothing can have changed since, so that nothing need be counted."""
    if last is None or last.day != today or now - last.as_of >= every:
        return False
    return changed_at is None or changed_at < last.as_of - LATE_COMMIT


def is_stale(as_of: datetime, *, now: datetime, every: timedelta) -> bool:
    """Tell whether a lower node has been silent for longer than two intervals."""
    return now - as_of > 2 * every
