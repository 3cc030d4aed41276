"""Sharing slices of several nodes in memory: use cases run, events pass, receipts come back.

Nothing is lost, doubled or reordered here; the simulation does that. ``World.settle`` passes events
until none waits.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc.jwk import OKPKey

from contracts.calendar import packaged_calendar
from contracts.events.base import Basis, OrganisationRef
from contracts.events.bus import Receipt
from contracts.events.catalog import AgencyState, EntryState, Item
from contracts.regions import load_regions
from contracts.rules import RuleBook, RuleSet, packaged_rules
from contracts.topics import event_spec, parse_topic
from kernel.ports import AuditEntry, OutgoingEvent, ReceivedEvent
from kernel.principal import Principal
from sharing.context import NodeContext
from sharing.errors import DuplicateSubmission
from sharing.filings.domain import Filing
from sharing.filings.handlers import USE_CASES as FILING_USE_CASES
from sharing.grants.domain import Grant, GrantState
from sharing.instants import to_text
from sharing.requests.domain import OPEN_STATES, ShareRequest
from sharing.requests.handlers import USE_CASES, receipt_stored
from sharing.requests.ports import Facts
from sharing.requests.schemas import SubmitRequest

HAIFENG, LUFENG, CITY = "441521", "441581", "441500"
MORNING = datetime(2026, 2, 13, 1, 30, tzinfo=UTC)
LAW = {"level": "law", "title": "中华人民共和国数据安全法", "article": "第三十八条"}
PAPER = {"level": "normative", "title": "内部工作规定", "article": "第三条"}


def with_rules(
    *, gates: dict[str, bool] | None = None, parameters: dict[str, Any] | None = None
) -> RuleBook:
    """The packaged rules with guards of policy switched and parameters changed."""
    rules = packaged_rules().current
    document = rules.model_dump(by_alias=True, mode="json")
    for gate in document["gates"]:
        if gate["name"] in (gates or {}):
            gate["enabled"] = (gates or {})[gate["name"]]
    for name, value in (parameters or {}).items():
        document["parameters"][name]["value"] = value
    changed = RuleSet.model_validate(document)
    return RuleBook(versions={changed.version: changed}, current_version=changed.version)


def with_gate(name: str, *, enabled: bool) -> RuleBook:
    """The packaged rules with one guard of policy switched."""
    return with_rules(gates={name: enabled})


class Ids:
    """UUIDv7-shaped ids that only count."""

    def __init__(self, salt: int) -> None:
        self._numbers = itertools.count(1)
        self._salt = salt

    def uuid7(self) -> UUID:
        return UUID(int=(self._salt << 96) | 0x7 << 76 | 0b10 << 62 | next(self._numbers))


class SteadyClock:
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def advance(self, **by: float) -> None:
        self.instant += timedelta(**by)


@dataclass
class MemoryNode:
    """One node's tables and surroundings; implements ``SharingTx``."""

    context: NodeContext
    entries: dict[str, EntryState] = field(default_factory=dict)
    versions: dict[tuple[str, int], EntryState] = field(default_factory=dict)
    agencies: dict[str, AgencyState] = field(default_factory=dict)
    requests: dict[tuple[str, str], ShareRequest] = field(default_factory=dict)
    grants: dict[tuple[str, str], Grant] = field(default_factory=dict)
    filings: dict[str, Filing] = field(default_factory=dict)
    datasets: set[str] = field(default_factory=set)
    outgoing: list[tuple[str, OutgoingEvent]] = field(default_factory=list)
    sent: list[OutgoingEvent] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    numbers: set[tuple[Any, ...]] = field(default_factory=set)

    async def emit(self, event: OutgoingEvent) -> str:
        number = (event.topic, event.key, event.case_space, event.case_version)
        assert number not in self.numbers, f"{event.type} reuses {number}"
        assert event.type in {e.type for e in _spec(event.topic).events}
        self.numbers.add(number)
        event_id = str(self.context.ids.uuid7())
        self.outgoing.append((event_id, event))
        self.sent.append(event)
        return event_id

    async def record(self, entry: AuditEntry) -> None:
        self.audit.append(entry)

    async def facts(self, entry_id: str, requester_org: str) -> Facts:
        entry = self.entries.get(entry_id)
        source = self.agencies.get(entry.providing_org.org_id) if entry else None
        return Facts(entry=entry, requester=self.agencies.get(requester_org), source=source)

    async def entry_version(self, entry_id: str, version: int) -> EntryState | None:
        return self.versions.get((entry_id, version))

    async def lock_request(self, request_id: str, side: str) -> ShareRequest | None:
        return self.requests.get((request_id, side))

    async def insert_request(self, request: ShareRequest) -> None:
        key = (request.request_id, request.side)
        assert key not in self.requests
        digest = request.submission_digest
        if digest and any(
            each.submission_digest == digest and each.state in OPEN_STATES
            for each in self.requests.values()
        ):
            raise DuplicateSubmission(kind="policy")
        self.requests[key] = request

    async def update_request(self, request: ShareRequest) -> None:
        assert (request.request_id, request.side) in self.requests
        self.requests[request.request_id, request.side] = request

    async def request_of_grant(self, grant_id: str, side: str) -> str | None:
        grant = self.grants.get((grant_id, side))
        return grant.request_id if grant else None

    async def active_grants(self, entry_id: str) -> Sequence[str]:
        return [
            grant.grant_id
            for grant in self.grants.values()
            if grant.side == "issued"
            and grant.entry_id == entry_id
            and grant.state is GrantState.ACTIVE
        ]

    async def lock_grant(self, grant_id: str, side: str) -> Grant | None:
        return self.grants.get((grant_id, side))

    async def insert_grant(self, grant: Grant) -> None:
        assert (grant.grant_id, grant.side) not in self.grants
        self.grants[grant.grant_id, grant.side] = grant

    async def update_grant(self, grant: Grant) -> None:
        assert (grant.grant_id, grant.side) in self.grants
        self.grants[grant.grant_id, grant.side] = grant

    async def insert_filing(self, filing: Filing) -> None:
        assert filing.filing_id not in self.filings
        self.filings[filing.filing_id] = filing

    async def lock_filing(self, filing_id: str) -> Filing | None:
        return self.filings.get(filing_id)

    async def update_filing(self, filing: Filing) -> None:
        assert filing.filing_id in self.filings
        self.filings[filing.filing_id] = filing

    async def filings_of(self, request_id: str) -> Sequence[Filing]:
        found = (each for each in self.filings.values() if each.request_id == request_id)
        return sorted(found, key=lambda filing: filing.rule)

    async def dataset_ready(self, entry_id: str) -> bool:
        return entry_id in self.datasets

    async def revoked_grants(self, holder_org: str, since: datetime) -> int:
        return sum(
            grant.holder.org_id == holder_org
            and grant.end_reason == "revoked"
            and grant.ended_at is not None
            and grant.ended_at >= since
            for grant in self.grants.values()
        )

    def request(self, request_id: str, side: str) -> ShareRequest:
        return self.requests[request_id, side]

    def events(self, event_type: str) -> list[Any]:
        """Return the payloads of what this node has sent of a type."""
        return [each.payload for each in self.sent if each.type == event_type]

    def publish(self, entry: EntryState) -> None:
        """Know an entry, as its broadcast would make it known."""
        self.entries[entry.entry_id] = entry
        if entry.state == "published":
            self.versions[entry.entry_id, entry.version] = entry


