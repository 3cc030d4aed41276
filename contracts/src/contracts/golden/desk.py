"""Examples of filings, clocks, notices, receipts and the control topic."""

from contracts.events import bus, clock, filing
from contracts.events.base import Payload
from contracts.golden import cast
from contracts.golden.cast import Sample

_FILER = "/nodes/441581/sharing"
_DESK = "/nodes/441500/notify"
_CLOCK = f"{cast.REQUEST_ID}:share.reply:1"
_EPOCH = "019a7b00-0000-7000-8000-000000000901"


def _filings() -> tuple[tuple[str, str, str, Payload], ...]:
    submitted = filing.FilingSubmitted(
        filing_id=cast.FILING_ID,
        rule="F2b",
        article="第二十条第二款",
        filer=cast.REQUESTER,
        receiver_node="441500",
        receiver_level="upper",
        external=False,
        subject_kind="share_request",
        subject_id=cast.REQUEST_ID,
        subject_no=cast.REQUEST_NO,
        subject_title="镇街行政区划信息",
        summary="陆丰市民政局申请海丰县自然资源局镇街行政区划信息",
        counterpart=cast.SOURCE,
        relation="cross_region",
        basis=(cast.FUNCTION_BASIS,),
        submitted_by="441581-clerk-1",
        submitted_at=cast.MORNING,
        rule_version="shanwei-2025-draft",
        reply_to="sharing",
    )
    completed = filing.FilingCompleted(
        filing_id=cast.FILING_ID,
        summary="补充用途说明",
        basis=(cast.FUNCTION_BASIS,),
        completed_by="441581-clerk-1",
        completed_at=cast.AFTERNOON,
    )
    return (
        ("submitted", "filings.441500.v1", _FILER, submitted),
        ("completed", "filings.441500.v1", _FILER, completed),
        *_answers(),
    )


def _answers() -> tuple[tuple[str, str, str, Payload], ...]:
    received = filing.FilingReceived(
        filing_id=cast.FILING_ID,
        filing_no=cast.FILING_NO,
        receiver_node="441500",
        received_at=cast.NOON,
        state="received",
    )
    recorded = filing.FilingRecorded(
        filing_id=cast.FILING_ID,
        filing_no=cast.FILING_NO,
        recorded_by="441500-reviewer-1",
        recorded_at=cast.AFTERNOON,
        external_no="粤数备〔2026〕12号",
    )
    returned = filing.FilingReturned(
        filing_id=cast.FILING_ID,
        filing_no=cast.FILING_NO,
        returned_by="441500-reviewer-1",
        returned_at=cast.NOON,
        reason="请补充用途说明",
    )
    back = "sharing.441581.v1"
    return (
        ("received", back, _DESK, received),
        ("recorded", back, _DESK, recorded),
        ("returned", back, _DESK, returned),
    )


def _clocks() -> tuple[Sample, ...]:
    started = clock.ClockStarted(
        clock_id=_CLOCK,
        case_kind="share_request",
        case_id=cast.REQUEST_ID,
        case_no=cast.REQUEST_NO,
        title="镇街行政区划信息",
        due=cast.due("share.reply"),
        bound=cast.SOURCE,
        escalate_to="authority_same_level",
        started_at=cast.NOON,
    )
    ended = clock.ClockEnded(
        clock_id=_CLOCK,
        case_id=cast.REQUEST_ID,
        ended_at=cast.REPLY,
        end_event="share.request.replied",
        on_time=True,
    )
    told = (("clock.started", started), ("clock.ended", ended), ("notice.posted", _notice()))
    return tuple(
        Sample(
            type=f"yiwang.{name}.v1",
            payload=payload,
            topic="filings.441521.v1",
            key=cast.REQUEST_ID,
            source="/nodes/441521/sharing",
            case_version=number,
        )
        for number, (name, payload) in enumerate(told, start=1)
    )


def _notice() -> clock.Notice:
    return clock.Notice(
        notice_id=cast.EVENT_ID,
        org_id=cast.SOURCE.org_id,
        role="source_handler",
        subject="441521-handler-1",
        title_zh="收到有条件共享申请",
        title_en="A conditional share request has arrived",
        case_kind="share_request",
        case_id=cast.REQUEST_ID,
        case_no=cast.REQUEST_NO,
        link=f"/sharing/v1/requests/{cast.REQUEST_ID}",
        at=cast.NOON,
    )


def _digest() -> Sample:
    line = clock.DigestLine(
        rule="share.reply", open=4, due_soon=1, overdue=1, ended_on_time=20, ended_late=1
    )
    return Sample(
        type="yiwang.clock.digest.v1",
        payload=clock.ClockDigest(
            node="441521", as_of=cast.NOON, lines=(line,), overdue_cases=(cast.REQUEST_NO,)
        ),
        topic="filings.441500.v1",
        key="441521",
        source="/nodes/441521/notify",
    )


def _receipt() -> Sample:
    return Sample(
        type="yiwang.receipt.stored.v1",
        payload=bus.Receipt(
            event_id=cast.EVENT_ID,
            event_type="yiwang.sharing.request.dispatched.v1",
            topic="sharing.441521.v1",
            key=cast.REQUEST_ID,
            payload_sha256=cast.DIGEST,
            receiver_node="441521",
            receiver_service="sharing",
            entered_at=cast.MORNING,
            received_at=cast.NOON,
        ),
        topic="sharing.441581.v1",
        key=cast.REQUEST_ID,
        source="/nodes/441521/sharing",
    )


def _control() -> tuple[Sample, ...]:
    place = {"source": _FILER, "topic": "sharing.441521.v1", "partition": 2, "epoch": _EPOCH}
    head = bus.StreamHead(
        role="source", first=1, last=41, previous_epoch="", previous_last=0, **place
    )
    resend = bus.ResendRequest(first=38, last=41, requester="441521", **place)
    refused = bus.ResendRefused(first=38, last=41, reason="sent_log_expired", **place)
    own, other = "control.441521.v1", "control.441581.v1"
    told = (
        ("head", own, _FILER, head),
        ("resend", other, "/nodes/441521/sharing", resend),
        ("refused", own, _FILER, refused),
    )
    return tuple(
        Sample(
            type=f"yiwang.control.{name}.v1",
            payload=payload,
            topic=topic,
            key=f"{_FILER}|sharing.441521.v1|2",
            source=source,
            case_version=0,
        )
        for name, topic, source, payload in told
    )


def _dead_letter() -> Sample:
    return Sample(
        type="yiwang.bus.deadletter.copied.v1",
        payload=bus.DeadLetterCopied(
            event_id=cast.EVENT_ID,
            event_type="yiwang.sharing.request.dispatched.v1",
            source=_FILER,
            topic="sharing.441521.v1",
            partition=2,
            key=cast.REQUEST_ID,
            epoch=_EPOCH,
            sequence=41,
            service="sharing",
            reason="payload:items:missing",
            sqlstate="",
            payload_sha256=cast.DIGEST,
            size=1840,
            at=cast.NOON,
        ),
        topic="dlq.441521.v1",
        key=cast.EVENT_ID,
        source="/nodes/441521/sharing",
    )


def samples() -> tuple[Sample, ...]:
    """Return one full example per event type of the desk and of the bus."""
    return (
        *(
            Sample(
                type=f"yiwang.filing.{name}.v1",
                payload=payload,
                topic=topic,
                key=cast.FILING_ID,
                source=source,
                case_version=number,
            )
            for number, (name, topic, source, payload) in enumerate(_filings(), start=1)
        ),
        *_clocks(),
        _digest(),
        _receipt(),
        *_control(),
        _dead_letter(),
    )
