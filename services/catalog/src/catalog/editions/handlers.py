"""Bus door of editions: other nodes' editions, so that anyone sees which catalogue is stale."""

from typing import cast

from catalog.editions import repository
from catalog.editions.service import edition_row
from contracts.events.catalog import EditionPublished
from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent


def handlers() -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()

    @found.on("yiwang.catalog.edition.published.v1")
    async def edition_published(tx: Transaction, event: ReceivedEvent) -> None:
        edition = cast("EditionPublished", event.payload)
        row = edition_row(edition, published_by="", stored_at=tx.clock.now())
        await repository.add(tx.connection, row)

    return found
