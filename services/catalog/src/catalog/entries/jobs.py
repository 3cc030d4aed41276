"""Periodic work on entries: each step is a transaction of its own and safe to repeat."""

from datetime import timedelta

from catalog.desk import desk_of
from catalog.entries import repository, takedown
from kernel.db import system_principal
from kernel.runtime import Job, Runtime

PORTION = 100


async def take_down_due(runtime: Runtime) -> None:
    """Take down the entries whose dependents' last end date has come."""
    desk = desk_of(runtime, system_principal(runtime.node, runtime.service))
    async with runtime.database.transaction(read_only=True) as tx:
        due = await repository.due_takedowns(tx.connection, desk.today.isoformat(), limit=PORTION)
    for entry_id in due:
        async with runtime.database.transaction() as tx:
            entries = await repository.lock(tx.connection, [entry_id])
            for entry in entries:
                if entry.takedown:
                    await takedown.take_down(tx, entry, desk)


def jobs() -> tuple[Job, ...]:
    """Return the slice's periodic work."""
    return (Job(name="take-down", every=timedelta(minutes=5), run=take_down_due),)
