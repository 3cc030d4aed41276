"""What the desk tells the filer, on the mailbox of the service that filed."""

from contracts.events.base import Payload
from contracts.events.filing import FilingReceived, FilingRecorded, FilingReturned
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent
from notify.filings.domain import Filing

_FAMILY = {"sharing": "sharing", "catalog": "catalog-mail"}


def _to_filer(filing: Filing, event_type: str, payload: Payload) -> OutgoingEvent:
    return OutgoingEvent(
        type=event_type,
        topic=topic_name(_FAMILY[filing.reply_to], filing.filer.node),
        key=filing.filing_id,
        case_version=filing.emitted,
        subject=filing.filing_id,
        payload=payload,
        destination=filing.filer.node,
        case_space="desk",
    )


def received(filing: Filing, *, node: str) -> OutgoingEvent:
    """The receipt: the desk has stored and numbered the filing."""
    state = "awaiting_external_receipt" if filing.external else "received"
    payload = FilingReceived(
        filing_id=filing.filing_id,
        filing_no=filing.filing_no,
        receiver_node=node,
        received_at=filing.received_at.isoformat(),
        state=state,
    )
    return _to_filer(filing, "yiwang.filing.received.v1", payload)


def recorded(filing: Filing) -> OutgoingEvent:
    """A person has recorded the filing."""
    if filing.recorded_at is None or filing.recorded_by is None:
        raise ValueError("the filing is not recorded")
    payload = FilingRecorded(
        filing_id=filing.filing_id,
        filing_no=filing.filing_no,
        recorded_by=filing.recorded_by,
        recorded_at=filing.recorded_at.isoformat(),
        external_no=filing.external_no,
    )
    return _to_filer(filing, "yiwang.filing.recorded.v1", payload)


def returned(filing: Filing) -> OutgoingEvent:
    """The filing is returned for completion."""
    if filing.returned_at is None or filing.returned_by is None or not filing.return_reason:
        raise ValueError("the filing is not returned")
    payload = FilingReturned(
        filing_id=filing.filing_id,
        filing_no=filing.filing_no,
        returned_by=filing.returned_by,
        returned_at=filing.returned_at.isoformat(),
        reason=filing.return_reason,
    )
    return _to_filer(filing, "yiwang.filing.returned.v1", payload)
