"""Nodes with keys, and sources whose records are made by the relay's own code."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.events.base import Payload
from contracts.events.catalog import AgencyState
from contracts.events.sharing import RequestConfirmed, RequestWithdrawn
from contracts.topics import topic_name
from kernel.consuming import Record
from kernel.ids import Uuid7Source
from kernel.outbox import outbox_values, source_of
from kernel.ports import OutgoingEvent
from kernel.registry import Registry
from kernel.relay import Counter, OutboxRow, assign_numbers, next_epoch, to_messages
from kernel.signing import BatchSigner, NodeKey

CITY, HAIFENG, LUFENG = "441500", "441521", "441581"
START = datetime(2026, 2, 13, 8, 30, tzinfo=UTC)
ENTERED = "2026-02-13T08:30:01.000000Z"
RECEIVED = "2026-02-13T08:30:02.000000Z"


@dataclass
class TestClock:
    """A clock that stands until it is moved."""

    __test__ = False

    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        self.instant += timedelta(**by)


@dataclass
class Keys:
    """Three nodes, each with one signing key, and the registry that names them."""

    keys: dict[str, NodeKey] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in (CITY, HAIFENG, LUFENG):
            self.keys.setdefault(node, NodeKey.generate(f"{node}-1"))

    def registry(self, *, without: Sequence[str] = ()) -> Registry:
        nodes = [
            {
                "node": node,
                "level": "city" if node == CITY else "county",
                "parent": None if node == CITY else CITY,
                "regions": [node],
                "keys": []
                if node in without
                else [
                    {
                        "id": key.id,
                        "algorithm": "Ed25519",
                        "public": key.public(),
                        "state": self.states.get(node, "active"),
                    }
                ],
            }
            for node, key in self.keys.items()
        ]
        return Registry.model_validate({"city": CITY, "nodes": nodes})


@dataclass
class Source:
    """A sending service: numbers, signs and hands out records."""

    keys: Keys
    node: str = HAIFENG
    service: str = "sharing"
    clock: TestClock = field(default_factory=TestClock)
    signing: str = ""
    epoch: str = ""
    counters: dict[tuple[str, int], Counter] = field(default_factory=dict)
    versions: int = 0
    offsets: int = 0

    def __post_init__(self) -> None:
        self.ids = Uuid7Source(self.clock)
        self.new_epoch()

    def new_epoch(self) -> None:
        self.epoch = next_epoch(self.ids.uuid7(), self.epoch)

    def row(self, event: OutgoingEvent, *, event_id: str = "") -> OutboxRow:
        """Number an event as the relay does."""
        values = outbox_values(
            event,
            node=self.node,
            service=self.service,
            event_id=UUID(event_id) if event_id else self.ids.uuid7(),
            now=self.clock.now(),
        )[0]
        names = "topic partition key type subject time dataschema case_version payload traceparent"
        row = OutboxRow(
            id=self.versions,
            event_id=str(values["event_id"]),
            **{name: values[name] for name in names.split()},
        )
        stream = (row.topic, row.partition)
        counters = {stream: self.counters.get(stream, Counter(*stream))}
        numbered, after, _ = assign_numbers([row], counters, self.epoch)
        self.counters[stream] = after[0]
        return numbered[0]

    def seal(self, *rows: OutboxRow, signing: str = "") -> list[Record]:
        """Sign rows as one batch."""
        key = self.keys.keys[signing or self.signing or self.node]
        records = []
        for message in to_messages(rows, source_of(self.node, self.service), BatchSigner(key)):
            records.append(
                Record(
                    message.topic,
                    message.partition,
                    self.offsets,
                    message.key,
                    message.headers,
                    message.value,
                    ENTERED,
                )
            )
            self.offsets += 1
        return records

    def event(self, payload: Payload | None = None, **changed: Any) -> OutgoingEvent:
        """A confirmation of a request (no receipt) to Lufeng's sharing service, unless changed."""
        self.versions += 1
        key = changed.pop("key", None) or str(self.ids.uuid7())
        event = OutgoingEvent(
            type="yiwang.sharing.request.confirmed.v1",
            topic=topic_name("sharing", LUFENG),
            key=key,
            case_version=self.versions,
            subject=key,
            payload=payload or confirmed(key),
            destination=LUFENG,
        )
        return replace(event, **changed)

    def send(self, payload: Payload | None = None, **changed: Any) -> Record:
        """One event as one record."""
        return self.seal(self.row(self.event(payload, **changed)))[0]

    def send_withdrawal(self, key: str, **changed: Any) -> Record:
        """An event whose type asks for a receipt."""
        return self.send(
            RequestWithdrawn(
                request_id=key, withdrawn_by="u-1", withdrawn_at="2026-02-13T08:30:00Z", reason=""
            ),
            key=key,
            type="yiwang.sharing.request.withdrawn.v1",
            **changed,
        )


def confirmed(key: str, by: str = "u-1") -> RequestConfirmed:
    return RequestConfirmed(
        request_id=key, grant_id=key, confirmed_by=by, confirmed_at="2026-02-13T08:30:00Z"
    )


def agency(org_id: str, node: str, *, version: int = 1, state: str = "active") -> AgencyState:
    return AgencyState(
        org_id=org_id,
        node=node,
        region_code=node,
        name=f"机构 {org_id}",
        kind="administrative",
        level="county",
        state=state,  # type: ignore[arg-type]
        record_version=version,
    )


def agency_record(source: Source, state: AgencyState) -> Record:
    """An agency's broadcast by ``source`` (a catalog service)."""
    return source.send(
        state,
        key=state.org_id,
        type="yiwang.catalog.agency.announced.v1",
        topic=topic_name("agencies", source.node),
        destination="*",
    )
