"""Watches what leaves and what commits while a world runs, for rules that the end cannot show.

A number names one event for ever; a receipt leaves only after the event is stored; nothing is
acknowledged before it is; what depends on a grant is not published after a check that found, or
should have found, its end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.envelope import VOID_TYPE
from contracts.stream import StreamKey
from contracts.topics import parse_topic
from kernel.consuming import Waiting
from kernel.handlers import RECEIPT_TYPE
from tests.simulation.bus import BusRecord
from tests.simulation.db import Connection, Row
from tests.simulation.federation import MAILBOXES, Service

FAMILIES = {family: name for name, family in MAILBOXES.items()}
DELIVERED_TYPE = "yiwang.sharing.request.delivered.v1"
CLOCK_TYPES = ("yiwang.clock.started.v1", "yiwang.clock.ended.v1")


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a record says of itself."""

    stream: StreamKey
    epoch: str
    sequence: int
    event: str
    type: str

    @property
    def place(self) -> tuple[StreamKey, str, int]:
        return self.stream, self.epoch, self.sequence


def read_record(
    topic: str, partition: int, headers: Iterable[tuple[str, bytes]]
) -> Numbered | None:
    """Read a record's headers without trusting them; ``None`` when they are not numbered."""
    found = {name: content.decode() for name, content in headers}
    if not found.get("ce_epoch"):
        return None
    return Numbered(
        StreamKey(found["ce_source"], topic, partition),
        found["ce_epoch"],
        int(found["ce_sequence"]),
        found["ce_id"],
        found["ce_type"],
    )


