"""The tools themselves: a checker that stands on a wrong loop or store proves nothing."""

import asyncio

import pytest

from kernel.relay import Message
from tests.simulation.bus import Bus, BusUnavailableError
from tests.simulation.db import (
    Database,
    DeadlockDetectedError,
    DiskFullError,
    Table,
    UniqueViolationError,
)
from tests.simulation.history import History
from tests.simulation.loop import OutsideWorld, SimulationLoop, Standstill, seeded
from tests.simulation.processes import Killed, Machine, Process


def machine_of(seed: int) -> Machine:
    loop = SimulationLoop(seeded(seed, "loop"))
    return Machine(loop, History(loop.time), seeded(seed, "latency"))


def orders(machine: Machine) -> Database:
    tables = (Table("orders"), Table("names", uniques=(lambda row: row["name"],)))
    return Database(machine, "test", tables)


def client(machine: Machine, name: str = "client") -> Process:
    return Process(machine, name, "441500")


def test_a_seed_gives_the_same_order_of_callbacks_every_time() -> None:
    def run(seed: int) -> list[int]:
        seen: list[int] = []
        loop = SimulationLoop(seeded(seed, "loop"))

        async def worker(number: int) -> None:
            for _ in range(5):
                await asyncio.sleep(1)
                seen.append(number)

        async def main() -> None:
            await asyncio.gather(*(worker(number) for number in range(4)))

        loop.run(main())
        return seen

    assert run(1) == run(1)
    assert len({tuple(run(seed)) for seed in range(20)}) > 10


def test_time_jumps_to_the_next_timer() -> None:
    loop = SimulationLoop(seeded(0, "loop"))

    async def main() -> float:
        await asyncio.sleep(86_400 * 365)
        return loop.time()

    assert loop.run(main()) == 86_400 * 365


def test_a_world_in_which_everybody_waits_is_reported() -> None:
    loop = SimulationLoop(seeded(0, "loop"))

    async def main() -> None:
        await loop.create_future()

    with pytest.raises(Standstill):
        loop.run(main())


def test_a_thread_cannot_be_used_under_simulation() -> None:
    loop = SimulationLoop(seeded(0, "loop"))

    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(OutsideWorld):
        loop.run(main())


def test_the_second_writer_of_a_row_sees_what_the_first_committed() -> None:
    machine = machine_of(1)
    database = orders(machine)
    seen: list[int] = []

    async def add(name: str) -> None:
        process = client(machine, name)
        for _ in range(5):
            connection = database.connect(process)
            await connection.statement("lock")
            row = await connection.lock("orders", 1)
            assert row is not None
            await connection.statement("update")
            await connection.write("orders", 1, {"n": row["n"] + 1})
            await connection.commit()
            seen.append(row["n"])
            connection.close()

    async def main() -> None:
        connection = database.connect(client(machine))
        await connection.insert("orders", 1, {"n": 0})
        await connection.commit()
        await asyncio.gather(*(add(f"w{number}") for number in range(4)))

    machine.loop.run(main())
    assert sorted(seen) == list(range(20))
    assert database.rows("orders") == [{"n": 20}]
    assert database.locks == {}


def test_commit_order_can_differ_from_the_order_of_numbers() -> None:
    machine = machine_of(2)
    database = orders(machine)
    committed: list[int] = []
    database.on_commit.append(lambda _c, changes: committed.extend(key for _t, key, _r in changes))

    async def insert(first: bool) -> None:
        connection = database.connect(client(machine))
        number = database.next_number("id")
        await connection.insert("orders", number, {"first": first})
        if first:
            await asyncio.sleep(1)
        await connection.commit()

    async def main() -> None:
        await asyncio.gather(insert(True), insert(False), insert(False))

    machine.loop.run(main())
    assert sorted(committed) == [1, 2, 3]
    assert committed != [1, 2, 3]


def test_a_unique_key_waits_for_the_other_writer_and_then_fails() -> None:
    machine = machine_of(3)
    database = orders(machine)

    async def insert(number: int) -> bool:
        connection = database.connect(client(machine))
        try:
            await connection.insert("names", number, {"name": "a"})
            await asyncio.sleep(0.5)
            await connection.commit()
        except UniqueViolationError:
            connection.close()
            return False
        return True

    async def main() -> list[bool]:
        return await asyncio.gather(insert(1), insert(2))

    assert sorted(machine.loop.run(main())) == [False, True]
    assert len(database.rows("names")) == 1


def test_two_transactions_that_wait_for_each_other_are_told() -> None:
    machine = machine_of(4)
    database = orders(machine)

    async def both(first: int, second: int) -> str:
        connection = database.connect(client(machine))
        await connection.write("orders", first, {})
        await asyncio.sleep(0.1)
        try:
            await connection.write("orders", second, {})
            await connection.commit()
        except DeadlockDetectedError:
            connection.close()
            return "refused"
        return "done"

    async def main() -> list[str]:
        return await asyncio.gather(both(1, 2), both(2, 1))

    assert sorted(machine.loop.run(main())) == ["done", "refused"]
    assert database.locks == {}


