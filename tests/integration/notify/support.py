"""What the tests of notify share: events as a handler gets them, and a node to give them to."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from contracts.deadlines import due_date
from contracts.events.base import OrganisationRef, Payload
from contracts.events.catalog import AgencyState
from contracts.events.clock import ClockEnded, ClockStarted
from contracts.events.filing import FilingCompleted, FilingSubmitted
from contracts.topics import event_spec
from kernel.bus_tables import outbox
from kernel.handlers import Handlers
from kernel.ports import ReceivedEvent
from notify.bootstrap import define
from tests.support.http import Caller, NodeFiles, ServedNode, SteadyClock, serving

COUNTY = "441521"
CITY = "441500"
CIVIL_AFFAIRS = OrganisationRef(org_id="org-mz", name="海丰县民政局", node=COUNTY)
LAND = OrganisationRef(org_id="org-zr", name="海丰县自然资源局", node=COUNTY)
AUTHORITY = "org-da"
OFFICE = "org-go"


@dataclass
class Desk:
    """A served notify with its clock, and the events that come in by the bus."""

    node: ServedNode
    clock: SteadyClock
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def runtime(self) -> Any:
        return self.node.runtime

    async def deliver(
        self,
        payload: Payload,
        event_type: str,
        *,
        source_node: str = COUNTY,
        key: str = "",
        handlers: Handlers | None = None,
    ) -> None:
        """Give an event to its handlers, in a transaction as the consumer does."""
        assert isinstance(payload, event_spec(event_type).model)
        self.versions[key] = self.versions.get(key, 0) + 1
        now = self.clock.now().isoformat()
        event = ReceivedEvent(
            id=str(uuid4()),
            source=f"/nodes/{source_node}/sharing",
            source_node=source_node,
            type=event_type,
            subject=key,
            time=now,
            topic=f"filings.{self.runtime.node}.v1",
            key=key,
            case_version=self.versions[key],
            payload=payload,
            entered_at=now,
            received_at=now,
        )
        async with self.runtime.database.transaction() as tx:
            for handle in (handlers or self.node.definition.handlers).of(event_type):
                await handle(tx, event)

    def person(self, *roles: str, organisation: str = AUTHORITY, **more: Any) -> Caller:
        """Return somebody whose token outlives the days that a test lets pass."""
        return self.node.caller(*roles, organisation=organisation, seconds=10**8, **more)

    async def sent(self) -> list[Any]:
        """Return what lies in the outbox, in order."""
        async with self.runtime.database.transaction(read_only=True) as tx:
            return list(await tx.connection.execute(select(outbox).order_by(outbox.c.id)))

    async def run(self, job: str) -> None:
        """Run a periodic job once."""
        found = {each.name: each for each in self.node.definition.jobs}
        await found[job].run(self.runtime)

    async def file(self, filing_id: str = "", **changes: Any) -> str:
        """Let a filing arrive and return its id."""
        payload = submitted(filing_id or str(uuid4()), **changes)
        await self.deliver(
            payload,
            "yiwang.filing.submitted.v1",
            source_node=payload.filer.node,
            key=payload.filing_id,
        )
        return payload.filing_id

    async def complete(self, filing_id: str, *, source_node: str = COUNTY) -> None:
        payload = FilingCompleted(
            filing_id=filing_id,
            summary="补充法律依据",
            completed_by="clerk-1",
            completed_at=self.clock.now().isoformat(),
        )
        await self.deliver(
            payload, "yiwang.filing.completed.v1", source_node=source_node, key=filing_id
        )

    async def start_clock(
        self,
        case_id: str,
        rule: str = "share.reply",
        *,
        bound: OrganisationRef = LAND,
        start: date | None = None,
    ) -> str:
        """Let a deadline begin today, or on ``start``, and return its id."""
        rules = self.runtime.rulebook.current
        due = due_date(
            rules, rule, start=start or self.clock.now(), calendar=self.runtime.calendar()
        )
        clock_id = f"{case_id}:{rule}:1"
        payload = ClockStarted(
            clock_id=clock_id,
            case_kind="share_request",
            case_id=case_id,
            case_no=f"R{COUNTY}-{case_id}",
            title="镇街行政区划信息",
            due=due,
            bound=bound,
            escalate_to=rules.deadline(rule).escalate_to,
            started_at=self.clock.now().isoformat(),
        )
        await self.deliver(payload, "yiwang.clock.started.v1", key=case_id)
        return clock_id

    async def end_clock(self, clock_id: str, *, at: datetime | None = None) -> None:
        case_id = clock_id.split(":", maxsplit=1)[0]
        payload = ClockEnded(
            clock_id=clock_id,
            case_id=case_id,
            ended_at=(at or self.clock.now()).isoformat(),
            end_event="share.request.replied",
            on_time=True,
        )
        await self.deliver(payload, "yiwang.clock.ended.v1", key=case_id)

    async def announce(self, org_id: str, kind: str, name: str, *, version: int = 1) -> None:
        """Let an organisation of this node be known."""
        node = self.runtime.node
        payload = AgencyState(
            org_id=org_id,
            node=node,
            region_code=node,
            name=name,
            kind=kind,
            level="county",
            record_version=version,
        )
        await self.deliver(
            payload, "yiwang.catalog.agency.announced.v1", source_node=node, key=org_id
        )

    async def announce_offices(self) -> None:
        await self.announce(AUTHORITY, "data_authority", "海丰县政务服务和数据管理局")
        await self.announce(OFFICE, "government_office", "海丰县人民政府办公室")

    def at(self, *stamp: int) -> None:
        """Set the clock to an instant in UTC."""
        self.clock.instant = datetime(*stamp, tzinfo=UTC)


def submitted(filing_id: str, **changes: Any) -> FilingSubmitted:
    plain: dict[str, Any] = {
        "filing_id": filing_id,
        "rule": "F2a",
        "article": "第二十条第二款",
        "filer": CIVIL_AFFAIRS,
        "receiver_node": COUNTY,
        "receiver_level": "same",
        "external": False,
        "subject_kind": "share_request",
        "subject_id": "r-1",
        "subject_no": "R441521-20260112-00000000A",
        "subject_title": "镇街行政区划信息",
        "summary": "核对救助对象住址",
        "counterpart": OrganisationRef(org_id="org-lf", name="陆丰市自然资源局", node="441581"),
        "relation": "cross_region",
        "submitted_by": "clerk-1",
        "submitted_at": "2026-01-12T01:29:00+00:00",
        "rule_version": "shanwei-2025-draft",
        "reply_to": "sharing",
    }
    return FilingSubmitted(**{**plain, **changes})


@asynccontextmanager
async def desk_at(url: str, files: NodeFiles, *, node: str = COUNTY) -> AsyncGenerator[Desk]:
    """Run notify of a node on a migrated database, on a clock that tests set."""
    clock = SteadyClock()
    async with serving(define, "notify", url, files, node=node, clock=clock) as served:
        yield Desk(served, clock)
