"""Bus doors of filings: what the desks answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime
from sharing.filings import service
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

UseCase = Callable[..., Awaitable[None]]

USE_CASES: dict[str, UseCase] = {
    "yiwang.filing.received.v1": service.received,
    "yiwang.filing.recorded.v1": service.recorded,
    "yiwang.filing.returned.v1": service.returned,
}


def handlers(runtime: Runtime) -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()
    for event_type, use_case in USE_CASES.items():
        found.on(event_type)(_door(use_case, runtime))
    return found


def _door(use_case: UseCase, runtime: Runtime) -> Callable[[Any, ReceivedEvent], Awaitable[None]]:
    async def handle(tx: Transaction, event: ReceivedEvent) -> None:
        context = context_of(runtime)
        await use_case(PostgresSharingTx(tx), event, event.payload, context=context)

    return handle
