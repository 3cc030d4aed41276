"""Instants as events carry them: RFC 3339 in UTC."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds, so that texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Return the instant that an event carries; raises ``ValueError``."""
    return datetime.fromisoformat(text).astimezone(UTC)
