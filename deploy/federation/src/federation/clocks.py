"""A clock that runs like the machine's but elsewhere in time, for demonstrations and tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kernel.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """The machine's clock, ``seconds`` later (or earlier when negative)."""

    seconds: float

    def now(self) -> datetime:
        return SystemClock().now() + timedelta(seconds=self.seconds)


def clock_of(shift: float) -> Clock:
    """Return the machine's clock, or a shifted one."""
    return ShiftedClock(shift) if shift else SystemClock()


def shift_to(instant: datetime) -> float:
    """Return the shift by which a clock that starts now starts at ``instant``."""
    return (instant - datetime.now(UTC)).total_seconds()
