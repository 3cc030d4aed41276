"""Two nodes' sharing services over HTTP, and a carrier that takes events from outbox to handlers.

The carrier stands in for relay, bus and consumer, which have their own tests: one transaction an
event, receipts where the type asks for one.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete, select

from contracts.events.bus import Receipt
from contracts.topics import event_spec, parse_topic
from kernel.bus_tables import outbox
from kernel.ports import ReceivedEvent
from sharing.bootstrap import define
from sharing.instants import to_text
from sharing.known import repository as known
from tests.support.http import Caller, ServedNode, SteadyClock, serving
from tests.support.sharing_world import CITY, HAIFENG, LUFENG, agency, entry

ENTRY_ID = entry().entry_id


@dataclass
class Pair:
    """The nodes by code; ``desk`` keeps what went to filing desks, ``mail`` what to catalogues."""

    nodes: dict[str, ServedNode]
    clock: SteadyClock
    desk: list[tuple[str, ReceivedEvent]] = field(default_factory=list)
    mail: list[ReceivedEvent] = field(default_factory=list)

    def __getitem__(self, code: str) -> ServedNode:
        return self.nodes[code]

    def caller(self, code: str, *roles: str, org_id: str = "", **more: Any) -> Caller:
        return self.nodes[code].caller(*roles, organisation=org_id or f"{code}-a", **more)

    async def know(self, *states: Any, at: tuple[str, ...] = ()) -> None:
        """Make entries and agencies known, as their broadcasts would."""
        for code in at or tuple(self.nodes):
            node = self.nodes[code]
            for state in states:
                event = "entry.published" if hasattr(state, "entry_id") else "agency.announced"
                await self.apply(code, f"yiwang.catalog.{event}.v1", state, source=state.node)
            assert node.runtime.node == code

    async def apply(
        self, code: str, event_type: str, payload: Any, *, source: str, **more: Any
    ) -> ReceivedEvent:
        """Run a node's handlers of an event in one transaction."""
        now = to_text(self.clock.now())
        given: dict[str, Any] = {
            "id": str(self.nodes[code].runtime.ids.uuid7()),
            "source": f"/nodes/{source}/sharing",
            "source_node": source,
            "type": event_type,
            "subject": "",
            "time": now,
            "topic": f"sharing.{code}.v1",
            "key": "",
            "case_version": 1,
            "payload": payload,
            "entered_at": to_text(self.clock.now() - timedelta(seconds=1)),
            "received_at": now,
        }
        event = ReceivedEvent(**{**given, **more})
        node = self.nodes[code]
        async with node.runtime.database.transaction() as tx:
            for handler in node.definition.handlers.of(event_type):
                await handler(tx, event)
        return event

    async def carry(self) -> None:
        """Pass events until no outbox holds one."""
        moved = True
        while moved:
            moved = False
            for code in self.nodes:
                for row in await self._taken(code):
                    moved = True
                    await self._pass(code, row)

    async def _taken(self, code: str) -> list[Any]:
        async with self.nodes[code].runtime.database.transaction() as tx:
            rows = list(await tx.connection.execute(select(outbox).order_by(outbox.c.id)))
            await tx.connection.execute(delete(outbox))
        return rows

    async def _pass(self, source: str, row: Any) -> None:
        family, destination, _ = parse_topic(row.topic)
        spec = event_spec(row.type)
        payload = spec.model.model_validate(orjson.loads(row.payload))
        about = {
            "id": str(row.event_id),
            "subject": row.subject,
            "key": row.key,
            "topic": row.topic,
        }
        receiver = "sharing"
        if family == "sharing" and destination in self.nodes:
            event = await self.apply(destination, row.type, payload, source=source, **about)
        else:
            receiver = "notify"
            now = to_text(self.clock.now())
            event = ReceivedEvent(
                source=f"/nodes/{source}/sharing",
                source_node=source,
                type=row.type,
                time=row.time,
                case_version=row.case_version,
                payload=payload,
                entered_at=now,
                received_at=now,
                **about,
            )
            (self.mail if family == "catalog-mail" else self.desk_of(destination)).append(event)
        if spec.receipt:
            await self._receipt(destination or "", source, event, receiver)

    def desk_of(self, node: str | None) -> Any:
        class _Desk:
            def append(_self, event: ReceivedEvent) -> None:  # noqa: N805
                self.desk.append((node or "", event))

        return _Desk()

    async def _receipt(
        self, receiver: str, sender: str, event: ReceivedEvent, service: str
    ) -> None:
        receipt = Receipt(
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
        await self.apply(
            sender, "yiwang.receipt.stored.v1", receipt, source=receiver, key=event.key
        )

    def desk_events(self, event_type: str, node: str | None = None) -> list[Any]:
        """Payloads of a type that went to a desk."""
        return [
            event.payload
            for desk, event in self.desk
            if event.type == event_type and node in (None, desk)
        ]


@asynccontextmanager
async def two_nodes(postgres_url: Any, files: Any, **settings: Any) -> AsyncGenerator[Pair]:
    """Haifeng asks, Lufeng provides; a clock that stands still."""
    clock = SteadyClock()
    urls = {code: postgres_url("sharing") for code in (HAIFENG, LUFENG)}
    async with (
        serving(
            define, "sharing", urls[HAIFENG], files, node=HAIFENG, clock=clock, **settings
        ) as first,
        serving(
            define, "sharing", urls[LUFENG], files, node=LUFENG, clock=clock, **settings
        ) as second,
    ):
        pair = Pair({HAIFENG: first, LUFENG: second}, clock)
        await pair.know(agency(HAIFENG), agency(LUFENG), agency(CITY))
        yield pair


def submission(**more: Any) -> dict[str, Any]:
    """The body of a complete submission."""
    from tests.support.sharing_world import command  # noqa: PLC0415

    return {**command().model_dump(mode="json"), **more}


async def stored_entry(pair: Pair, code: str) -> Any:
    async with pair[code].runtime.database.transaction(read_only=True) as tx:
        return await known.entry(tx.connection, ENTRY_ID)
