"""What goes wrong in a world: a schedule drawn from the seed, each trouble on its own droppable."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.stream import partition_of
from contracts.topics import load_topics
from kernel.consuming import Hold
from tests.simulation.bus import BusRecord
from tests.simulation.federation import (
    NODES,
    SERVICES,
    Service,
    registry,
    without_key,
    without_type,
)
from tests.simulation.loop import seeded
from tests.simulation.worker import TROUBLES, Worker

HEALED_AT = 22.0
CRASH_LABELS = (
    "commit.before", "commit.after", "publish.before", "publish.after", "relay.save",
    "relay.finish", "emit", "consume.inbox", "consume.receipts", "consume.save_streams",
    "consume.save_positions", "door.in", "door.out", "seal.append", "audit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong at one moment; ``args`` name its victim and its size."""

    at: float
    kind: str
    args: tuple[Any, ...] = ()

    def line(self) -> str:
        return f"{self.at:6.2f} s  {self.kind} {' '.join(map(str, self.args))}"


def draw_schedule(seed: int) -> tuple[Trouble, ...]:
    """Return the troubles of a seed, by time."""
    rng = seeded(seed, "nemesis")
    kinds = sorted(_DRAWS)
    weights = [_DRAWS[kind][0] for kind in kinds]
    count = rng.randint(3, 22)
    found = []
    for kind in rng.choices(kinds, weights, k=count):
        at = round(rng.uniform(0.5, HEALED_AT - 3.0), 2)
        found.append(Trouble(at, kind, _DRAWS[kind][1](rng)))
    return tuple(sorted(found, key=lambda trouble: (trouble.at, trouble.kind, str(trouble.args))))


def _victim(rng: random.Random) -> tuple[str, str]:
    # the requester's and the source's service carry the story; the desks get their share
    return rng.choice(NODES), rng.choice((*SERVICES, "sharing"))


def _seconds(rng: random.Random, longest: float) -> float:
    return round(rng.uniform(0.1, 1.0) ** 2 * longest, 2)


Draw = Callable[[random.Random], tuple[Any, ...]]
_DRAWS: dict[str, tuple[int, Draw]] = {
    "crash": (8, lambda r: (*_victim(r), r.choice(("worker", "worker", "api")), _seconds(r, 8))),
    "crash_at": (12, lambda r: (*_victim(r), r.choice(CRASH_LABELS), r.randint(1, 3))),
    "pause": (6, lambda r: (*_victim(r), r.choice(("worker", "api")), _seconds(r, 14))),
    "database_down": (4, lambda r: (*_victim(r), _seconds(r, 8))),
    "slow_commits": (9, lambda r: (*_victim(r), r.randint(1, 6), _seconds(r, 4))),
    "failing_commit": (7, lambda r: (*_victim(r), r.choice(("full", "lost")), r.randint(1, 2))),
    "bus_down": (3, lambda r: (_seconds(r, 10),)),
    "cut_off": (4, lambda r: (r.choice(NODES), _seconds(r, 15))),
    "lost_acks": (6, lambda r: (r.randint(1, 4),)),
    "double_appends": (4, lambda r: (r.randint(1, 4),)),
    "lost_answers": (5, lambda r: (*_victim(r), r.randint(1, 3))),
    "rebalance": (4, _victim),
    "read_again": (4, lambda r: (*_victim(r), r.randint(1, 12))),
    "lost_records": (6, lambda r: (*_victim(r), r.randint(1, 3))),
    "half_open": (5, lambda r: (*_victim(r), r.randint(0, 3), _seconds(r, 12))),
    "clock": (4, lambda r: (*_victim(r), r.choice((-3600.0, -90.0, -2.0, 2.0, 300.0)))),
    "refuse": (12, lambda r: (*_victim(r), r.randint(1, 4), r.choice(_HOWS), r.randint(1, 3))),
    "replay": (4, _victim),
    "discard": (2, _victim),
    "repair": (3, _victim),
    "bad_release": (2, lambda r: (*_victim(r), _seconds(r, 12))),
    "unknown_key": (3, lambda r: (*_victim(r), r.choice(NODES), _seconds(r, 15))),
    "unknown_type": (3, lambda r: (*_victim(r), r.choice(_NEW_TYPES), _seconds(r, 15))),
    "blackout": (2, lambda r: (r.choice(NODES), _seconds(r, 10))),
    "copied_record": (4, lambda r: (*_victim(r), r.randint(0, 3), r.randint(1, 8))),
    "forged_record": (5, lambda r: (*_victim(r), r.randint(0, 3), r.choice(_FORGERIES))),
    "carried_event": (6, lambda r: (*_victim(r), r.randint(1, 10))),
}
_HOWS = ("poison", "bug", "constraint", "not_yet", "away")
_NEW_TYPES = (
    "yiwang.filing.completed.v1", "yiwang.sharing.request.replied.v1", "yiwang.receipt.stored.v1",
    "yiwang.sharing.request.dispatched.v1", "yiwang.clock.started.v1",
)  # fmt: skip
_FORGERIES = ("key", "topic", "value", "sequence", "partition")


