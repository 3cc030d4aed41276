"""The city's announcements of calendar versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from contracts.encoding import to_base64url
from contracts.events.documents import CalendarPublished
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent


def announced(
    row: Row[Any], *, at: datetime, key_id: str = "", signature: bytes = b""
) -> OutgoingEvent:
    """Return the broadcast of a proposal's state; an active one carries the city's signature."""
    payload = CalendarPublished(
        version=row.version,
        base=row.base,
        state=row.state,
        document=row.document.decode(),
        digest=row.digest,
        key_id=key_id,
        signature=to_base64url(signature) if signature else "",
        source_document=row.source_document,
        changed_at=at.isoformat(),
    )
    return OutgoingEvent(
        type="yiwang.federation.calendar.published.v1",
        topic=topic_name("federation.documents"),
        key=row.version,
        case_version=row.emitted,
        subject=row.version,
        payload=payload,
        destination="*",
    )