@dataclass
class Observer:
    """The watcher of one world; findings go into the history as ``found``."""

    services: dict[tuple[str, str], Service]
    numbers: dict[tuple[StreamKey, str, int], str] = field(default_factory=dict)
    grants_ended: dict[str, float] = field(default_factory=dict)
    guards_asked: dict[tuple[str, str], float] = field(default_factory=dict)
    forged: set[tuple[str, int, int]] = field(default_factory=set)
    read: dict[tuple[str, int, int], Numbered] = field(default_factory=dict)

    @property
    def history(self) -> Any:
        return next(iter(self.services.values())).machine.history

    @property
    def now(self) -> float:
        return next(iter(self.services.values())).machine.loop.time()

    def found(self, rule: str, text: str) -> None:
        self.history.note("found", rule=rule, text=text)

    def receiver(self, topic: str) -> Service:
        family, node, _ = parse_topic(topic)
        assert node is not None
        return self.services[(node, FAMILIES[family])]

    # -- publishing ---------------------------------------------------------------------------

    def appended(self, record: BusRecord) -> None:
        """The bus took a record, whoever sent it."""
        numbered = read_record(record.topic, record.partition, record.headers)
        if numbered is not None:
            self.read[(record.topic, record.partition, record.offset)] = numbered

    def published(self, process: str, messages: Sequence[Any]) -> None:
        """A relay hands a batch to the bus or to a door."""
        for message in messages:
            numbered = read_record(message.topic, message.partition, message.headers)
            if numbered is None:
                continue
            name = "" if numbered.type == VOID_TYPE else numbered.event
            if not name:
                self.history.note("void", event=numbered.event)
            before = self.numbers.get(numbered.place, "")
            if before and name and before != name:
                self.found("number_reused", f"{numbered.place} is {before} and {name}")
            self.numbers[numbered.place] = name or before
            if numbered.type == RECEIPT_TYPE:
                self._receipt(numbered, message.value)
            elif numbered.type == DELIVERED_TYPE:
                self._dependent(process, message.value)

    def _receipt(self, numbered: Numbered, value: bytes) -> None:
        _, _, node, name = numbered.stream.source.split("/")
        event_id = orjson.loads(value)["event_id"]
        evidence = self.services[(node, name)].database.tables["evidence"].rows
        if not any(event == event_id for _, event in evidence):
            self.found("receipt_before_store", f"{node}/{name} has not stored {event_id}")

    def _dependent(self, process: str, value: bytes) -> None:
        grant = orjson.loads(value)["grant_id"]
        ended = self.grants_ended.get(grant)
        asked = self.guards_asked.get((process, grant))
        if ended is not None and asked is not None and ended < asked:
            self.found("published_after_end", f"grant {grant} ended at {ended}, asked at {asked}")

    def guard_asked(self, process: str, grant: str) -> None:
        self.guards_asked[(process, grant)] = self.now

    # -- committing ---------------------------------------------------------------------------

    def watch(self, service: Service) -> None:
        def committed(connection: Connection, changes: list[tuple[str, Any, Row | None]]) -> None:
            for table, key, row in changes:
                if row is not None and table in _WATCHED:
                    _WATCHED[table](self, service, key, row)
            if any(table == "outbox" and row is not None for table, _, row in changes):
                service.wake()

        service.database.on_commit.append(committed)

    def _outbox(self, service: Service, _key: Any, row: Row) -> None:
        if row.get("carried"):
            self.history.note("carried", by=service.who, event=str(row["event_id"]))
            return
        clock = orjson.loads(row["payload"])["clock_id"] if row["type"] in CLOCK_TYPES else ""
        self.history.note(
            "emitted",
            by=service.who,
            source=service.source,
            event=str(row["event_id"]),
            type=row["type"],
            to=self.receiver(row["topic"]).who,
            topic=row["topic"],
            key=row["key"],
            space=row["case_space"],
            version=row["case_version"],
            number=row["id"],
            clock=clock,
        )

    def _sent(self, service: Service, _key: Any, row: Row) -> None:
        stream = StreamKey(service.source, row["topic"], row["partition"])
        place = (stream, row["epoch"], row["sequence"])
        self.history.note("sent", by=service.who, event=str(row["event_id"]), void=row["void"])
        if row["transport"] == "kafka":
            settled = place in self.numbers
        else:
            event = str(row["event_id"])
            settled = self.settled(self.receiver(row["topic"]), place, event)
        if not settled:
            self.found("acknowledged_before_stored", f"{service.who} moved {place} to the sent log")

    def _position(self, service: Service, key: Any, row: Row) -> None:
        topic, partition = key
        for offset in range(row.get("from", 0), row["next"]):
            numbered = self.read.get((topic, partition, offset))
            if numbered is None or (topic, partition, offset) in self.forged:
                continue
            if not self.settled(service, numbered.place, numbered.event):
                where = f"{topic}/{partition}@{offset}"
                self.found("acknowledged_before_stored", f"{service.who} passed {where}")

    def _grant(self, service: Service, _key: Any, row: Row) -> None:
        grant = row["value"]
        if grant.side == "issued" and grant.end_reason and grant.grant_id not in self.grants_ended:
            self.grants_ended[grant.grant_id] = self.now
            self.history.note("grant_ended", by=service.who, grant=grant.grant_id)

    def settled(self, service: Service, place: tuple[StreamKey, str, int], event: str) -> bool:
        """Tell whether a receiver has durably dealt with a number: applied, parked, or waiting."""
        stream, epoch, sequence = place
        tables = service.database.tables
        row = tables["consumer_streams"].rows.get(tuple(stream))
        state = row["row"].state if row else None
        if state is not None:
            if state.epoch == epoch and state.watermark >= sequence:
                return True
            if any(epoch == known for known, _ in state.past):
                return True
        gap = (Waiting.GAP.value, (*stream, epoch, sequence))
        trust = (Waiting.TRUST.value, (stream.source, event))
        return any((0, mark) in tables["parked"].taken for mark in (gap, trust))


_WATCHED: dict[str, Any] = {
    "outbox": Observer._outbox,
    "sent_log": Observer._sent,
    "consumer_positions": Observer._position,
    "grants": Observer._grant,
}