class Nemesis:
    """Strikes a world."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._bus = world.bus
        self._loop = world.machine.loop
        self._healed = False

    def strike(self, trouble: Trouble) -> None:
        self._world.machine.history.note(f"! {trouble.kind}", args=trouble.args)
        getattr(self, f"_{trouble.kind}")(*trouble.args)

    def heal(self) -> None:
        """End all troubles; what operators have to repair by hand follows."""
        self._healed = True
        self._bus.down_until, self._bus.lose_acks, self._bus.double_appends = 0.0, 0, 0
        self._bus.cut.clear()
        self._bus.swallowed.clear()
        for service in self._world.services.values():
            service.lost_answers = 0
            service.database.slow_commits.clear()
            service.database.failing_commits.clear()
            self._world.mischief[service.who].repaired = True
            self._world.mischief[service.who].broken = False
            self._know_all(service)
            for worker in service.workers:
                worker.process.crash_at.clear()
            self._replay_all(service, again=True)

    def _service(self, node: str, name: str) -> Service:
        return self._world.services[(node, name)]  # type: ignore[no-any-return]

    def _workers(self, node: str, name: str) -> list[Worker]:
        return [w for w in self._service(node, name).workers if w.process.alive]

    # -- processes ----------------------------------------------------------------------------

    def _crash(self, node: str, name: str, role: str, downtime: float) -> None:
        service = self._service(node, name)
        if role == "api":
            service.api_downtime = downtime
            if service.api is not None:
                service.api.kill()
            return
        for worker in self._workers(node, name)[:1]:
            worker.downtime = downtime
            worker.process.kill()

    def _crash_at(self, node: str, name: str, label: str, nth: int) -> None:
        service = self._service(node, name)
        for process in [w.process for w in service.workers] + [service.api]:
            if process is not None:
                process.crash_at[label] = nth

    def _pause(self, node: str, name: str, role: str, seconds: float) -> None:
        service = self._service(node, name)
        found = [service.api] if role == "api" else [w.process for w in self._workers(node, name)]
        for process in found[:1]:
            if process is not None:
                process.pause(seconds)

    def _clock(self, node: str, name: str, skew: float) -> None:
        service = self._service(node, name)
        service.skew = skew
        for process in [w.process for w in service.workers] + [service.api]:
            if process is not None:
                process.skew = skew

    # -- databases ----------------------------------------------------------------------------

    def _database_down(self, node: str, name: str, seconds: float) -> None:
        self._service(node, name).database.crash(seconds)

    def _slow_commits(self, node: str, name: str, count: int, seconds: float) -> None:
        self._service(node, name).database.slow_commits.extend([seconds] * count)

    def _failing_commit(self, node: str, name: str, how: str, count: int) -> None:
        self._service(node, name).database.failing_commits.extend([how] * count)

    def _half_open(self, node: str, name: str, which: int, seconds: float) -> None:
        """The server drops the relay's lock; the client still believes that it holds it."""
        for worker in self._workers(node, name):
            relays = list(worker.relays.values())
            relay = relays[which % len(relays)].relay
            connection = relay.store._lock  # type: ignore[attr-defined]
            if relay.holds_lock and connection is not None and not connection.broken:
                connection.break_off()
                connection.unnoticed = True
                self._loop.call_later(seconds, setattr, connection, "unnoticed", False)

    # -- the bus ------------------------------------------------------------------------------

    def _bus_down(self, seconds: float) -> None:
        self._bus.down_until = self._loop.time() + seconds

    def _cut_off(self, node: str, seconds: float) -> None:
        self._bus.cut[node] = self._loop.time() + seconds

    def _lost_acks(self, count: int) -> None:
        self._bus.lose_acks += count

    def _double_appends(self, count: int) -> None:
        self._bus.double_appends += count

    def _lost_answers(self, node: str, name: str, count: int) -> None:
        self._service(node, name).lost_answers += count

    def _rebalance(self, node: str, name: str) -> None:
        self._bus.rebalance(self._service(node, name).who)

    def _read_again(self, node: str, name: str, count: int) -> None:
        group = self._bus.groups.get(self._service(node, name).who)
        for member in group.members if group else ():
            for key, position in member.assigned.items():
                if position is not None:
                    member.assigned[key] = max(0, position - count)

    def _partition(self, node: str, name: str, number: int) -> Any:
        topic = self._service(node, name).workers[0].topics()[0]
        return self._bus.partitions[(topic, number)]

    def _lost_records(self, node: str, name: str, count: int) -> None:
        topic = self._service(node, name).workers[0].topics()[0]
        self._bus.swallowed[topic] = self._bus.swallowed.get(topic, 0) + count

    def _copied_record(self, node: str, name: str, number: int, back: int) -> None:
        home = self._partition(node, name, number)
        if home.records:
            record: BusRecord = home.records[-min(back, len(home.records))]
            self._put(home.topic, home.number, record)

    def _put(self, topic: str, number: int, record: BusRecord, **changed: Any) -> BusRecord:
        given = {"key": record.key, "value": record.value, "headers": record.headers, **changed}
        return self._bus.append(topic, number, **given)  # type: ignore[no-any-return]

    def _forged_record(self, node: str, name: str, number: int, how: str) -> None:
        """Somebody who can write to a topic puts there what no node has signed for it."""
        home = self._partition(node, name, number)
        if not home.records:
            return
        record: BusRecord = home.records[-1]
        topic, place, changed = home.topic, home.number, {}
        if how == "key":
            changed = {"key": b"another-case"}
        elif how == "value":
            changed = {"value": record.value.replace(b'"', b'" ', 1)}
        elif how == "sequence":
            headers = [(n, b"7" if n == "ce_sequence" else v) for n, v in record.headers]
            changed = {"headers": tuple(headers)}
        elif how == "partition":
            place = (home.number + 1) % self._bus.counts[home.topic]
        else:
            nodes = [other for other in NODES if other != node]
            topic = self._service(nodes[number % 2], name).workers[0].topics()[0]
        if changed and record == self._bus.partitions[(topic, place)].records[-1]:
            same = all(getattr(record, key) == value for key, value in changed.items())
            if same:
                return
        forged = self._put(topic, place, record, **changed)
        self._world.observer.forged.add((forged.topic, forged.partition, forged.offset))

    # -- handlers and operators ---------------------------------------------------------------

    def _refuse(self, node: str, name: str, nth: int, how: str, times: int) -> None:
        self._world.mischief[self._service(node, name).who].plan(nth, how, times)

    def _bad_release(self, node: str, name: str, seconds: float) -> None:
        """A release whose handlers fail on everything, until the next one."""
        mischief = self._world.mischief[self._service(node, name).who]
        mischief.broken = True
        self._loop.call_later(seconds, setattr, mischief, "broken", False)

    def _unknown_key(self, node: str, name: str, of_node: str, seconds: float) -> None:
        """A service's registry does not name another node's key yet."""
        service = self._service(node, name)
        service.registry = without_key(of_node)
        self._reload(service)
        self._loop.call_later(seconds, self._know_all, service)

    def _unknown_type(self, node: str, name: str, event_type: str, seconds: float) -> None:
        """A service of an older release gets events of a type that it does not know."""
        service = self._service(node, name)
        service.topics = without_type(event_type)
        self._reload(service)
        self._loop.call_later(seconds, self._know_all, service)

    def _know_all(self, service: Service) -> None:
        if service.registry is not registry() or service.topics is not load_topics():
            service.registry, service.topics = registry(), load_topics()
            self._reload(service)

    def _reload(self, service: Service) -> None:
        """New registry and contracts are read at the start of a process."""
        for worker in service.workers:
            worker.downtime = 0.1
            worker.process.kill()

    def _blackout(self, node: str, seconds: float) -> None:
        for (place, _), service in self._world.services.items():
            if place == node:
                service.database.crash(seconds)
                service.api_downtime = seconds
                if service.api is not None:
                    service.api.kill()
                for worker in service.workers:
                    worker.downtime = seconds
                    worker.process.kill()

    def _repair(self, node: str, name: str) -> None:
        service = self._service(node, name)
        self._world.mischief[service.who].repaired = True
        self._replay_all(service, again=False)

    def _replay(self, node: str, name: str) -> None:
        self._replay_all(self._service(node, name), again=False)

    def _discard(self, node: str, name: str) -> None:
        self._replay_all(self._service(node, name), again=False, discard=True)

    def _replay_all(self, service: Service, *, again: bool, discard: bool = False) -> None:
        for worker in service.workers[:1]:
            work = self._operate(service, worker, again=again, discard=discard)
            self._loop.create_task(work, name=f"operator of {service.who}")

    async def _operate(
        self, service: Service, worker: Worker, *, again: bool, discard: bool
    ) -> None:
        """Replay every key that a dead letter holds; before healing once, after it until none."""
        while True:
            rows = service.database.rows("held_keys")
            dead = [row["held"].case for row in rows if row["held"].hold is Hold.DEAD]
            for case in dead:
                replay = worker.consumer.replay(case, discard_first=discard)
                worker.process.spawn(_quietly(replay), "operator")
                discard = False
            if not again or self._world.machine.closing:
                return
            await asyncio.sleep(5.0)

    # -- events by hand -----------------------------------------------------------------------

    def _carried_event(self, node: str, name: str, back: int) -> None:
        """An operator has an event sent again under a new number; it is the same event."""
        service = self._service(node, name)
        rows = [
            row
            for row in service.database.tables["sent_log"].rows.values()
            if not row["void"] and row["guard"] is None
        ]
        if rows and service.api is not None and service.api.alive:
            row = rows[-min(back, len(rows))]
            service.api.spawn(_quietly(self._carry(service, row)), "carry")

    async def _carry(self, service: Service, row: Any) -> None:
        assert service.api is not None
        numbers = ("epoch", "sequence", "previous_epoch", "previous_last", "entered_at", "void")
        fresh = {key: value for key, value in row.items() if key not in (*numbers, "id")}
        fresh["partition"] = partition_of(row["key"], self._bus.counts[row["topic"]])
        async with service.transaction(service.api) as tx:
            await tx.connection.statement("carry")
            await tx.insert_outbox({**fresh, "carried": True})


async def _quietly(work: Any) -> None:
    """What an operator's command raises is his to see, not the world's end."""
    try:
        await work
    except TROUBLES:
        return
