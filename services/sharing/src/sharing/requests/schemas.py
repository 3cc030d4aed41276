"""HTTP models of requests."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from contracts.events.base import Basis, DueDate, OrganisationRef
from contracts.events.sharing import (
    ConfidentialityReview,
    Finding,
    RefusedPart,
    RequestReplied,
    ReviewResult,
    UsingSystem,
)
from sharing.bases import Bases, LongText
from sharing.filings.schemas import FilingOut
from sharing.requests.domain import Receipt, ShareRequest, Supplement


class Command(BaseModel):
    """What every command body has in common: unknown fields are refused, values never shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _no_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("an item is named twice")
    return values


ItemName = Annotated[str, Field(min_length=1, max_length=64)]
ItemNames = Annotated[tuple[ItemName, ...], Field(max_length=1000), AfterValidator(_no_repeats)]
EntryId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]


class SystemIn(Command):
    """The using system; ``public_jwk`` is its public key, a JWK as object or as JSON text."""

    system_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    public_jwk: Annotated[str, Field(max_length=2000)]

    @field_validator("public_jwk", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return orjson.dumps(value).decode() if isinstance(value, dict) else value

    def to_system(self) -> UsingSystem:
        """Return the system as events carry it."""
        return UsingSystem(system_id=self.system_id, name=self.name, public_jwk=self.public_jwk)


class SubmitRequest(Command):
    """A share request. Which of the optional fields are required, the rule set says."""

    entry_id: EntryId
    items: ItemNames = Field(min_length=1)
    purpose: Annotated[str, Field(min_length=1, max_length=2000)]
    basis: Bases = ()
    scene: LongText = ""
    scope: LongText = ""
    mode: Literal["api", "file"] | None = None
    term_days: Annotated[int, Field(ge=1, le=36600)] | None = None
    system: SystemIn
    security_measures: LongText = ""


class Decision(Command):
    """The version of the request that the caller decided on, as it was shown to him."""

    record_version: Annotated[int, Field(ge=1)] | None = None


class ReviewRequest(Decision):
    """The confidentiality review of one request: a result for each item."""

    results: Annotated[tuple[ReviewResult, ...], Field(min_length=1, max_length=1000)]
    note: LongText = ""


class RefusedPartIn(Command):
    """One part that is not granted, with reason and basis."""

    part: Literal["item", "rows", "period", "mode", "all"]
    name: Annotated[str, Field(max_length=200)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    basis: Bases = ()

    def to_part(self) -> RefusedPart:
        """Return the part as events carry it."""
        return RefusedPart(
            part=self.part,
            name=self.name,
            reason=self.reason,
            basis=tuple(basis.to_basis() for basis in self.basis),
        )


class ReplyRequest(Decision):
    """The source's reply. Narrowing is refusing: each refused part needs its basis (G7)."""

    outcome: Literal["agreed", "agreed_partly", "refused"]
    granted_items: ItemNames = ()
    granted_term_days: Annotated[int, Field(ge=1, le=36600)] | None = None
    refused: Annotated[tuple[RefusedPartIn, ...], Field(max_length=1000)] = ()
    reason: LongText = ""


class AskSupplement(Decision):
    """What the source misses; the reply's deadline runs on."""

    findings: Annotated[tuple[Finding, ...], Field(min_length=1, max_length=50)]


class AnswerSupplement(Decision):
    """The requester's supplement; absent fields stay as they were."""

    explanation: Annotated[str, Field(min_length=1, max_length=2000)]
    purpose: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    items: ItemNames | None = Field(default=None, min_length=1)
    documents: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...], Field(max_length=50)
    ] = ()


class WithdrawRequest(Decision):
    """Why the request is taken back."""

    reason: LongText = ""


class ReceiptOut(BaseModel):
    """The three instants of a receipt, and which of them starts the deadline."""

    entered_at: datetime | None
    stored_at: datetime | None
    returned_at: datetime | None

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the instants as shown."""
        return cls(
            entered_at=receipt.entered_at,
            stored_at=receipt.stored_at,
            returned_at=receipt.returned_at,
        )


class SupplementOut(BaseModel):
    """A round of supplement."""

    round: int
    asked_by: str
    asked_at: datetime
    findings: tuple[Finding, ...]
    waits: bool
    answered_by: str | None
    answered_at: datetime | None
    explanation: str
    documents: tuple[str, ...]

    @classmethod
    def of(cls, supplement: Supplement) -> Self:
        """Return the round as shown."""
        return cls(**{name: getattr(supplement, name) for name in cls.model_fields})


class RequestLine(BaseModel):
    """A request in a list."""

    request_id: str
    request_no: str
    side: Literal["sent", "received"]
    kind: str
    state: str
    title: str
    requester: OrganisationRef
    source: OrganisationRef
    entry_id: str
    resource_code: str
    submitted_at: datetime
    reply_due: DueDate | None
    deliver_due: DueDate | None
    record_version: int


class RequestOut(RequestLine):
    """A request in full, as one side sees it."""

    relation: str
    entry_version: int
    binding_version: int | None
    items: tuple[str, ...]
    purpose: str
    basis: tuple[Basis, ...]
    scene: str
    scope: str
    mode: str
    term_days: int
    system_id: str
    system_name: str
    security_measures: str
    submitted_by: str
    rule_version: str
    receipt: ReceiptOut
    supplements: tuple[SupplementOut, ...]
    review: ConfidentialityReview | None
    proposal: RequestReplied | None
    reply: RequestReplied | None
    grant_id: str | None
    delivered_at: datetime | None
    proved_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    filings: tuple[FilingOut, ...]


def line_of(request: ShareRequest) -> RequestLine:
    """Return a request as a list shows it."""
    return RequestLine(**_line_fields(request))


def request_out(request: ShareRequest, filings: tuple[FilingOut, ...] = ()) -> RequestOut:
    """Return a request in full; a proposal is the source's own until it is approved."""
    asked = request.asked
    return RequestOut(
        **_line_fields(request),
        relation=asked.relation,
        entry_version=asked.entry_version,
        binding_version=request.binding_version,
        items=asked.items,
        purpose=asked.purpose,
        basis=asked.basis,
        scene=asked.scene,
        scope=asked.scope,
        mode=asked.mode,
        term_days=asked.term_days,
        system_id=asked.system.system_id,
        system_name=asked.system.name,
        security_measures=asked.security_measures,
        submitted_by=asked.submitted_by,
        rule_version=request.rule_version,
        receipt=ReceiptOut.of(request.receipt),
        supplements=tuple(SupplementOut.of(each) for each in request.supplements),
        review=request.review,
        proposal=request.proposal if request.side == "received" else None,
        reply=request.reply,
        grant_id=request.grant_id,
        delivered_at=request.delivered_at,
        proved_at=request.proved_at,
        confirmed_at=request.confirmed_at,
        ended_at=request.ended_at,
        end_reason=request.end_reason,
        filings=filings,
    )


def _line_fields(request: ShareRequest) -> dict[str, Any]:
    asked = request.asked
    return {
        "request_id": asked.request_id,
        "request_no": asked.request_no,
        "side": request.side,
        "kind": request.kind,
        "state": request.state.value,
        "title": asked.title,
        "requester": asked.requester,
        "source": asked.source,
        "entry_id": asked.entry_id,
        "resource_code": asked.resource_code,
        "submitted_at": request.submitted_at,
        "reply_due": request.reply_due,
        "deliver_due": request.deliver_due,
        "record_version": request.record_version,
    }
