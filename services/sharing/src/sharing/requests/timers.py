"""What happens to requests and filings by the passage of time; each step is one transaction."""

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.calendar import civil_date
from contracts.rules import RuleSet
from sharing.context import NodeContext
from sharing.filings.domain import FilingState
from sharing.requests import events
from sharing.requests.domain import RequestState, ShareRequest
from sharing.requests.ports import SharingTx
from sharing.requests.service import confirmed
from sharing.requests.steps import touched

UNREACHABLE = "source_unreachable"
_TITLES = (
    "对方节点久未签收，请按人工渠道办理",
    "The other node has not received; use the manual channel",
)
_FILING_TITLES = ("备案久未签收，请核查", "A filing has had no receipt for long")
EARLIEST = timedelta(days=1)
"""No working day is shorter than this: candidates are looked up by it and judged by calendar."""


def over(since: datetime, days: int, *, context: NodeContext) -> bool:
    """Tell whether ``days`` working days have passed in full since an instant."""
    due = context.calendar.due(civil_date(since), days)
    return civil_date(context.clock.now()) > due.due_on


async def alarm_unreachable(tx: SharingTx, request_id: str, *, context: NodeContext) -> bool:
    """Alarm both authorities and the requester once when the source's node stays silent."""
    request = await tx.lock_request(request_id, "sent")
    if request is None or request.state is not RequestState.DISPATCHED or request.alarmed_at:
        return False
    rules = context.rules_of(request.rule_version)
    if not _alarms(rules) or not over(request.submitted_at, _patience(rules), context=context):
        return False
    now = context.clock.now()
    request = touched(replace(request, alarmed_at=now))
    request = await _tell(tx, request, _TITLES, context)
    filings = tuple(await tx.filings_of(request_id))
    request = await events.status_copies(tx, request, filings, at=now, state=UNREACHABLE)
    await tx.update_request(request)
    return True


async def alarm_filing(tx: SharingTx, filing_id: str, *, context: NodeContext) -> bool:
    """Tell the filer once when a filing has had no receipt for long."""
    filing = await tx.lock_filing(filing_id)
    if filing is None or filing.state is not FilingState.QUEUED or filing.alarmed_at:
        return False
    rules = context.rules_of(filing.rule_version)
    since = filing.completed_at or filing.submitted_at
    if not _alarms(rules) or not over(since, _patience(rules), context=context):
        return False
    await tx.update_filing(replace(filing, alarmed_at=context.clock.now()))
    request = await tx.lock_request(filing.request_id, "sent")
    if request is not None:
        await tx.update_request(await _tell(tx, touched(request), _FILING_TITLES, context))
    return True


async def auto_confirm(tx: SharingTx, request_id: str, *, context: NodeContext) -> bool:
    """Confirm a delivery by lapse of time (policy); that proves nothing and ends no clock."""
    request = await tx.lock_request(request_id, "sent")
    if request is None or request.state is not RequestState.DELIVERED:
        return False
    days = context.rules_of(request.rule_version).integer("request.auto_confirm_days")
    if request.delivered_at is None or not over(request.delivered_at, days, context=context):
        return False
    await confirmed(tx, request, context.timer(), context=context, automatic=True)
    return True


def _alarms(rules: RuleSet) -> bool:
    return rules.gate("unreachable_alarm").enabled


def _patience(rules: RuleSet) -> int:
    return rules.integer("request.unreachable_alarm_days")


async def _tell(
    tx: SharingTx, request: ShareRequest, titles: tuple[str, str], context: NodeContext
) -> ShareRequest:
    return await events.notice(
        tx,
        request,
        notice_id=str(context.ids.uuid7()),
        titles=titles,
        at=context.clock.now(),
    )
