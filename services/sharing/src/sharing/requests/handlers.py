"""Bus doors of requests: thin, one use case each."""

from collections.abc import Awaitable, Callable
from typing import Any

from contracts.events.bus import Receipt
from kernel.db import Transaction
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime
from sharing.context import NodeContext
from sharing.filings.service import COMPLETED, SUBMITTED
from sharing.filings.service import receipt_came as filing_receipt_came
from sharing.requests import answers, arrivals
from sharing.requests.events import DISPATCHED
from sharing.requests.ports import SharingTx
from sharing.store import PostgresSharingTx
from sharing.surroundings import context_of

UseCase = Callable[..., Awaitable[None]]

USE_CASES: dict[str, UseCase] = {
    DISPATCHED: arrivals.request_arrived,
    "yiwang.sharing.request.supplemented.v1": arrivals.supplement_arrived,
    "yiwang.sharing.request.receipt_returned.v1": arrivals.receipt_returned,
    "yiwang.sharing.request.withdrawn.v1": arrivals.withdrawal_arrived,
    "yiwang.sharing.request.confirmed.v1": arrivals.confirmation_arrived,
    "yiwang.sharing.request.supplement_asked.v1": answers.supplement_asked,
    "yiwang.sharing.request.replied.v1": answers.reply_came,
    "yiwang.sharing.request.delivered.v1": answers.delivery_came,
    "yiwang.sharing.delivery.proved.v1": answers.proof_came,
    "yiwang.sharing.grant.ended.v1": answers.grant_over,
}
"""What each event of a request does, for every transaction that offers the ports."""


async def receipt_stored(
    tx: SharingTx, event: ReceivedEvent, receipt: Receipt, *, context: NodeContext
) -> None:
    """Give a receipt to the case that it belongs to; others are kept by the kernel alone."""
    if receipt.event_type == DISPATCHED:
        await answers.receipt_came(tx, event, receipt, context=context)
    elif receipt.event_type in (SUBMITTED, COMPLETED):
        await filing_receipt_came(tx, event, receipt, context=context)


def handlers(runtime: Runtime) -> Handlers:
    """Return the slice's handlers."""
    found = Handlers()
    for event_type, use_case in USE_CASES.items():
        found.on(event_type)(_door(use_case, runtime))
    found.on_receipt(_door(receipt_stored, runtime))
    return found


def _door(use_case: UseCase, runtime: Runtime) -> Callable[[Any, ReceivedEvent], Awaitable[None]]:
    async def handle(tx: Transaction, event: ReceivedEvent) -> None:
        context = context_of(runtime)
        await use_case(PostgresSharingTx(tx), event, event.payload, context=context)

    return handle
