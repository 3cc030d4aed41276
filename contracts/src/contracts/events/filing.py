"""Events of a filing (备案): F1 (Article 14 ¶2), F2a and F2b (Article 20 ¶2). Key: the filing's id."""

from typing import Literal

from contracts.events.base import Basis, OrganisationRef, Payload


class FilingSubmitted(Payload):
    """A filing sent to an authority's desk; it never blocks what it reports.

    ``external`` marks a receiver outside the platform (the province): the own node's desk keeps
    the document and a clerk enters the external number.
    """

    filing_id: str
    rule: str
    article: str
    filer: OrganisationRef
    receiver_node: str
    receiver_level: Literal["same", "upper", "city", "province"]
    external: bool = False
    subject_kind: Literal["share_request", "catalog_entry"]
    subject_id: str
    subject_no: str
    subject_title: str
    summary: str
    counterpart: OrganisationRef | None = None
    relation: str = ""
    basis: tuple[Basis, ...] = ()
    submitted_by: str
    submitted_at: str
    rule_version: str
    reply_to: Literal["sharing", "catalog"]


class FilingReceived(Payload):
    """The desk has durably stored the filing and numbered it: the signed receipt."""

    filing_id: str
    filing_no: str
    receiver_node: str
    received_at: str
    state: Literal["received", "awaiting_external_receipt"]


class FilingRecorded(Payload):
    """A person at the authority has recorded (已备案) the filing."""

    filing_id: str
    filing_no: str
    recorded_by: str
    recorded_at: str
    external_no: str | None = None


class FilingReturned(Payload):
    """Returned for completion; the state of its subject does not change."""

    filing_id: str
    filing_no: str
    returned_by: str
    returned_at: str
    reason: str


class FilingCompleted(Payload):
    """The filer's completion of a returned filing; the desk has it as received again."""

    filing_id: str
    summary: str
    basis: tuple[Basis, ...] = ()
    completed_by: str
    completed_at: str
