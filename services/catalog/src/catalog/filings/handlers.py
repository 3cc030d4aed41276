"""Bus doors of filings: the desk's answers."""

from typing import cast

from catalog.filings import service
from catalog.filings.service import Answer
from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent


def handlers() -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()

    @found.on("yiwang.filing.received.v1", "yiwang.filing.recorded.v1", "yiwang.filing.returned.v1")
    async def answered(tx: Transaction, event: ReceivedEvent) -> None:
        await service.answered(tx, cast("Answer", event.payload), source_node=event.source_node)

    return found
