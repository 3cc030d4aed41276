"""Examples of documents that the city broadcasts."""

from hashlib import sha256

from contracts.calendar import from_document
from contracts.calendar_document import canonical_bytes, to_document
from contracts.events.documents import CalendarPublished
from contracts.golden import cast
from contracts.golden.cast import Sample


def _calendar() -> CalendarPublished:
    """One invented year, so that the example stays readable."""
    year = {
        "year": 2027,
        "source": "国办发明电〔2026〕示例号",
        "prepared_by": "441500-legal-1",
        "confirmed_by": ["441500-approver-1"],
        "off": {"2027-01-01": "new_years_day", "2027-02-06": "spring_festival"},
        "work": {"2027-01-31": "spring_festival"},
    }
    calendar = from_document({"version": "cn-2027.1", "issuer": "441500", "years": [year]})
    document = canonical_bytes(to_document(calendar))
    return CalendarPublished(
        version="cn-2027.1",
        base="cn-2026.1",
        state="active",
        document=document.decode(),
        digest=sha256(document).hexdigest(),
        key_id="441500-2026-1",
        signature="A" * 86,
        source_document="国办发明电〔2026〕示例号",
        changed_at=cast.NOON,
    )


def samples() -> tuple[Sample, ...]:
    """Return one full example per event type of the city's documents."""
    return (
        Sample(
            type="yiwang.federation.calendar.published.v1",
            payload=_calendar(),
            topic="federation.documents.v1",
            key="cn-2027.1",
            source="/nodes/441500/notify",
        ),
    )
