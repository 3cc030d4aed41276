"""Refusals before authentication: counted per source, minute and reason, never a row each.

Kept in memory and added to ``kernel.refusal_counts`` every few seconds, so that somebody who only
sends bad tokens makes no writes.
"""

from collections import Counter
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from kernel.clock import Clock
from kernel.db import Database
from kernel.edge_tables import refusal_counts

MOST_SOURCES = 10_000
OTHERS = "others"


class RefusalCounter:
    """Counts of the current minutes; ``flush`` adds them to the table."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[tuple[datetime, str, str]] = Counter()

    def count(self, source: str, reason: str) -> None:
        """Count one refusal; past ``MOST_SOURCES`` waiting lines, sources are summed up."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        line = (minute, source, reason)
        if line not in self._counts and len(self._counts) >= MOST_SOURCES:
            line = (minute, OTHERS, reason)
        self._counts[line] += 1

    async def flush(self, database: Database) -> None:
        """Add what was counted; on failure it is kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        rows = [
            {"minute": minute, "source": source, "reason": reason, "refusals": refusals}
            for (minute, source, reason), refusals in sorted(counts.items())
        ]
        statement = insert(refusal_counts)
        statement = statement.on_conflict_do_update(
            index_elements=["minute", "source", "reason"],
            set_={"refusals": refusal_counts.c.refusals + statement.excluded.refusals},
        )
        try:
            async with database.transaction() as tx:
                await tx.connection.execute(statement, rows)
        except BaseException:
            self._counts += counts
            raise
