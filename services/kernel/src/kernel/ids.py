"""The only place that draws identifiers; everything else takes an ``IdSource``."""

import os
import threading
from typing import Protocol
from uuid import UUID

from kernel.clock import Clock, SystemClock


def draw_secret() -> str:
    """Return 256 random bits in hexadecimal, for a token that never leaves its process."""
    return os.urandom(32).hex()


class IdSource(Protocol):
    """Draws identifiers."""

    def uuid7(self) -> UUID:
        """Return a new UUIDv7 (RFC 9562); later ones of one source sort after earlier ones."""
        ...


class Uuid7Source:
    """UUIDv7 with a 12-bit counter within the millisecond, monotonic per source."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last = 0
        self._lock = threading.Lock()

    def uuid7(self) -> UUID:
        millis = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            # 48 bits of time and 12 bits of counter move as one number, so it never falls back
            self._last = max(self._last + 1, millis << 12)
            stamp = self._last
        random_b = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
        value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random_b
        return UUID(int=value)
