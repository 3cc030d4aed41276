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
        self.double_appends = 0
        self._news: list[asyncio.Future[None]] = []

    def reachable(self, node: str) -> bool:
        now = self.machine.loop.time()
        return now >= self.down_until and now >= self.cut.get(node, 0.0)

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
        home.records.append(record)
        self._tell()
        return record

    async def produce(
        self,
        process: Process,
        topic: str,
        partition: int,
        *,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
    ) -> BusRecord:
        """Append and acknowledge; raise ``BusUnavailableError`` when the answer does not come."""
        await process.step("publish.before", 0.004)
        if not self.reachable(process.node):
            raise BusUnavailableError(topic)
        record = self.append(topic, partition, key=key, value=value, headers=headers)
        if self.double_appends:
            self.double_appends -= 1
            record = self.append(topic, partition, key=key, value=value, headers=headers)
        if self.lose_acks:
            self.lose_acks -= 1
            raise BusUnavailableError(f"{topic}: no acknowledgement")
        await process.step("publish.after", 0.004)
        return record

    def lose(self, topic: str, partition: int, count: int) -> int:
        """Forget the newest records, as a broker without durability does; offsets go on."""
        home = self.partitions[(topic, partition)]
        lost = home.records[-count:] if count else []
        del home.records[len(home.records) - len(lost) :]
        return len(lost)

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
        self._tell()

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
        await self._wait_for_news(patience)
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

    async def _wait_for_news(self, patience: float) -> None:
        news = self.machine.loop.create_future()
        self._news.append(news)
        self.machine.loop.call_later(patience, _settle, news)
        await news

    def _tell(self) -> None:
        news, self._news = self._news, []
        for future in news:
            _settle(future)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
