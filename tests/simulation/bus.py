"""An in-memory broker: partitions, consumer groups with eviction, and every way to misbehave.

It keeps Kafka's promises only: order within a partition of what was appended, at least once.
An acknowledgement may get lost after the append, a record may be delivered again, a partition may
lose records that it had acknowledged (a broker without durability), and a member that was paused
for too long finds its partitions given to another one while it still works on them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel.relaying import Message
from tests.simulation.processes import Machine, Process


class BusUnavailableError(Exception):
    """No broker answers, or not in time; what was sent may still have been appended."""


@dataclass(frozen=True, slots=True)
class BusRecord:
    """A record as it lies in a partition."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp: datetime


@dataclass
class Partition:
    topic: str
    number: int
    records: list[BusRecord] = field(default_factory=list)
    next_offset: int = 0


@dataclass(eq=False)
class Member:
    """One consumer of a group; ``positions`` are its own, the group keeps none."""

    group: "Group"
    process: Process
    assigned: dict[tuple[str, int], int | None] = field(default_factory=dict)
    seen: float = 0.0
    evicted: bool = False


@dataclass
class Group:
    name: str
    topics: tuple[str, ...]
    members: list[Member] = field(default_factory=list)


class Bus:
    """The broker of the federation."""

    def __init__(
        self, machine: Machine, partitions: dict[str, int], *, session: float = 6.0
    ) -> None:
        self.machine = machine
        self.partitions = {
            (topic, number): Partition(topic, number)
            for topic, count in partitions.items()
            for number in range(count)
        }
        self.counts = partitions
        self.groups: dict[str, Group] = {}
        self.session = session
        self.down_until = 0.0
        self.cut: dict[str, float] = {}
        self.lose_acks = 0
        self.swallowed: dict[str, int] = {}
        self.double_appends = 0
        self.observer: Any = None
        self._news: dict[str, list[asyncio.Future[None]]] = {}

    def reachable(self, node: str) -> bool:
        now = self.machine.loop.time()
        return now >= self.down_until and now >= self.cut.get(node, 0.0)

    def mine(self, topics: Sequence[str]) -> list[Partition]:
        return [home for (topic, _), home in self.partitions.items() if topic in topics]

    def end(self, topic: str, partition: int = 0) -> int:
        return self.partitions[(topic, partition)].next_offset

    # -- producing ----------------------------------------------------------------------------

    def append(
        self,
        topic: str,
        partition: int,
        *,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
    ) -> BusRecord:
        home = self.partitions[(topic, partition)]
        record = BusRecord(
            topic, partition, home.next_offset, key, value, tuple(headers), self.machine.instant()
        )
        home.next_offset += 1
        if self.swallowed.get(topic):
            # acknowledged and forgotten, as a broker without durability may
            self.swallowed[topic] -= 1
            return record
        home.records.append(record)
        if self.observer is not None:
            self.observer.appended(record)
        self._tell((topic,))
        return record

    def take(self, node: str, messages: Sequence[Message]) -> datetime:
        """Append one partition's batch and acknowledge it.

        Raises ``BusUnavailableError`` when nobody answers; the batch may lie there all the same.
        """
        if not self.reachable(node):
            raise BusUnavailableError(node)
        for _ in range(2 if self._spend("double_appends") else 1):
            for message in messages:
                self.append(
                    message.topic,
                    message.partition,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                )
        if self._spend("lose_acks"):
            raise BusUnavailableError("no acknowledgement")
        return self.machine.instant()

    def _spend(self, fault: str) -> bool:
        left = getattr(self, fault)
        if left:
            setattr(self, fault, left - 1)
        return bool(left)

    # -- consuming ----------------------------------------------------------------------------

    def join(self, group: str, topics: Sequence[str], process: Process) -> Member:
        home = self.groups.setdefault(group, Group(group, tuple(topics)))
        member = Member(home, process, seen=self.machine.loop.time())
        home.members.append(member)
        self._rebalance(home)
        return member

    def leave(self, member: Member) -> None:
        if member in member.group.members:
            member.group.members.remove(member)
            self._rebalance(member.group)

    def rebalance(self, group: str) -> None:
        """Deal the partitions out anew, beginning with another member."""
        home = self.groups.get(group)
        if home is not None and home.members:
            home.members.append(home.members.pop(0))
            self._rebalance(home)

    def _rebalance(self, group: Group) -> None:
        everything = [key for key in self.partitions if key[0] in group.topics]
        for place, member in enumerate(group.members):
            mine = everything[place :: len(group.members)]
            member.assigned = dict.fromkeys(mine)
        self._tell(group.topics)

    def _evict(self, group: Group) -> None:
        limit = self.machine.loop.time() - self.session
        late = [member for member in group.members if member.seen < limit]
        for member in late:
            member.evicted = True
            member.assigned = {}
            group.members.remove(member)
        if late:
            self._rebalance(group)

    async def poll(self, member: Member, limit: int, patience: float) -> list[BusRecord]:
        """Return records from the member's positions; empty after ``patience`` virtual seconds.

        Raises ``BusUnavailableError`` when the broker is away or has given the member's place away.
        """
        await member.process.step("poll", 0.002)
        self._evict(member.group)
        if member.evicted or not self.reachable(member.process.node):
            raise BusUnavailableError(member.group.name)
        member.seen = self.machine.loop.time()
        found = self._fetch(member, limit)
        if found:
            return found
        await self._wait_for_news(member.group.topics, patience)
        await member.process.step("poll", 0.002)
        if member.evicted:
            raise BusUnavailableError(member.group.name)
        member.seen = self.machine.loop.time()
        return self._fetch(member, limit)

    def _fetch(self, member: Member, limit: int) -> list[BusRecord]:
        found: list[BusRecord] = []
        for key, position in member.assigned.items():
            if position is None:
                continue
            for record in reversed(self.partitions[key].records):
                if record.offset < position:
                    break
                found.append(record)
        found.sort(key=lambda record: (record.topic, record.partition, record.offset))
        return found[:limit]

    async def _wait_for_news(self, topics: Sequence[str], patience: float) -> None:
        news = self.machine.loop.create_future()
        for topic in topics:
            self._news.setdefault(topic, []).append(news)
        timer = self.machine.loop.call_later(patience, _settle, news)
        await news
        timer.cancel()

    def _tell(self, topics: Sequence[str]) -> None:
        for topic in topics:
            for future in self._news.pop(topic, ()):
                _settle(future)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
