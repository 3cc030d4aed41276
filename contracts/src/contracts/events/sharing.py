"""Events of a share request (Articles 19 and 20); the record key is the request's id."""

from typing import Literal

from contracts.events.base import Basis, DueDate, OrganisationRef, Payload


class UsingSystem(Payload):
    """The using system (使用系统) and the public key that proves its calls, JWK as JSON text."""

    system_id: str
    name: str
    public_jwk: str


class RequestDispatched(Payload):
    """A share request on its way to the source department.

    ``relation`` is one of ``same_region``, ``cross_region``, ``cross_level``; the five fields
    ``basis``, ``scene``, ``scope``, ``mode`` and ``term_days`` are required of every request.
    """

    request_id: str
    request_no: str
    kind: Literal["unconditional", "conditional"]
    requester: OrganisationRef
    source: OrganisationRef
    relation: str
    entry_id: str
    resource_code: str
    entry_version: int
    title: str
    items: tuple[str, ...]
    purpose: str
    basis: tuple[Basis, ...]
    scene: str
    scope: str
    mode: str
    term_days: int
    system: UsingSystem
    security_measures: str = ""
    submitted_by: str
    submitted_at: str
    rule_version: str
    filings: tuple[str, ...] = ()


class RefusedPart(Payload):
    """What is not granted, and the basis for it (gate G7; narrowing is refusing)."""

    part: Literal["item", "rows", "period", "mode", "all"]
    name: str = ""
    reason: str
    basis: tuple[Basis, ...]


class Finding(Payload):
    """What is missing or wrong in a request, in words, and the field that it concerns."""

    code: str
    field: str = ""
    text: str = ""


class SupplementAsked(Payload):
    """The source asks for a supplement (补正); the deadline of the reply runs on.

    ``waits`` is set when an unconditional request failed the automatic check: nothing is granted
    until the requester has mended it. Type ``yiwang.sharing.request.supplement_asked.v1``.
    """

    request_id: str
    round: int
    findings: tuple[Finding, ...]
    waits: bool = False
    asked_by: str
    asked_at: str


class RequestSupplemented(Payload):
    """The requester's answer to a supplement; absent fields stay as they were.

    Type ``yiwang.sharing.request.supplemented.v1``. ``documents`` are digests of attachments.
    """

    request_id: str
    round: int
    explanation: str
    purpose: str | None = None
    items: tuple[str, ...] | None = None
    documents: tuple[str, ...] = ()
    supplemented_by: str
    supplemented_at: str


class ReceiptReturned(Payload):
    """The receipt of the request was back at the requester.

    Sent only under a rule set whose ``receipt_event`` is ``receipt_back``: that instant, known to
    the requester alone, then starts the source's clock.
    Type ``yiwang.sharing.request.receipt_returned.v1``.
    """

    request_id: str
    returned_at: str


class ReviewResult(Payload):
    """The outcome of the confidentiality review for one item."""

    item: str
    passed: bool
    note: str = ""


class ConfidentialityReview(Payload):
    """The confidentiality review (保密审查) of Article 30 ¶1, recorded per act (gate G16)."""

    reviewer: str
    reviewed_at: str
    results: tuple[ReviewResult, ...]
    note: str = ""


class RequestReplied(Payload):
    """The source department's reply; ends D3 and, when agreeing, starts D4."""

    request_id: str
    outcome: Literal["agreed", "agreed_partly", "refused"]
    granted_items: tuple[str, ...] = ()
    granted_term_days: int | None = None
    refused: tuple[RefusedPart, ...] = ()
    reason: str = ""
    replied_by: str
    replied_at: str
    entry_version: int
    reply_due: DueDate | None = None
    deliver_due: DueDate | None = None
    review: ConfidentialityReview | None = None


class RequestDelivered(Payload):
    """A working access exists: the grant, bound to purpose, items, period, organisation and key."""

    request_id: str
    grant_id: str
    entry_id: str
    entry_version: int
    items: tuple[str, ...]
    purpose: str
    holder: OrganisationRef
    system_id: str
    valid_from: str
    valid_until: str
    delivery_url: str
    delivered_at: str


class DeliveryProved(Payload):
    """First successful call with the grant: the proof that ends D4."""

    request_id: str
    grant_id: str
    proof: Literal["first_call", "signed_receipt"]
    proved_at: str
    rows: int = 0


class GrantEnded(Payload):
    """A grant has ended; ``published_before`` lists what counts as delivered before the end."""

    request_id: str
    grant_id: str
    reason: Literal["revoked", "expired", "takedown", "returned"]
    explanation: str = ""
    basis: tuple[Basis, ...] = ()
    ended_by: str
    ended_at: str
    last_delivery_at: str | None = None
    rows_delivered: int = 0


class RequestConfirmed(Payload):
    """The requester confirms that the delivery arrived and works.

    ``automatic`` confirms by lapse of time (policy) and proves no delivery.
    """

    request_id: str
    grant_id: str
    confirmed_by: str
    confirmed_at: str
    automatic: bool = False


class RequestWithdrawn(Payload):
    """The requester takes an unanswered request back."""

    request_id: str
    withdrawn_by: str
    withdrawn_at: str
    reason: str = ""


class RequestStatus(Payload):
    """A read-only copy of a request's state for the authorities that hold its filings."""

    request_id: str
    request_no: str
    state: str
    filing_id: str
    at: str
    due: DueDate | None = None
