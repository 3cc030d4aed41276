"""Documents that the city broadcasts to all nodes; the record key is the document's version."""

from typing import Literal

from contracts.events.base import Payload


class CalendarPublished(Payload):
    """A calendar version: one record, all days of all its years, applied whole (protocol §5).

    ``document`` is the canonical JSON text of ``contracts.calendar.calendar_to_document`` and
    ``digest`` its SHA-256. A ``proposed`` version only lets every node preview what its running
    due dates would become; a ``withdrawn`` one is forgotten. An ``active`` one is applied: it
    carries ``key_id`` and the city's ``signature`` of the document (base64url), so that it can be
    proved without the bus. ``source_document`` is the number (文号) of the published schedule.
    """

    version: str
    base: str
    state: Literal["proposed", "active", "withdrawn"]
    document: str
    digest: str
    key_id: str = ""
    signature: str = ""
    source_document: str
    changed_at: str
