"""HTTP models of the inboxes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from notify.schemas import View


class InboxItemView(View):
    """A message; ``link`` opens what it is about, ``read_at`` is when the caller read it."""

    item_id: str
    org_id: str
    role: str | None
    subject: str | None
    kind: str
    title_zh: str
    title_en: str
    case_kind: str
    case_id: str
    case_no: str
    link: str
    at: datetime
    read_at: datetime | None


def to_view(row: Row[Any]) -> InboxItemView:
    """Return a row as the caller sees it."""
    return InboxItemView(**{name: getattr(row, name) for name in InboxItemView.model_fields})
