"""Signed receipts: what a receiver owes for a stored event, and what comes back to the sender.

A receipt is an event like any other; its signature is the batch signature that it travels under.
"""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from contracts.events.bus import Receipt
from contracts.topics import TopicCatalogue, UnknownTopicError, load_topics, topic_name
from kernel.bus_tables import receipts
from kernel.consuming import ReceiptDue
from kernel.handlers import RECEIPT_TYPE, Handlers, Poison
from kernel.outbox import outbox_values
from kernel.ports import OutgoingEvent, ReceivedEvent


def mailbox_for_receipts(topics: TopicCatalogue, service: str) -> str:
    """Return the family of the mailbox in which a service reads its receipts."""
    for topic in topics.topics.values():
        takes_receipts = any(event.type == RECEIPT_TYPE for event in topic.events)
        if takes_receipts and service in topic.consumers:
            return topic.family
    raise UnknownTopicError(f"{service} has no mailbox for receipts")


@cache
def _family(service: str) -> str:
    return mailbox_for_receipts(load_topics(), service)


def receipt_rows(
    due: ReceiptDue, *, node: str, service: str, event_id: UUID, now: datetime
) -> list[dict[str, Any]]:
    """Return the outbox rows of a receipt; it goes to the service that sent the event."""
    stored = due.event
    _, _, sender, sender_service = stored.source.split("/")
    receipt = Receipt(
        event_id=stored.event_id,
        event_type=stored.type,
        topic=stored.topic,
        key=stored.key,
        payload_sha256=due.payload_sha256,
        receiver_node=node,
        receiver_service=service,
        entered_at=stored.entered_at,
        received_at=stored.received_at,
    )
    event = OutgoingEvent(
        type=RECEIPT_TYPE,
        topic=topic_name(_family(sender_service), sender),
        key=stored.key,
        case_version=1,
        case_space=f"receipt:{stored.event_id}",
        subject=stored.event_id,
        payload=receipt,
        destination=sender,
    )
    return outbox_values(
        event,
        node=node,
        service=service,
        event_id=event_id,
        now=now,
        traceparent=stored.traceparent,
    )


async def on_receipt(tx: Any, event: ReceivedEvent) -> None:
    """Keep a receipt that has come back; the slice's own handlers run after this one."""
    receipt = event.payload
    if not isinstance(receipt, Receipt):
        raise Poison("payload_type")
    statement = insert(receipts).values(
        event_id=UUID(receipt.event_id),
        receiver_node=receipt.receiver_node,
        receiver_service=receipt.receiver_service,
        event_type=receipt.event_type,
        topic=receipt.topic,
        key=receipt.key,
        payload_sha256=receipt.payload_sha256,
        entered_at=receipt.entered_at,
        received_at=receipt.received_at,
        receipt_id=UUID(event.id),
        returned_at=datetime.fromisoformat(event.received_at),
    )
    await tx.connection.execute(statement.on_conflict_do_nothing())


def add_to(handlers: Handlers) -> None:
    """Let every service keep the receipts that it gets."""
    handlers.on_receipt(on_receipt)
