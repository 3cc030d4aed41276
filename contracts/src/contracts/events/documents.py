"""Documents that the city broadcasts to all nodes; the record key is kind and name."""

from typing import Literal

from contracts.events.base import Payload


class CalendarPublished(Payload):
    """A calendar version: one record, all days of all its years, applied whole (protocol §5).

    ``document`` is the canonical JSON text of ``contracts.calendar.calendar_to_document`` and
    ``digest`` its SHA-256. A ``proposed`` version only lets every node preview what its running
    due dates would become; an ``active`` one is applied; a ``withdrawn`` proposal is forgotten.
    ``source_document`` is the number (文号) of the published schedule. ``record_version`` grows
    with every announcement of the city's calendar, so that the newer record wins.
    """

    version: str
    record_version: int
    state: Literal["proposed", "active", "withdrawn"]
    document: str
    digest: str
    source_document: str
    changed_at: str
