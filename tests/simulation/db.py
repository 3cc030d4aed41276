"""A small transactional store with PostgreSQL's rules at READ COMMITTED.

Each statement sees what is committed when it starts, plus its own writes; a row is locked until
the transaction ends and read again after waiting; unique keys wait for the other writer; numbers
of a sequence are handed out at once and never taken back, so commit order differs from id order.
``snapshot`` gives a repeatable read. A commit, once sent, may succeed although its client died.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.processes import Killed, Machine, Process

Row = Mapping[str, Any]
Key = Hashable


class DatabaseError(Exception):
    """An error of the store with its SQLSTATE."""

    sqlstate = "XX000"


class ConnectionLostError(DatabaseError):
    sqlstate = "08006"


class DeadlockDetectedError(DatabaseError):
    sqlstate = "40P01"


class DiskFullError(DatabaseError):
    sqlstate = "53100"


class UniqueViolationError(DatabaseError):
    sqlstate = "23505"


class LockNotAvailableError(DatabaseError):
    sqlstate = "55P03"


@dataclass
class Table:
    """Committed rows by primary key; ``uniques`` are further keys (None: not constrained)."""

    name: str
    uniques: tuple[Callable[[Row], Key | None], ...] = ()
    rows: dict[Key, Row] = field(default_factory=dict)
    taken: dict[Key, Key] = field(default_factory=dict)

    def unique_keys(self, row: Row) -> list[Key]:
        keys = []
        for number, unique in enumerate(self.uniques):
            value = unique(row)
            if value is not None:
                keys.append((number, value))
        return keys


@dataclass(eq=False)
class Lock:
    owner: "Connection"
    waiters: deque["Waiter"] = field(default_factory=deque)


@dataclass(eq=False)
class Waiter:
    connection: "Connection"
    future: "asyncio.Future[None]"
    session: bool


class Database:
    """One service's database: a server of its own that can go away and come back."""

    def __init__(self, machine: Machine, name: str, tables: tuple[Table, ...]) -> None:
        self.machine = machine
        self.name = name
        self.tables = {table.name: table for table in tables}
        self.sequences: dict[str, itertools.count[int]] = {}
        self.locks: dict[Key, Lock] = {}
        self.connections: list[Connection] = []
        self.up = True
        self.slow_commits: deque[float] = deque()
        self.failing_commits: deque[str] = deque()
        self.on_commit: list[Callable[[Connection, list[tuple[str, Key, Row | None]]], None]] = []

    def connect(self, process: Process) -> "Connection":
        """Open a connection; the caller has spent its ``step`` before."""
        process.check()
        if not self.up:
            raise ConnectionLostError(self.name)
        connection = Connection(self, process)
        self.connections.append(connection)
        return connection

    def crash(self, seconds: float) -> None:
        """Stop at once: every open transaction is rolled back, nobody connects for a while."""
        self.up = False
        for connection in list(self.connections):
            connection.break_off()
        self.machine.loop.call_later(seconds, self._start)

    def _start(self) -> None:
        self.up = True

    def drop_process(self, process: Process) -> None:
        """Notice that a client is gone; its sockets were closed by the operating system."""
        for connection in list(self.connections):
            if connection.process is process:
                connection.break_off()

    def rows(self, table: str) -> list[Row]:
        """Committed rows in key order, for the checker."""
        rows = self.tables[table].rows
        return [rows[key] for key in sorted(rows)]  # type: ignore[type-var]

    def next_number(self, sequence: str) -> int:
        """Hand out a number now; a rollback does not give it back."""
        return next(self.sequences.setdefault(sequence, itertools.count(1)))


