"""One world: built from a seed, disturbed by a schedule, healed, run to rest, and checked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.bus import Bus
from tests.simulation.checker import Violation, check, lost, read
from tests.simulation.clerks import Clerks
from tests.simulation.doors import Mischief, wire
from tests.simulation.federation import NODES, SERVICES, Service, topic_counts
from tests.simulation.history import History
from tests.simulation.loop import SimulationLoop, Standstill, seeded
from tests.simulation.nemesis import HEALED_AT, Nemesis, Trouble, draw_schedule
from tests.simulation.observer import Observer
from tests.simulation.people import Services, seed_known
from tests.simulation.processes import Machine
from tests.simulation.worker import Worker

PATIENCE = 4000.0


@dataclass(frozen=True)
class Outcome:
    """What came of a world."""

    seed: int
    schedule: tuple[Trouble, ...]
    violations: tuple[Violation, ...]
    digest: str
    moments: int
    ended_at: float
    history: History


@dataclass
class World:
    """Everything of one world."""

    seed: int
    schedule: Sequence[Trouble]
    machine: Machine = field(init=False)
    bus: Bus = field(init=False)
    services: Services = field(init=False)
    observer: Observer = field(init=False)
    mischief: dict[str, Mischief] = field(default_factory=dict)
    stuck: str = ""

    def __post_init__(self) -> None:
        loop = SimulationLoop(seeded(self.seed, "loop"))
        self.machine = Machine(loop, History(loop.time), seeded(self.seed, "latency"))
        self.bus = Bus(self.machine, topic_counts())
        self.services = {
            (node, name): Service(self.machine, self.bus, node, name, self.seed)
            for node in NODES
            for name in SERVICES
        }
        self.observer = Observer(self.services)
        self.bus.observer = self.observer
        for service in self.services.values():
            service.observer = self.observer
            service.siblings = {name: self.services[(service.node, name)] for name in SERVICES}
            self.mischief[service.who] = Mischief()
            wire(service, self.mischief[service.who])
            self.observer.watch(service)
        seed_known(self.services)

    def run(self) -> Outcome:
        try:
            self.machine.loop.run(self._live())
        except Standstill:
            self.stuck = "every task waits for another one"
        violations = check(self)
        return Outcome(
            self.seed,
            tuple(self.schedule),
            tuple(violations),
            self.machine.history.digest(),
            len(self.machine.history.moments),
            self.machine.loop.time(),
            self.machine.history,
        )

    async def _live(self) -> None:
        rng = seeded(self.seed, "topology")
        for service in self.services.values():
            service.start_api()
            service.workers = [Worker(service) for _ in range(rng.choice((1, 1, 1, 2)))]
        nemesis = Nemesis(self)
        loop = self.machine.loop
        for trouble in self.schedule:
            loop.call_at(trouble.at, nemesis.strike, trouble)
        people = [loop.create_task(work) for work in self._people()]
        await asyncio.sleep(HEALED_AT - loop.time())
        nemesis.heal()
        self.machine.history.note("healed")
        await asyncio.gather(*people)
        await self._rest()
        self.machine.closing = True

    def _people(self) -> list[Any]:
        rng = seeded(self.seed, "people")
        clerks = Clerks(self.services, rng, until=HEALED_AT + 12.0)
        work = [clerks.share(number) for number in range(rng.randint(2, 4))]
        for number in range(rng.randint(1, 2)):
            node, to_node = rng.choice(NODES), rng.choice(NODES)
            work.append(clerks.write(f"case-{number}", node, to_node, rng.randint(2, 3)))
        work += [clerks.record(node) for node in NODES]
        return work

    async def _rest(self) -> None:
        """Wait until nothing is on its way any more."""
        deadline = self.machine.loop.time() + PATIENCE
        while True:
            left = self.unfinished()
            if not left:
                return
            if self.machine.loop.time() > deadline:
                self.stuck = "; ".join(left[:6])
                return
            await asyncio.sleep(1.0)

    def unfinished(self) -> list[str]:
        """Return what still waits somewhere, in words."""
        found = []
        for service in self.services.values():
            for name in ("outbox", "parked", "held_keys", "audit_pending"):
                count = len(service.database.tables[name].rows)
                if count:
                    found.append(f"{service.who}: {count} rows in {name}")
            positions = service.database.tables["consumer_positions"].rows
            for partition in self.bus.mine(service.workers[0].topics()[:1]):
                at = positions.get((partition.topic, partition.number), {"next": 0})["next"]
                if partition.records and at <= partition.records[-1].offset:
                    found.append(f"{service.who}: {partition.topic}/{partition.number} unread")
        if not found:
            # a bus that has forgotten its newest records leaves no trace but this
            found = [each.text for each in lost(read(self.machine.history.moments))]
        return found


def run_world(seed: int, schedule: Sequence[Trouble] | None = None) -> Outcome:
    """Run one world; ``schedule`` replaces the one that the seed gives."""
    return World(seed, draw_schedule(seed) if schedule is None else schedule).run()
