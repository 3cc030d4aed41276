"""Bus doors of what is known: broadcasts of entries and agencies, newest wins."""

from typing import cast

from contracts.events.catalog import AgencyState, EntryState
from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime
from sharing.grants.service import end_for_takedown
from sharing.known import repository
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of


def handlers(runtime: Runtime) -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()

    @found.on("yiwang.catalog.entry.published.v1")
    async def entry_published(tx: Transaction, event: ReceivedEvent) -> None:
        state = cast("EntryState", event.payload)
        newer = await repository.keep_entry(tx.connection, state, seen_at=tx.clock.now())
        if newer and state.state == "offline" and state.node == runtime.node:
            context = context_of(runtime)
            await end_for_takedown(PostgresSharingTx(tx), state.entry_id, context=context)

    @found.on("yiwang.catalog.agency.announced.v1")
    async def agency_announced(tx: Transaction, event: ReceivedEvent) -> None:
        await repository.keep_organisation(tx.connection, cast("AgencyState", event.payload))

    return found