def _spec(topic: str) -> Any:
    from contracts.topics import load_topics  # noqa: PLC0415

    return load_topics().spec_of(topic)


class World:
    """Three nodes, one clock, an agency of each node and a shared catalogue."""

    def __init__(
        self, rulebook: RuleBook | None = None, *, codes: Sequence[str] = (CITY, HAIFENG, LUFENG)
    ) -> None:
        self.clock = SteadyClock(MORNING)
        self.rulebook = rulebook or packaged_rules()
        self.nodes = {code: self._node(code, salt) for salt, code in enumerate(codes, start=1)}
        self.held_back: set[str] = set()
        for code in codes:
            self.announce(agency(code))

    def _node(self, code: str, salt: int) -> MemoryNode:
        return MemoryNode(
            NodeContext(
                node=code,
                clock=self.clock,
                ids=Ids(salt),
                rulebook=self.rulebook,
                calendar=packaged_calendar(),
                regions=load_regions(),
                delivery_url=f"http://{code}.test",
            )
        )

    def __getitem__(self, code: str) -> MemoryNode:
        return self.nodes[code]

    def announce(self, state: AgencyState) -> None:
        for node in self.nodes.values():
            node.agencies[state.org_id] = state

    def publish(self, entry: EntryState, *, to: Sequence[str] | None = None) -> None:
        for code in to or self.nodes:
            self.nodes[code].publish(entry)

    async def settle(self) -> None:
        """Pass events until none waits, except of nodes that are held back."""
        while any(self._movable(code) for code in self.nodes):
            for code in self.nodes:
                for event_id, event in self._movable(code):
                    self.nodes[code].outgoing.remove((event_id, event))
                    await self._arrive(code, event_id, event)

    def _movable(self, code: str) -> list[tuple[str, OutgoingEvent]]:
        waiting = self.nodes[code].outgoing
        return [each for each in waiting if not {code, each[1].destination} & self.held_back]

    async def _arrive(self, source: str, event_id: str, event: OutgoingEvent) -> None:
        family = parse_topic(event.topic).family
        node = self.nodes.get(event.destination)
        if node is None:
            return
        received = self.received(source, event_id, event)
        if family == "sharing":
            await apply(node, received)
        if event_spec(event.type).receipt and family in ("sharing", "filings"):
            await self._receipt(event.destination, source, received, family)

    def received(self, source: str, event_id: str, event: OutgoingEvent) -> ReceivedEvent:
        now = to_text(self.clock.now())
        return ReceivedEvent(
            id=event_id,
            source=f"/nodes/{source}/sharing",
            source_node=source,
            type=event.type,
            subject=event.subject,
            time=now,
            topic=event.topic,
            key=event.key,
            case_version=event.case_version,
            payload=type(event.payload).model_validate_json(event.payload.model_dump_json()),
            entered_at=to_text(self.clock.now() - timedelta(seconds=2)),
            received_at=now,
        )

    async def _receipt(self, receiver: str, sender: str, event: ReceivedEvent, family: str) -> None:
        service = "sharing" if family == "sharing" else "notify"
        payload = Receipt(
            event_id=event.id,
            event_type=event.type,
            topic=event.topic,
            key=event.key,
            payload_sha256="0" * 64,
            receiver_node=receiver,
            receiver_service=service,
            entered_at=event.entered_at,
            received_at=event.received_at,
        )
        if sender not in self.nodes:
            return
        receipt = replace(
            event,
            id=f"r-{event.id}",
            source=f"/nodes/{receiver}/{service}",
            source_node=receiver,
            type="yiwang.receipt.stored.v1",
            topic=f"sharing.{sender}.v1",
            payload=payload,
        )
        await apply(self.nodes[sender], receipt)

    async def from_desk(self, desk: str, filer: str, event_type: str, payload: Any) -> None:
        """Let an authority's desk answer a filing."""
        event = ReceivedEvent(
            id=f"desk-{event_type}",
            source=f"/nodes/{desk}/notify",
            source_node=desk,
            type=event_type,
            subject=payload.filing_id,
            time=to_text(self.clock.now()),
            topic=f"sharing.{filer}.v1",
            key=payload.filing_id,
            case_version=1,
            payload=payload,
            entered_at=to_text(self.clock.now()),
            received_at=to_text(self.clock.now()),
        )
        await apply(self.nodes[filer], event)


