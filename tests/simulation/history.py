"""What happened in a world, in order, as the checker reads it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the history; ``at`` is virtual seconds."""

    number: int
    at: float
    kind: str
    facts: dict[str, Any]

    def line(self) -> str:
        facts = " ".join(f"{key}={value}" for key, value in self.facts.items())
        return f"{self.at:10.4f} {self.kind:<18} {facts}"


@dataclass
class History:
    """An append-only list of moments."""

    time: Any
    moments: list[Moment] = field(default_factory=list)

    def note(self, kind: str, **facts: Any) -> None:
        self.moments.append(Moment(len(self.moments), self.time(), kind, facts))

    def of(self, *kinds: str) -> Iterator[Moment]:
        return (moment for moment in self.moments if moment.kind in kinds)

    def digest(self) -> str:
        """Return SHA-256 over every line: equal digests mean equal runs."""
        text = "\n".join(moment.line() for moment in self.moments)
        return hashlib.sha256(text.encode()).hexdigest()
