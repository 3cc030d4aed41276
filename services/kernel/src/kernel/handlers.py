"""Which function handles which event type; a service's ``bootstrap`` makes one ``Handlers``."""

from collections.abc import Awaitable, Callable
from typing import Any

from kernel.ports import ReceivedEvent

Handler = Callable[[Any, ReceivedEvent], Awaitable[None]]
"""``async def handle(tx: kernel.db.Transaction, event: ReceivedEvent) -> None``; never commits."""

RECEIPT_TYPE = "yiwang.receipt.stored.v1"


class NotYet(Exception):  # noqa: N818 -- not an error: the event waits behind its key
    """The event's cause has not been seen yet: it waits behind its key and is tried again.

    ``reason`` is a code for operators, never a value of the event.
    """

    def __init__(self, reason: str = "cause_not_seen") -> None:
        super().__init__(reason)
        self.reason = reason


class Poison(Exception):  # noqa: N818 -- a verdict about the event, not about us
    """The event can never be applied: it becomes a dead letter that holds its key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Handlers:
    """Handlers by event type, in the order in which they were added."""

    def __init__(self) -> None:
        self._by_type: dict[str, tuple[Handler, ...]] = {}

    def on(self, *event_types: str) -> Callable[[Handler], Handler]:
        """Register a handler for one or more event types."""

        def add(handler: Handler) -> Handler:
            for event_type in event_types:
                self._by_type[event_type] = (*self._by_type.get(event_type, ()), handler)
            return handler

        return add

    def on_receipt(self, handler: Handler) -> Handler:
        """Register a handler of signed receipts (payload ``contracts.events.bus.Receipt``)."""
        return self.on(RECEIPT_TYPE)(handler)

    def include(self, other: "Handlers") -> None:
        """Add all handlers of a slice after those that are here."""
        for event_type, handlers in other._by_type.items():  # noqa: SLF001 -- same class
            self._by_type[event_type] = (*self._by_type.get(event_type, ()), *handlers)

    def of(self, event_type: str) -> tuple[Handler, ...]:
        return self._by_type.get(event_type, ())

    def types(self) -> frozenset[str]:
        return frozenset(self._by_type)