async def apply(node: MemoryNode, event: ReceivedEvent) -> None:
    """Run the use case of an event, as the bus door does."""
    use_cases = {**USE_CASES, **FILING_USE_CASES, "yiwang.receipt.stored.v1": receipt_stored}
    await use_cases[event.type](node, event, event.payload, context=node.context)


def agency(code: str, *, org_id: str = "", region: str = "", **more: Any) -> AgencyState:
    """An agency of a node, ``<node>-a`` unless another id is given."""
    levels = {CITY: "city"}
    return AgencyState(
        org_id=org_id or f"{code}-a",
        node=code,
        region_code=region or code,
        name=f"{code}某局",
        kind="administrative_organ",
        level=levels.get(code, "county"),
        record_version=1,
        **more,
    )


def reference(org_id: str, node: str) -> OrganisationRef:
    return OrganisationRef(org_id=org_id, name=f"{node}某局", node=node)


ITEMS = (
    Item(
        name_cn="村居代码",
        name_en="code",
        data_type="C",
        length=12,
        primary_key=True,
        nullable=False,
    ),
    Item(name_cn="村居名称", name_en="name", data_type="C", length=60, nullable=False),
    Item(name_cn="户数", name_en="households", data_type="I", length=6),
)


def entry(
    node: str = LUFENG, *, org_id: str = "", share_type: str = "conditional", **more: Any
) -> EntryState:
    """A published entry of a node's agency."""
    owner = reference(org_id or f"{node}-a", node)
    given: dict[str, Any] = {
        "entry_id": "019a7b00-0000-7000-8000-000000000101",
        "resource_code": "307044441581001/000001",
        "node": node,
        "region_code": node,
        "state": "published",
        "version": 1,
        "record_version": 1,
        "title": "村居名册",
        "abstract": "村居名称与代码",
        "data_form": "table",
        "collecting_org": owner,
        "verifying_org": owner,
        "providing_org": owner,
        "share_type": share_type,
        "share_condition": "用于救灾",
        "share_basis": (Basis(level="law", title="突发事件应对法", article="第七条"),),
        "share_scope": "all_agencies",
        "open_attr": "none",
        "update_frequency": "yearly",
        "items": ITEMS,
        "published_at": "2026-01-05T01:00:00Z",
        "changed_at": "2026-01-05T01:00:00Z",
    }
    return EntryState(**{**given, **more})


def person(node: str, *roles: str, org_id: str = "", subject: str = "") -> Principal:
    return Principal(
        subject=subject or f"{node}-{'-'.join(roles)}",
        name="某人",
        organisation=org_id or f"{node}-a",
        node=node,
        roles=frozenset(roles),
    )


PUBLIC_JWK = OKPKey.generate_key("Ed25519", private=True).as_dict(private=False)


def command(**more: Any) -> SubmitRequest:
    """A complete submission; ``more`` overrides."""
    given: dict[str, Any] = {
        "entry_id": "019a7b00-0000-7000-8000-000000000101",
        "items": ["code", "name"],
        "purpose": "台风防御期间登记责任区",
        "basis": [{"level": "law", "title": "突发事件应对法", "article": "第七条"}],
        "scene": "三防应急值守",
        "scope": "全县村居",
        "mode": "api",
        "term_days": 180,
        "system": {"system_id": "duty-1", "name": "值守系统", "public_jwk": PUBLIC_JWK},
    }
    return SubmitRequest.model_validate({**given, **more})
