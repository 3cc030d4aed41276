"""What a submission is made into: the request, its relation, its filings, its events."""

import hashlib
from datetime import datetime
from uuid import UUID

from contracts.authority import (
    FilingTarget,
    NoAuthorityError,
    Relation,
    RelationOutsideError,
    resolve_filings,
    resolve_relation,
)
from contracts.calendar import civil_date
from contracts.events.base import OrganisationRef
from contracts.events.catalog import AgencyState, EntryState
from contracts.events.filing import FilingSubmitted
from contracts.events.sharing import RequestDispatched
from contracts.identifiers import request_number
from contracts.regions import UnknownRegionError
from contracts.rules import RuleSet
from kernel.principal import Principal
from kernel.problems import NotFound
from sharing.context import NodeContext
from sharing.errors import SourceUnknown
from sharing.filings.domain import Filing
from sharing.instants import from_text, to_text
from sharing.requests import events
from sharing.requests.domain import RequestState, ShareRequest, share_kind
from sharing.requests.ports import Facts, SubmissionTx
from sharing.requests.schemas import SubmitRequest


def new_request(
    command: SubmitRequest,
    facts: Facts,
    principal: Principal,
    rules: RuleSet,
    context: NodeContext,
) -> ShareRequest:
    asked = _asked(command, facts, principal, rules, context)
    waits = rules.gate("requester_leader_approval").enabled
    return ShareRequest(
        side="sent",
        asked=asked,
        state=RequestState.AWAITING_APPROVAL if waits else RequestState.DISPATCHED,
        kind=asked.kind,
        rule_version=rules.version,
        submitted_at=from_text(asked.submitted_at),
        submission_digest=_digest(asked) if rules.gate("duplicate_request").enabled else None,
    )


def _asked(
    command: SubmitRequest,
    facts: Facts,
    principal: Principal,
    rules: RuleSet,
    context: NodeContext,
) -> RequestDispatched:
    """Return the request as it is sent; everything in it has been checked before."""
    entry, requester = _known(facts)
    now = context.clock.now()
    request_id = context.ids.uuid7()
    kind = share_kind(entry, command.items)
    return RequestDispatched(
        request_id=str(request_id),
        request_no=request_number(context.node, request_id, on=civil_date(now)),
        kind="unconditional" if kind == "unconditional" else "conditional",
        requester=_reference(requester),
        source=entry.providing_org,
        relation=relation_of(facts, context).relation,
        entry_id=entry.entry_id,
        resource_code=entry.resource_code,
        entry_version=entry.version,
        title=entry.title,
        items=command.items,
        purpose=command.purpose,
        basis=tuple(basis.to_basis() for basis in command.basis),
        scene=command.scene,
        scope=command.scope,
        mode=command.mode or "api",
        term_days=command.term_days or rules.integer("request.default_term_days"),
        system=command.system.to_system(),
        security_measures=command.security_measures,
        submitted_by=principal.subject,
        submitted_at=to_text(now),
        rule_version=rules.version,
    )


def _known(facts: Facts) -> tuple[EntryState, AgencyState]:
    if facts.entry is None or facts.requester is None:
        raise NotFound
    return facts.entry, facts.requester


def _reference(agency: AgencyState) -> OrganisationRef:
    return OrganisationRef(
        org_id=agency.org_id, name=agency.name, node=agency.node, uscc=agency.uscc
    )


def relation_of(facts: Facts, context: NodeContext) -> Relation:
    """Return what requester and source are to each other; the entry's region stands in."""
    entry, requester = _known(facts)
    source_region = entry.region_code if facts.source is None else facts.source.region_code
    try:
        return resolve_relation(requester.region_code, source_region, regions=context.regions)
    except (UnknownRegionError, RelationOutsideError, NoAuthorityError):
        raise SourceUnknown(field="entry_id", article="第二十条第二款") from None


def _digest(asked: RequestDispatched) -> str:
    """Return what makes two submissions equal: who, which system, which items, what for."""
    parts = (
        asked.requester.org_id,
        asked.entry_id,
        asked.system.system_id,
        asked.purpose,
        *sorted(asked.items),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


async def dispatch(
    tx: SubmissionTx, request: ShareRequest, facts: Facts, *, rules: RuleSet, context: NodeContext
) -> tuple[ShareRequest, tuple[Filing, ...]]:
    """Send the request to its source and file it, in the transaction that it is stored in."""
    _, requester = _known(facts)
    targets = resolve_filings(
        relation_of(facts, context),
        requester.region_code,
        request_kind=request.asked.kind,
        rules=rules,
        regions=context.regions,
    )
    ids = tuple(context.ids.uuid7() for _ in targets)
    asked = request.asked.model_copy(update={"filings": tuple(str(each) for each in ids)})
    request = await events.dispatch(tx, request, asked)
    now = context.clock.now()
    filings = [
        await _file(tx, request, target, filing_id, at=now)
        for target, filing_id in zip(targets, ids, strict=True)
    ]
    return request, tuple(filings)


async def _file(
    tx: SubmissionTx,
    request: ShareRequest,
    target: FilingTarget,
    filing_id: UUID,
    *,
    at: datetime,
) -> Filing:
    """Store and send one filing; it never holds up the request."""
    asked = request.asked
    filing = Filing(
        filing_id=str(filing_id),
        request_id=asked.request_id,
        request_no=asked.request_no,
        filer_org=asked.requester.org_id,
        rule=target.rule,
        article=target.article,
        receiver_node=target.receiver_node,
        receiver_level=target.receiver_level,
        external=target.external,
        rule_version=request.rule_version,
        submitted_by=asked.submitted_by,
        submitted_at=at,
    )
    await events.submit_filing(tx, filing, _document(request, filing))
    await tx.insert_filing(filing)
    return filing


def _document(request: ShareRequest, filing: Filing) -> FilingSubmitted:
    asked = request.asked
    return FilingSubmitted(
        filing_id=filing.filing_id,
        rule=filing.rule,
        article=filing.article,
        filer=asked.requester,
        receiver_node=filing.receiver_node,
        receiver_level=filing.receiver_level,
        external=filing.external,
        subject_kind="share_request",
        subject_id=asked.request_id,
        subject_no=asked.request_no,
        subject_title=asked.title,
        summary=asked.purpose,
        counterpart=asked.source,
        relation=asked.relation,
        basis=asked.basis,
        submitted_by=asked.submitted_by,
        submitted_at=to_text(filing.submitted_at),
        rule_version=request.rule_version,
        reply_to="sharing",
    )
