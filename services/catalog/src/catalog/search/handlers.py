"""Bus doors of the replica: other nodes' entries and agencies; newest wins, no inbox needed."""

from typing import cast

from catalog.agencies.repository import keep_known
from catalog.search import replica
from contracts.events.catalog import AgencyState, EntryState
from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent


def handlers() -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()

    @found.on("yiwang.catalog.entry.published.v1")
    async def entry_published(tx: Transaction, event: ReceivedEvent) -> None:
        state = cast("EntryState", event.payload)
        await replica.keep(tx.connection, [state], at=tx.clock.now())

    @found.on("yiwang.catalog.agency.announced.v1")
    async def agency_announced(tx: Transaction, event: ReceivedEvent) -> None:
        state = cast("AgencyState", event.payload)
        if await keep_known(tx.connection, state):
            await replica.rename_department(tx.connection, state.org_id, state.name)

    return found
