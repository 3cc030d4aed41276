"""Putting messages into inboxes, within the transaction of what they tell about."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from notify.inbox import repository
from notify.inbox.domain import Message


async def post(connection: AsyncConnection, messages: Sequence[Message], *, at: datetime) -> None:
    """Put messages into inboxes; one that was said already is not said again."""
    await repository.put(
        connection,
        [
            {
                "item_id": message.item_id,
                "org_id": message.address.org_id,
                "role": message.address.role,
                "subject": message.address.subject,
                "kind": message.kind,
                "title_zh": message.title_zh,
                "title_en": message.title_en,
                "case_kind": message.case_kind,
                "case_id": message.case_id,
                "case_no": message.case_no,
                "link": message.link,
                "at": at,
            }
            for message in messages
        ],
    )