def test_a_snapshot_does_not_see_what_commits_after_it() -> None:
    machine = machine_of(5)
    database = orders(machine)

    async def main() -> tuple[int, int]:
        reader, writer = (database.connect(client(machine)) for _ in range(2))
        reader.snapshot()
        await writer.insert("orders", 1, {"n": 1})
        await writer.commit()
        frozen = len(list(reader.scan("orders")))
        reader.rollback()
        return frozen, len(list(reader.scan("orders")))

    assert machine.loop.run(main()) == (0, 1)


def test_a_commit_that_was_sent_stands_although_its_client_dies() -> None:
    outcomes = set()
    for seed in range(40):
        machine = machine_of(seed)
        database = orders(machine)
        process = client(machine)

        async def work(database: Database = database, process: Process = process) -> None:
            connection = database.connect(process)
            await connection.statement("insert")
            await connection.insert("orders", 1, {"n": 1})
            await connection.commit()

        async def main(
            machine: Machine = machine, database: Database = database, process: Process = process
        ) -> None:
            process.on_death.append(lambda: database.drop_process(process))
            process.spawn(work(database, process), "work")
            await asyncio.sleep(machine.rng.random() * 0.004)
            process.kill()
            await asyncio.sleep(1)

        machine.loop.run(main())
        outcomes.add(len(database.rows("orders")))
        assert database.locks == {}
        assert database.connections == []
    assert outcomes == {0, 1}


def test_a_full_disk_rolls_the_whole_transaction_back() -> None:
    machine = machine_of(6)
    database = orders(machine)
    database.failing_commits.append("full")

    async def main() -> None:
        connection = database.connect(client(machine))
        await connection.insert("orders", 1, {})
        connection.note("never", fact=1)
        with pytest.raises(DiskFullError):
            await connection.commit()
        await connection.insert("orders", 2, {})
        await connection.commit()

    machine.loop.run(main())
    assert list(database.tables["orders"].rows) == [2]
    assert machine.history.moments == []


def test_a_stopped_database_forgets_what_was_not_committed() -> None:
    machine = machine_of(7)
    database = orders(machine)

    async def main() -> None:
        connection = database.connect(client(machine))
        await connection.insert("orders", 1, {})
        database.crash(1.0)
        with pytest.raises(Exception, match="test"):
            await connection.commit()
        await asyncio.sleep(2)
        other = database.connect(client(machine))
        await other.insert("orders", 1, {"n": 2})
        await other.commit()

    machine.loop.run(main())
    assert database.rows("orders") == [{"n": 2}]


def test_a_process_dies_at_the_step_that_the_schedule_names() -> None:
    machine = machine_of(8)
    process = client(machine)
    process.crash_at["here"] = 3
    done: list[int] = []

    async def work() -> None:
        for number in range(5):
            await process.step("here")
            done.append(number)

    async def main() -> None:
        process.spawn(work(), "work")
        await asyncio.sleep(1)

    machine.loop.run(main())
    assert done == [0, 1]
    with pytest.raises(Killed):
        process.check()


def test_a_paused_member_loses_its_partitions_to_another_one() -> None:
    machine = machine_of(9)
    bus = Bus(machine, {"t": 2})

    async def keep(process: Process, seen: list[int], rounds: int) -> None:
        member = bus.join("g", ("t",), process)
        for _ in range(rounds):
            try:
                records = await bus.poll(member, 10, 0.5)
            except BusUnavailableError:
                return
            for key, position in list(member.assigned.items()):
                if position is None:
                    member.assigned[key] = 0
            for record in records:
                member.assigned[("t", record.partition)] = record.offset + 1
                seen.append(record.offset)

    async def main() -> tuple[list[int], list[int]]:
        first, second = client(machine, "one"), client(machine, "two")
        one: list[int] = []
        two: list[int] = []
        first.spawn(keep(first, one, 40), "poll")
        second.spawn(keep(second, two, 40), "poll")
        await asyncio.sleep(1)
        first.pause(10)
        for number in range(4):
            bus.append("t", number % 2, key=b"k", value=b"v", headers=())
        await asyncio.sleep(12)
        return one, two

    one, two = machine.loop.run(main())
    assert set(two) == {0, 1}
    assert one == []


def test_a_lost_acknowledgement_leaves_the_record_behind() -> None:
    machine = machine_of(10)
    bus = Bus(machine, {"t": 1})
    bus.lose_acks = 1

    async def main() -> None:
        with pytest.raises(BusUnavailableError):
            bus.take("441500", [Message("t", 0, b"k", [], b"v")])

    machine.loop.run(main())
    assert len(bus.partitions[("t", 0)].records) == 1
