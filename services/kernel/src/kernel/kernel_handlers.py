"""What every service hears of the bus: the city's calendar."""

import orjson

from contracts.events.documents import CalendarPublished
from kernel.calendars import CalendarRefused
from kernel.db import Transaction
from kernel.handlers import Handlers, Poison
from kernel.ports import ReceivedEvent
from kernel.runtime import Runtime


def kernel_handlers(runtime: Runtime) -> Handlers:
    """Return the kernel's handlers; they run before the service's own."""
    handlers = Handlers()

    @handlers.on("yiwang.federation.calendar.published.v1")
    async def calendar(tx: Transaction, event: ReceivedEvent) -> None:
        payload = event.payload
        if not isinstance(payload, CalendarPublished) or event.source_node != runtime.registry.city:
            raise Poison("calendar_not_of_the_city")
        if payload.state != "active":
            return
        try:
            await runtime.calendars.take(tx, _signed(payload))
        except CalendarRefused:
            raise Poison("calendar_not_signed_by_the_city") from None

    return handlers


def _signed(payload: CalendarPublished) -> bytes:
    try:
        document = orjson.loads(payload.document)
    except orjson.JSONDecodeError:
        raise Poison("calendar_unreadable") from None
    return orjson.dumps(
        {"document": document, "key_id": payload.key_id, "signature": payload.signature}
    )
