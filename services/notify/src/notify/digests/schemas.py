"""HTTP models of digests."""

from datetime import datetime

from contracts.events.clock import DigestLine
from notify.schemas import View


class DigestView(View):
    """A node's figures; ``as_of`` is None for a node that has never sent any.

    ``age_seconds`` counts from ``as_of``; ``stale`` says that the node has been silent for longer
    than two intervals, so that its figures describe the past.
    """

    node: str
    name: str
    own: bool
    as_of: datetime | None
    received_at: datetime | None
    age_seconds: int | None
    stale: bool
    lines: tuple[DigestLine, ...]
    overdue_cases: tuple[str, ...]


class DigestList(View):
    """This node's own figures of now, then those of its lower nodes."""

    items: tuple[DigestView, ...]
