"""HTTP doors of the acts of SM-1. ``If-Match`` is optional here; a stale one is refused."""

from uuid import UUID

from catalog.desk import Desk, desk_of
from catalog.entries import service, takedown
from catalog.entries.domain import Act
from catalog.entries.endpoints import EntryId, detail
from catalog.entries.records import Entry
from catalog.entries.schemas import (
    ApproveTakedown,
    ChangeEntry,
    EntryDetail,
    Opinion,
    RefuseTakedown,
    RequestTakedown,
    ReturnEntry,
    ReviewConfidentiality,
    SuspendEntry,
    Trigger,
)
from kernel.web import Edge, EdgeDep, ServiceRouter, expected_version

router = ServiceRouter(prefix="/entries/{entry_id}", tags=["entries"])


async def _held(edge: Edge, entry_id: UUID, act: Act) -> tuple[Entry, Desk]:
    """Return the entry, held, once the caller may act on the version he has seen."""
    desk = desk_of(edge.runtime, edge.principal)
    stated = edge.request.headers.get("if-match")
    version = expected_version(edge) if stated else None
    return await service.locked(edge.tx, str(entry_id), act, desk, version=version), desk


@router.post("/submit", summary="报送审定 / Submit")
async def submit(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Submit to the authority of the same level; D2 starts."""
    entry, desk = await _held(edge, entry_id, Act.SUBMIT)
    return await detail(edge, await service.submit(edge.tx, entry, desk))


@router.post("/recall", summary="撤回报送 / Recall")
async def recall(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Take a submission back before the authority accepts it."""
    entry, desk = await _held(edge, entry_id, Act.RECALL)
    return await detail(edge, await service.recall(edge.tx, entry, desk))


@router.post("/accept", summary="受理 / Accept")
async def accept(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Accept a submission for review."""
    entry, desk = await _held(edge, entry_id, Act.ACCEPT)
    return await detail(edge, await service.accept(edge.tx, entry, desk))


@router.post("/return", summary="退回修改 / Return")
async def return_entry(entry_id: EntryId, command: ReturnEntry, edge: EdgeDep) -> EntryDetail:
    """Return a submission with an opinion."""
    entry, desk = await _held(edge, entry_id, Act.RETURN)
    after = await service.return_(edge.tx, entry, desk, opinion=command.opinion)
    return await detail(edge, after)


@router.post("/approve", summary="审定 / Approve")
async def approve(entry_id: EntryId, edge: EdgeDep, command: Opinion | None = None) -> EntryDetail:
    """Approve a submission; nobody approves what he submitted."""
    entry, desk = await _held(edge, entry_id, Act.APPROVE)
    opinion = command.opinion if command else ""
    return await detail(edge, await service.approve(edge.tx, entry, desk, opinion=opinion))


@router.post("/publish", summary="发布 / Publish")
async def publish(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Publish in a new edition; the whole federation gets the entry."""
    entry, desk = await _held(edge, entry_id, Act.PUBLISH)
    return await detail(edge, await service.publish(edge.tx, entry, desk))


@router.post("/discard", summary="作废 / Discard")
async def discard(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Give a draft up; the working copy of an entry in force gives way to what is in force."""
    entry, desk = await _held(edge, entry_id, Act.DISCARD)
    return await detail(edge, await service.discard(edge.tx, entry, desk))


@router.post("/change", summary="变更 / Open a change")
async def change(
    entry_id: EntryId, edge: EdgeDep, command: ChangeEntry | None = None
) -> EntryDetail:
    """Open the working copy of the next version; the present one stays in force."""
    entry, desk = await _held(edge, entry_id, Act.CHANGE)
    trigger = command.trigger if command else None
    return await detail(edge, await service.change(edge.tx, entry, desk, trigger=trigger))


@router.post("/trigger", summary="登记变更事由 / Note what makes a change necessary")
async def trigger(entry_id: EntryId, command: Trigger, edge: EdgeDep) -> EntryDetail:
    """Note that law or function has changed; D1 runs from the effective date."""
    entry, desk = await _held(edge, entry_id, Act.TRIGGER)
    return await detail(edge, await service.note_trigger(edge.tx, entry, desk, trigger=command))


@router.post("/confidentiality-review", summary="保密审查 / Confidentiality review")
async def review_confidentiality(
    entry_id: EntryId, command: ReviewConfidentiality, edge: EdgeDep
) -> EntryDetail:
    """Record the confidentiality review on this version."""
    entry, desk = await _held(edge, entry_id, Act.REVIEW_CONFIDENTIALITY)
    after = await service.review_confidentiality(edge.tx, entry, command, desk)
    return await detail(edge, after)


@router.post("/takedown", summary="申请下架 / Ask for a takedown")
async def request_takedown(
    entry_id: EntryId, command: RequestTakedown, edge: EdgeDep
) -> EntryDetail:
    """Ask for a takedown with reason, basis and provisions for dependents."""
    entry, desk = await _held(edge, entry_id, Act.TAKEDOWN)
    return await detail(edge, await takedown.request(edge.tx, entry, command, desk))


@router.post("/takedown/approve", summary="批准下架 / Approve a takedown")
async def approve_takedown(
    entry_id: EntryId, edge: EdgeDep, command: ApproveTakedown | None = None
) -> EntryDetail:
    """Approve a takedown once every dependent is provided for."""
    entry, desk = await _held(edge, entry_id, Act.APPROVE_TAKEDOWN)
    after = await takedown.approve(edge.tx, entry, command or ApproveTakedown(), desk)
    return await detail(edge, after)


@router.post("/takedown/refuse", summary="不批准下架 / Refuse a takedown")
async def refuse_takedown(entry_id: EntryId, command: RefuseTakedown, edge: EdgeDep) -> EntryDetail:
    """Refuse a takedown; the entry stays in force."""
    entry, desk = await _held(edge, entry_id, Act.REFUSE_TAKEDOWN)
    after = await takedown.refuse(edge.tx, entry, desk, opinion=command.opinion)
    return await detail(edge, after)


@router.post("/suspend", summary="暂停 / Suspend")
async def suspend(entry_id: EntryId, command: SuspendEntry, edge: EdgeDep) -> EntryDetail:
    """Suspend an entry at once for a risk."""
    entry, desk = await _held(edge, entry_id, Act.SUSPEND)
    after = await takedown.suspend(edge.tx, entry, desk, reason=command.reason)
    return await detail(edge, after)


@router.post("/resume", summary="恢复 / Resume")
async def resume(entry_id: EntryId, edge: EdgeDep) -> EntryDetail:
    """Put a suspended entry in force again."""
    entry, desk = await _held(edge, entry_id, Act.RESUME)
    return await detail(edge, await takedown.resume(edge.tx, entry, desk))
