"""Requests as rows: one mapping in each direction."""

from typing import Any

from pydantic import TypeAdapter

from contracts.events.base import DueDate
from contracts.events.sharing import ConfidentialityReview, RequestDispatched, RequestReplied
from sharing.requests.domain import Receipt, RequestState, ShareRequest, Supplement

_SUPPLEMENTS = TypeAdapter(tuple[Supplement, ...])


def to_row(request: ShareRequest) -> dict[str, Any]:
    """Return every column of a request's row."""
    asked = request.asked
    return {
        "request_id": asked.request_id,
        "side": request.side,
        "request_no": asked.request_no,
        "kind": request.kind,
        "state": request.state.value,
        "requester_org": asked.requester.org_id,
        "requester_node": asked.requester.node,
        "source_org": asked.source.org_id,
        "source_node": asked.source.node,
        "entry_id": asked.entry_id,
        "title": asked.title,
        "rule_version": request.rule_version,
        "asked": asked.model_dump(),
        "submission_digest": request.submission_digest,
        "submitted_at": request.submitted_at,
        **changing(request),
    }


def changing(request: ShareRequest) -> dict[str, Any]:
    """Return the columns that change while a request lives."""
    return {
        "kind": request.kind,
        "state": request.state.value,
        "record_version": request.record_version,
        "emitted": request.emitted,
        "binding_version": request.binding_version,
        "entered_at": request.receipt.entered_at,
        "stored_at": request.receipt.stored_at,
        "returned_at": request.receipt.returned_at,
        "supplements": _SUPPLEMENTS.dump_python(request.supplements, mode="json") or None,
        "review": _document(request.review),
        "proposal": _document(request.proposal),
        "reply": _document(request.reply),
        "reply_due": _document(request.reply_due),
        "deliver_due": _document(request.deliver_due),
        "clock_round": request.clock_round,
        "grant_id": request.grant_id,
        "delivered_at": request.delivered_at,
        "proved_at": request.proved_at,
        "confirmed_at": request.confirmed_at,
        "ended_at": request.ended_at,
        "end_reason": request.end_reason or None,
        "alarmed_at": request.alarmed_at,
    }


def _document(
    model: ConfidentialityReview | RequestReplied | DueDate | None,
) -> dict[str, Any] | None:
    return None if model is None else model.model_dump()


def from_row(row: Any) -> ShareRequest:
    """Return the request that a row holds."""
    return ShareRequest(
        side=row["side"],
        asked=RequestDispatched.model_validate(row["asked"]),
        state=RequestState(row["state"]),
        kind=row["kind"],
        rule_version=row["rule_version"],
        submitted_at=row["submitted_at"],
        record_version=row["record_version"],
        emitted=row["emitted"],
        binding_version=row["binding_version"],
        receipt=Receipt(
            entered_at=row["entered_at"],
            stored_at=row["stored_at"],
            returned_at=row["returned_at"],
        ),
        supplements=_SUPPLEMENTS.validate_python(row["supplements"] or ()),
        review=_parsed(ConfidentialityReview, row["review"]),
        proposal=_parsed(RequestReplied, row["proposal"]),
        reply=_parsed(RequestReplied, row["reply"]),
        reply_due=_parsed(DueDate, row["reply_due"]),
        deliver_due=_parsed(DueDate, row["deliver_due"]),
        clock_round=row["clock_round"],
        grant_id=row["grant_id"],
        delivered_at=row["delivered_at"],
        proved_at=row["proved_at"],
        confirmed_at=row["confirmed_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"] or "",
        alarmed_at=row["alarmed_at"],
        submission_digest=row["submission_digest"],
    )


def _parsed(model: Any, value: Any) -> Any:
    return None if value is None else model.model_validate(value)