class Connection:
    """A session: at most one transaction at a time, and session locks that outlive it."""

    def __init__(self, database: Database, process: Process) -> None:
        self.database = database
        self.process = process
        self.broken = False
        self.closed = False
        self.unnoticed = False
        self.writes: dict[tuple[str, Key], Row | None] = {}
        self.held: dict[Key, None] = {}
        self.session_held: dict[Key, None] = {}
        self.waiting: Lock | None = None
        self.frozen: dict[str, dict[Key, Row]] | None = None
        self.committing = False
        self.lock_timeout: float | None = None
        self.notes: list[tuple[str, dict[str, Any]]] = []

    # -- statements ---------------------------------------------------------------------------

    async def statement(self, label: str) -> None:
        """Spend a round trip; raise when the connection or the process is gone."""
        await self.process.step(label)
        self.ensure()

    @property
    def known_broken(self) -> bool:
        """Tell what the client believes; a half-open connection looks alive until it is used."""
        return (self.broken or self.closed) and not self.unnoticed

    def ensure(self) -> None:
        self.process.check()
        self.unnoticed = False
        if self.broken or self.closed:
            raise ConnectionLostError(self.database.name)

    def snapshot(self) -> None:
        """From here on read one moment (REPEATABLE READ)."""
        self.frozen = {name: dict(table.rows) for name, table in self.database.tables.items()}

    def get(self, table: str, key: Key) -> Row | None:
        if (table, key) in self.writes:
            return self.writes[(table, key)]
        return self._committed(table).get(key)

    def scan(self, table: str) -> Iterator[Row]:
        """Rows in key order, own writes included."""
        rows = self._committed(table)
        own = {key: row for (name, key), row in self.writes.items() if name == table}
        merged = {**rows, **own} if own else rows
        for key in sorted(merged):  # type: ignore[type-var]
            row = merged[key]
            if row is not None:
                yield row

    def _committed(self, table: str) -> dict[Key, Row]:
        if self.frozen is not None:
            return self.frozen[table]
        return self.database.tables[table].rows

    async def lock(self, table: str, key: Key) -> Row | None:
        """SELECT … FOR UPDATE: wait for the row, then read what the other one committed.

        A row that does not exist is not locked, as in PostgreSQL.
        """
        while True:
            if (table, key) not in self.writes and key not in self._committed(table):
                return None
            await self.acquire(("row", table, key))
            row = self.get(table, key)
            if row is not None or (table, key) in self.writes:
                return row

    async def acquire(self, key: Key, *, session: bool = False, wait: bool = True) -> None:
        """Take an exclusive lock (row, unique key or advisory) until the end."""
        lock = self.database.locks.get(key)
        if lock is not None and lock.owner is not self:
            if not wait:
                raise LockNotAvailableError(str(key))
            await self._wait(lock, session=session)
            return
        if lock is None:
            self.database.locks[key] = Lock(self)
        self._hold(key, session=session)

    def _hold(self, key: Key, *, session: bool) -> None:
        (self.session_held if session else self.held)[key] = None

    async def _wait(self, lock: Lock, *, session: bool) -> None:
        self._refuse_deadlock(lock)
        waiter = Waiter(self, self.database.machine.loop.create_future(), session)
        lock.waiters.append(waiter)
        self.waiting = lock
        if self.lock_timeout is not None:
            self.database.machine.loop.call_later(self.lock_timeout, _give_up, waiter)
        try:
            await waiter.future
        finally:
            self.waiting = None
            if waiter in lock.waiters:
                lock.waiters.remove(waiter)
        self.ensure()

    def _refuse_deadlock(self, lock: Lock) -> None:
        seen: Lock | None = lock
        while seen is not None:
            if seen.owner is self:
                raise DeadlockDetectedError(self.database.name)
            seen = seen.owner.waiting

    async def insert(self, table: str, key: Key, row: Row, *, or_ignore: bool = False) -> bool:
        """INSERT; False when the key was taken and ``or_ignore`` (ON CONFLICT DO NOTHING)."""
        home = self.database.tables[table]
        names = [("row", table, key), *(("unique", table, each) for each in home.unique_keys(row))]
        for name in names:
            await self.acquire(name)
        if self._taken(home, key, row):
            if or_ignore:
                return False
            raise UniqueViolationError(f"{table}: {key}")
        self.writes[(table, key)] = row
        return True

    def _taken(self, home: Table, key: Key, row: Row) -> bool:
        live = (
            self.writes[(home.name, key)] if (home.name, key) in self.writes else home.rows.get(key)
        )
        if live is not None:
            return True
        for unique in home.unique_keys(row):
            other = home.taken.get(unique)
            if other is not None and self.writes.get((home.name, other), _COMMITTED) is not None:
                return True
            for (name, mine), written in self.writes.items():
                if name != home.name or written is None or mine == key:
                    continue
                if unique in home.unique_keys(written):
                    return True
        return False

    async def write(self, table: str, key: Key, row: Row) -> None:
        """UPDATE, or INSERT … ON CONFLICT DO UPDATE: the last writer's row stands."""
        await self.acquire(("row", table, key))
        for unique in self.database.tables[table].unique_keys(row):
            await self.acquire(("unique", table, unique))
        self.writes[(table, key)] = row

    async def delete(self, table: str, key: Key) -> bool:
        """DELETE; True when there was a row (after waiting for another writer)."""
        await self.acquire(("row", table, key))
        existed = self.get(table, key) is not None
        self.writes[(table, key)] = None
        return existed

    # -- ends ---------------------------------------------------------------------------------

    def savepoint(self) -> dict[tuple[str, Key], Row | None]:
        return dict(self.writes)

    def rollback_to(self, savepoint: dict[tuple[str, Key], Row | None], notes: int) -> None:
        self.writes = savepoint
        del self.notes[notes:]

    def note(self, kind: str, **facts: Any) -> None:
        """Write to the history if, and when, this transaction commits."""
        self.notes.append((kind, facts))

    async def commit(self) -> None:
        """COMMIT. The server carries it out even when the client dies while it waits."""
        self.ensure()
        if not self.writes and not self.notes:
            self._end()
            return
        self.process._die_if_due("commit.before")
        loop = self.database.machine.loop
        done = loop.create_future()
        delay = self.database.machine.latency(0.002)
        if self.database.slow_commits:
            delay += self.database.slow_commits.popleft()
        self.committing = True
        loop.call_later(delay, self._carry_out, done)
        await done
        self.process._die_if_due("commit.after")
        await self.process.step("commit.answer")
        self.process.check()

    def _carry_out(self, done: "asyncio.Future[None]") -> None:
        if self.closed:
            self._finish(done, ConnectionLostError(self.database.name))
            return
        if self.database.failing_commits:
            how = self.database.failing_commits.popleft()
            if how == "full":
                self._finish(done, DiskFullError(self.database.name))
                return
            self._apply()  # "lost": committed, but the answer never reaches the client
            self._finish(done, ConnectionLostError(self.database.name))
            self.break_off()
            return
        self._apply()
        self._finish(done, None)
        if self.broken:
            self._leave()

    def _apply(self) -> None:
        changes = []
        for (name, key), row in self.writes.items():
            table = self.database.tables[name]
            before = table.rows.pop(key, None)
            if before is not None:
                for unique in table.unique_keys(before):
                    table.taken.pop(unique, None)
            if row is not None:
                table.rows[key] = row
                for unique in table.unique_keys(row):
                    table.taken[unique] = key
            changes.append((name, key, row))
        for kind, facts in self.notes:
            self.database.machine.history.note(kind, **facts)
        for hook in self.database.on_commit:
            hook(self, changes)

    def _finish(self, done: "asyncio.Future[None]", error: DatabaseError | None) -> None:
        self.committing = False
        self._end()
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def rollback(self) -> None:
        """ROLLBACK: at once, because nobody can see the difference."""
        if not self.committing:
            self._end()

    def _end(self) -> None:
        self.writes = {}
        self.notes = []
        self.frozen = None
        held, self.held = self.held, {}
        for key in held:
            if key not in self.session_held:
                self._release(key)

    def _release(self, key: Key) -> None:
        lock = self.database.locks[key]
        while lock.waiters:
            waiter = lock.waiters.popleft()
            if not waiter.future.done() and not waiter.connection.closed:
                lock.owner = waiter.connection
                waiter.connection._hold(key, session=waiter.session)
                waiter.future.set_result(None)
                return
        del self.database.locks[key]

    def close(self) -> None:
        if not self.closed and not self.broken:
            self._leave()

    def break_off(self) -> None:
        """The connection is gone: what was not committed is rolled back by the server."""
        if self.broken or self.closed:
            return
        self.broken = True
        if self.waiting is not None:
            for waiter in self.waiting.waiters:
                if waiter.connection is self and not waiter.future.done():
                    waiter.future.set_exception(ConnectionLostError(self.database.name))
        if not (self.committing and self.database.up):
            self._leave()

    def _leave(self) -> None:
        self.closed = True
        session, self.session_held = self.session_held, {}
        self.held.update(session)
        self._end()
        if self in self.database.connections:
            self.database.connections.remove(self)


def _give_up(waiter: Waiter) -> None:
    if not waiter.future.done():
        waiter.future.set_exception(LockNotAvailableError("lock_timeout"))


_COMMITTED: Row = {}
__all__ = [
    "Connection",
    "ConnectionLostError",
    "Database",
    "DatabaseError",
    "DeadlockDetectedError",
    "DiskFullError",
    "Killed",
    "LockNotAvailableError",
    "Row",
    "Table",
    "UniqueViolationError",
]
