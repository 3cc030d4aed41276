"""Examples of a share request's events."""

from contracts.events import sharing as events
from contracts.events.base import Payload
from contracts.golden import cast
from contracts.golden.cast import Sample

_REQUESTER = "/nodes/441581/sharing"
_SOURCE = "/nodes/441521/sharing"
_TO_SOURCE = "sharing.441521.v1"
_TO_REQUESTER = "sharing.441581.v1"
_JWK = '{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'


def _dispatched() -> events.RequestDispatched:
    return events.RequestDispatched(
        request_id=cast.REQUEST_ID,
        request_no=cast.REQUEST_NO,
        kind="conditional",
        requester=cast.REQUESTER,
        source=cast.SOURCE,
        relation="cross_region",
        entry_id=cast.ENTRY_ID,
        resource_code=cast.RESOURCE_CODE,
        entry_version=1,
        title="镇街行政区划信息",
        items=("town_name", "town_code"),
        purpose="核对社会救助对象的居住地",
        basis=(cast.FUNCTION_BASIS,),
        scene="社会救助审核",
        scope="海丰县全部镇街",
        mode="platform",
        term_days=365,
        system=events.UsingSystem(system_id="441581-mzj-jz", name="社会救助系统", public_jwk=_JWK),
        security_measures="专网访问，日志留存六个月",
        submitted_by="441581-clerk-1",
        submitted_at=cast.MORNING,
        rule_version="shanwei-2025-draft",
        filings=(cast.FILING_ID, "019a7b00-0000-7000-8000-000000000402"),
    )


def _replied() -> events.RequestReplied:
    return events.RequestReplied(
        request_id=cast.REQUEST_ID,
        outcome="agreed_partly",
        granted_items=("town_name",),
        granted_term_days=180,
        refused=(
            events.RefusedPart(
                part="item", name="town_code", reason="超出履职范围", basis=(cast.REFUSAL_BASIS,)
            ),
        ),
        reason="部分同意",
        replied_by="441521-handler-1",
        replied_at=cast.REPLY,
        entry_version=1,
        reply_due=cast.due("share.reply"),
        deliver_due=cast.due("share.deliver"),
        review=events.ConfidentialityReview(
            reviewer="441521-reviewer-1",
            reviewed_at=cast.REPLY,
            results=(events.ReviewResult(item="town_name", passed=True, note="不涉密"),),
            note="可以共享",
        ),
    )


def _supplements() -> tuple[tuple[str, str, Payload], ...]:
    asked = events.SupplementAsked(
        request_id=cast.REQUEST_ID,
        round=1,
        findings=(events.Finding(code="purpose_unclear", field="purpose", text="请写明业务"),),
        waits=False,
        asked_by="441521-handler-1",
        asked_at=cast.NOON,
    )
    given = events.RequestSupplemented(
        request_id=cast.REQUEST_ID,
        round=1,
        explanation="用于低保复核",
        purpose="核对低保对象的居住地",
        items=("town_name",),
        documents=(cast.DIGEST,),
        supplemented_by="441581-clerk-1",
        supplemented_at=cast.AFTERNOON,
    )
    returned = events.ReceiptReturned(request_id=cast.REQUEST_ID, returned_at=cast.NOON)
    return (
        ("request.supplement_asked", "source", asked),
        ("request.supplemented", "requester", given),
        ("request.receipt_returned", "requester", returned),
    )


def _delivered() -> tuple[tuple[str, str, Payload], ...]:
    delivered = events.RequestDelivered(
        request_id=cast.REQUEST_ID,
        grant_id=cast.GRANT_ID,
        entry_id=cast.ENTRY_ID,
        entry_version=1,
        items=("town_name",),
        purpose="核对低保对象的居住地",
        holder=cast.REQUESTER,
        system_id="441581-mzj-jz",
        valid_from="2026-02-25",
        valid_until="2026-08-24",
        delivery_url="https://node-441521.example/sharing/v1/delivery",
        delivered_at=cast.REPLY,
    )
    proved = events.DeliveryProved(
        request_id=cast.REQUEST_ID,
        grant_id=cast.GRANT_ID,
        proof="first_call",
        proved_at=cast.REPLY,
        rows=63,
    )
    confirmed = events.RequestConfirmed(
        request_id=cast.REQUEST_ID,
        grant_id=cast.GRANT_ID,
        confirmed_by="441581-clerk-1",
        confirmed_at=cast.REPLY,
        automatic=False,
    )
    return (
        ("request.delivered", "source", delivered),
        ("delivery.proved", "source", proved),
        ("request.confirmed", "requester", confirmed),
    )


def _endings() -> tuple[tuple[str, str, Payload], ...]:
    ended = events.GrantEnded(
        request_id=cast.REQUEST_ID,
        grant_id=cast.GRANT_ID,
        reason="revoked",
        explanation="用途终止",
        basis=(cast.REFUSAL_BASIS,),
        ended_by="441521-approver-1",
        ended_at=cast.REPLY,
        last_delivery_at=cast.REPLY,
        rows_delivered=63,
    )
    withdrawn = events.RequestWithdrawn(
        request_id=cast.REQUEST_ID,
        withdrawn_by="441581-clerk-1",
        withdrawn_at=cast.NOON,
        reason="重复申请",
    )
    return (("grant.ended", "source", ended), ("request.withdrawn", "requester", withdrawn))


def samples() -> tuple[Sample, ...]:
    """Return one full example per event type of a share request."""
    told = (
        ("request.dispatched", "requester", _dispatched()),
        *_supplements(),
        ("request.replied", "source", _replied()),
        *_delivered(),
        *_endings(),
    )
    return (
        *(
            Sample(
                type=f"yiwang.sharing.{name}.v1",
                payload=payload,
                topic=_TO_SOURCE if sender == "requester" else _TO_REQUESTER,
                key=cast.REQUEST_ID,
                source=_REQUESTER if sender == "requester" else _SOURCE,
                case_version=number,
            )
            for number, (name, sender, payload) in enumerate(told, start=1)
        ),
        _status(),
    )


def _status() -> Sample:
    return Sample(
        type="yiwang.sharing.request.status.v1",
        payload=events.RequestStatus(
            request_id=cast.REQUEST_ID,
            request_no=cast.REQUEST_NO,
            state="received_by_source",
            filing_id=cast.FILING_ID,
            at=cast.NOON,
            due=cast.due("share.reply"),
        ),
        topic="filings.441500.v1",
        key=cast.REQUEST_ID,
        source=_REQUESTER,
        case_version=2,
    )
