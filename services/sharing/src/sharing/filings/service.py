"""What receipts and the desks' events do to a filing, and the completion of a returned one."""

from dataclasses import replace

from contracts.events.bus import Receipt
from contracts.events.filing import (
    FilingCompleted,
    FilingReceived,
    FilingRecorded,
    FilingReturned,
)
from kernel.handlers import NotYet, Poison
from kernel.policies import authorise
from kernel.ports import AuditEntry, ReceivedEvent
from kernel.principal import Principal
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import FilingNotReturned
from sharing.filings.domain import Filing, FilingState, follows
from sharing.filings.schemas import CompleteFiling
from sharing.instants import from_text, to_text
from sharing.requests import events
from sharing.requests.ports import SharingTx
from sharing.requests.steps import touched

SUBMITTED = "yiwang.filing.submitted.v1"
COMPLETED = "yiwang.filing.completed.v1"


async def receipt_came(
    tx: SharingTx, event: ReceivedEvent, receipt: Receipt, *, context: NodeContext
) -> None:
    """The desk's service has stored the filing: the three instants of its receipt are known."""
    filing = await _locked(tx, event, receipt.key)
    if (receipt.event_type == COMPLETED) != (filing.round > 1):
        return
    state = filing.state
    if not filing.external and follows(state, FilingState.RECEIVED):
        state = FilingState.RECEIVED
    await tx.update_filing(
        replace(
            filing,
            state=state,
            entered_at=from_text(receipt.entered_at),
            stored_at=from_text(receipt.received_at),
            receipt_at=context.clock.now(),
        )
    )


async def received(
    tx: SharingTx,
    event: ReceivedEvent,
    payload: FilingReceived,
    *,
    context: NodeContext,  # noqa: ARG001 -- every use case of an event has the same form
) -> None:
    """The desk has numbered the filing."""
    filing = await _locked(tx, event, payload.filing_id)
    new = FilingState(payload.state)
    await tx.update_filing(
        replace(
            filing,
            filing_no=payload.filing_no,
            stored_at=filing.stored_at or from_text(payload.received_at),
            state=new if follows(filing.state, new) else filing.state,
        )
    )


async def recorded(
    tx: SharingTx, event: ReceivedEvent, payload: FilingRecorded, *, context: NodeContext
) -> None:
    """A person at the authority has recorded (已备案) the filing."""
    filing = await _locked(tx, event, payload.filing_id)
    if not follows(filing.state, FilingState.RECORDED):
        return
    filing = replace(
        filing,
        state=FilingState.RECORDED,
        filing_no=payload.filing_no,
        external_no=payload.external_no or "",
        recorded_by=payload.recorded_by,
        recorded_at=from_text(payload.recorded_at),
    )
    await tx.update_filing(filing)
    await tx.record(_audit("filing.recorded", filing, context.other_node(event.source_node)))


async def returned(
    tx: SharingTx, event: ReceivedEvent, payload: FilingReturned, *, context: NodeContext
) -> None:
    """Returned for completion; the request goes on, its submitter's organisation is told."""
    filing = await _locked(tx, event, payload.filing_id)
    if not follows(filing.state, FilingState.RETURNED):
        return
    filing = replace(
        filing,
        state=FilingState.RETURNED,
        filing_no=payload.filing_no,
        returned_by=payload.returned_by,
        returned_at=from_text(payload.returned_at),
        return_reason=payload.reason,
    )
    await tx.update_filing(filing)
    request = await tx.lock_request(filing.request_id, "sent")
    if request is not None:
        request = await events.notice(
            tx,
            touched(request),
            notice_id=str(context.ids.uuid7()),
            titles=("备案被退回，请补正", "A filing was returned for completion"),
            at=context.clock.now(),
        )
        await tx.update_request(request)
    await tx.record(_audit("filing.returned", filing, context.other_node(event.source_node)))


async def complete(
    tx: SharingTx,
    filing_id: str,
    command: CompleteFiling,
    *,
    principal: Principal,
    context: NodeContext,
) -> Filing:
    """Complete a returned filing; the desk has it as received again."""
    filing = await tx.lock_filing(filing_id)
    if filing is None:
        raise NotFound
    authorise(principal, "filing.complete", organisation=filing.filer_org, node=context.node)
    if filing.state is not FilingState.RETURNED:
        raise FilingNotReturned(state=filing.state.value, act="complete")
    now = context.clock.now()
    payload = FilingCompleted(
        filing_id=filing_id,
        summary=command.summary,
        basis=tuple(basis.to_basis() for basis in command.basis),
        completed_by=principal.subject,
        completed_at=to_text(now),
    )
    filing = replace(
        filing, state=FilingState.QUEUED, completed_at=now, round=filing.round + 1, receipt_at=None
    )
    filing = await events.complete_filing(tx, filing, payload)
    await tx.update_filing(filing)
    await tx.record(_audit("filing.complete", filing, principal))
    return filing


async def _locked(tx: SharingTx, event: ReceivedEvent, filing_id: str) -> Filing:
    filing = await tx.lock_filing(filing_id)
    if filing is None:
        raise NotYet("filing_not_known")
    if event.source_node != filing.receiver_node:
        raise Poison("not_a_party")
    return filing


def _audit(act: str, filing: Filing, principal: Principal) -> AuditEntry:
    return AuditEntry(
        act=act,
        object_kind="filing",
        object_id=filing.filing_id,
        principal=principal,
        article=filing.article,
        rule_version=filing.rule_version,
        details={
            "rule": filing.rule,
            "state": filing.state.value,
            "filing_no": filing.filing_no,
            "request_id": filing.request_id,
        },
    )
