"""Bus doors of entries: who depends on them."""

from typing import cast

from catalog.entries import repository
from contracts.events.catalog import DependentAdded, DependentEnded
from kernel.db import Transaction
from kernel.handlers import Handlers, NotYet
from kernel.ports import ReceivedEvent


def handlers() -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()

    @found.on("yiwang.catalog.dependent.added.v1")
    async def added(tx: Transaction, event: ReceivedEvent) -> None:
        payload = cast("DependentAdded", event.payload)
        values = {
            "dependent_id": payload.dependent_id,
            "kind": payload.kind,
            "entry_id": payload.entry_id,
            "entry_version": payload.entry_version,
            "holder": payload.holder.model_dump(mode="json"),
            "until": payload.until,
            "plan": None,
            "added_at": tx.clock.now(),
            "ended_at": None,
            "end_reason": "",
        }
        await repository.keep_dependent(tx.connection, values)

    @found.on("yiwang.catalog.dependent.ended.v1")
    async def ended(tx: Transaction, event: ReceivedEvent) -> None:
        payload = cast("DependentEnded", event.payload)
        known = await repository.end_dependent(
            tx.connection,
            payload.dependent_id,
            ended_at=payload.ended_at,
            reason=payload.reason,
        )
        if not known:
            raise NotYet("dependent_not_seen")

    return found
