"""A city and two counties: three services a node, each with a database and processes of its own."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from contracts.calendar import packaged_calendar
from contracts.regions import load_regions
from contracts.rules import load_rule_sets
from contracts.topics import TopicCatalogue, load_topics, topic_name
from kernel.handlers import Handlers
from kernel.outbox import source_of
from kernel.registry import Registry
from kernel.relaying import Message
from kernel.signing import SUITES, NodeKey
from sharing.context import NodeContext
from tests.simulation.bus import Bus
from tests.simulation.db import Database
from tests.simulation.handed import WorldTransaction
from tests.simulation.loop import seeded
from tests.simulation.processes import Machine, Process, SeededIds
from tests.simulation.sending import transaction
from tests.simulation.tables import tables

CITY = "441500"
NODES = (CITY, "441521", "441581")
SERVICES = ("sharing", "notify", "catalog")
MAILBOXES = {"sharing": "sharing", "notify": "filings", "catalog": "catalog-mail"}


@cache
def node_key(node: str) -> NodeKey:
    """The node's signing key: always the same one, because worlds must repeat."""
    return NodeKey(f"{node}-1", SUITES["Ed25519"], node.encode().rjust(32, b"\0"))


@cache
def registry() -> Registry:
    """Return the registry that all worlds share."""
    nodes = [
        {
            "node": node,
            "level": "city" if node == CITY else "county",
            "parent": None if node == CITY else CITY,
            "keys": [{"id": node_key(node).id, "public": node_key(node).public()}],
        }
        for node in NODES
    ]
    return Registry.model_validate({"city": CITY, "nodes": nodes})


@cache
def without_key(node: str) -> Registry:
    """Return the registry as it was before a node's key was in it."""
    nodes = [
        record.model_copy(update={"keys": ()}) if record.node == node else record
        for record in registry().nodes
    ]
    return Registry(city=CITY, nodes=tuple(nodes))


@cache
def without_type(event_type: str) -> TopicCatalogue:
    """Return the contracts as they were before an event type was added."""
    catalogue = load_topics()
    topics = {
        name: spec.model_copy(
            update={"events": tuple(each for each in spec.events if each.type != event_type)}
        )
        for name, spec in catalogue.topics.items()
    }
    types = {name: spec for name, spec in catalogue.types.items() if name != event_type}
    return catalogue.model_copy(update={"topics": topics, "types": types})


def topic_counts() -> dict[str, int]:
    """Return every mailbox and control topic with its partitions."""
    catalogue = load_topics()
    families = [*MAILBOXES.values(), "control"]
    return {
        topic_name(family, node): catalogue.topic(family).partitions
        for family in families
        for node in NODES
    }


class OutOfReachError(Exception):
    """The command's answer never came: the process was away or died on the way."""


@dataclass(eq=False)
class Service:
    """One service of one node."""

    machine: Machine
    bus: Bus
    node: str
    name: str
    seed: int | str
    handlers: Handlers = field(default_factory=Handlers)
    workers: list[Any] = field(default_factory=list)
    siblings: dict[str, "Service"] = field(default_factory=dict)
    api: Process | None = None
    observer: Any = None
    api_downtime: float = 1.0
    lost_answers: int = 0
    skew: float = 0.0
    registry: Registry = field(default_factory=registry)
    topics: TopicCatalogue = field(default_factory=load_topics)
    incarnations: int = 0

    def __post_init__(self) -> None:
        self.database = Database(self.machine, f"{self.node}/{self.name}", tables())
        self.source = source_of(self.node, self.name)
        self.rng: random.Random = seeded(self.seed, f"service/{self.node}/{self.name}")

    @property
    def who(self) -> str:
        return f"{self.node}/{self.name}"

    def new_process(self, role: str) -> Process:
        """Start an operating-system process; its connections are noticed dead a little later."""
        self.incarnations += 1
        process = Process(
            self.machine, f"{self.who}/{role}{self.incarnations}", self.node, skew=self.skew
        )
        loop = self.machine.loop

        def died() -> None:
            delay = self.machine.latency(0.05)
            loop.call_later(delay, self.database.drop_process, process)

        process.on_death.append(died)
        process.ids = SeededIds(process, seeded(self.seed, f"ids/{process.name}"))
        return process

    def start_api(self) -> None:
        """Start the process that answers HTTP; a supervisor starts it again after each death."""
        if self.machine.closing:
            return
        self.api = self.new_process("api")
        self.api.on_death.append(
            lambda: self.machine.loop.call_later(self.api_downtime, self.start_api) and None
        )

    # -- commands -----------------------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self, process: Process) -> AsyncGenerator[WorldTransaction]:
        """The edge of a route: one transaction, committed when the block ends well."""
        async with transaction(self.database, process) as connection:
            tx = WorldTransaction(
                connection, node=self.node, service=self.name, clock=process, ids=process.ids
            )
            yield tx
            await tx.flush()

    async def command(
        self,
        label: str,
        work: Callable[[WorldTransaction, NodeContext], Awaitable[Any]],
        *,
        patience: float = 8.0,
    ) -> Any:
        """Run a command in the API process as a route does; raises what it raises.

        ``OutOfReachError`` when the process is away: the command may have been carried out.
        """
        process = self.api
        if process is None or not process.alive:
            raise OutOfReachError(label)

        async def route() -> tuple[Any]:
            async with self.transaction(process) as tx:
                result = await work(tx, self.context(process, tx))
            return (result,)

        task = process.spawn(route(), label)
        done, _ = await asyncio.wait([task], timeout=patience)
        if not done or task.cancelled():
            raise OutOfReachError(label)
        answer = task.result()
        if answer is None:
            raise OutOfReachError(label)
        return answer[0]

    def context(self, process: Process, tx: WorldTransaction) -> NodeContext:
        return NodeContext(
            node=self.node,
            clock=process,
            ids=tx.ids,
            rulebook=_rulebook(),
            calendar=packaged_calendar(),
            regions=load_regions(),
            delivery_url=f"https://{self.node}.example",
        )

    # -- waking the relay ---------------------------------------------------------------------

    def wake(self) -> None:
        for worker in self.workers:
            if worker.process.alive:
                worker.wake()

    # -- the internal door --------------------------------------------------------------------

    def door(self, messages: Sequence[Message]) -> "asyncio.Task[Any] | None":
        """Take a batch of a sibling's relay; ``None`` when no process listens."""
        listening = [worker for worker in self.workers if worker.process.alive]
        if not listening:
            return None
        worker = listening[self.rng.randrange(len(listening))]
        return worker.take(messages)  # type: ignore[no-any-return]


@cache
def _rulebook() -> Any:
    return load_rule_sets()
