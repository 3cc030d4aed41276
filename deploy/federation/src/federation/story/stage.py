"""Where the story plays: people with tokens, patience with nodes that are away, a timeline."""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from federation import tokens
from federation.client import NodeClient, RefusedError, UnreachableError, multipart
from federation.clocks import clock_of
from federation.people import display_names
from federation.plan import Plan
from kernel.clock import Clock, SystemClock
from kernel.http import HttpClient

T = TypeVar("T")
UNAVAILABLE = 503
AGAIN_AFTER = 0.2
TOKEN_LIFE = 1800.0  # seconds; the issuer's tokens live twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline.

    ``article`` is the one that the step rests on, ``due`` a date that now runs, ``trace`` the id
    of the trace that the step belongs to.
    """

    at: datetime
    who: str
    node: str
    act: str
    detail: str = ""
    article: str = ""
    due: str = ""
    trace: str = ""


def _silent(_: Line) -> None:
    """Nobody listens."""


def _nothing(_: int) -> None:
    """Nobody counts."""


class StoryError(Exception):
    """The story cannot go on: what was awaited did not come."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """A running federation as the story uses it. ``patience`` is in seconds."""

    plan: Plan
    http: HttpClient
    tell: Callable[[Line], None] = _silent
    patience: float = 60.0
    clock: Clock = field(default_factory=SystemClock)
    #: told the number of every call of a person before it is made
    before_call: Callable[[int], None] = _nothing
    _calls: int = 0
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def actor(self, person: str, *, trace: str = "") -> "Actor":
        """Return somebody who acts at his own node; ``trace`` joins his calls to one trace."""
        return Actor(stage=self, person=person, node=person.split("-", 1)[0], trace=trace)

    async def token(self, person: str) -> str:
        """Return the person's token, a fresh one when the last is getting old."""
        held = self._tokens.get(person)
        if held is None or time.monotonic() - held[1] > TOKEN_LIFE:
            value = await self.patiently(lambda: tokens.token_of(self.plan, person, http=self.http))
            held = self._tokens[person] = (value, time.monotonic())
        return held[0]

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until the node answers; raises the last failure when the patience is over."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return await attempt()
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
            except RefusedError as error:
                if error.status != UNAVAILABLE or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(AGAIN_AFTER)

    async def until(self, check: Callable[[], Awaitable[T | None]], what: str) -> T:
        """Ask until ``check`` returns something; raises ``StoryError`` naming ``what``."""
        deadline = time.monotonic() + self.patience
        while True:
            found = await check()
            if found:
                return found
            if time.monotonic() > deadline:
                raise StoryError(f"not within {self.patience:.0f} s: {what}")
            await asyncio.sleep(AGAIN_AFTER)

    def count_call(self) -> None:
        """Count a call of a person."""
        self.before_call(self._calls)
        self._calls += 1

    def line(self, who: str, node: str, act: str, **rest: str) -> None:
        """Tell one line, stamped with the present; ``who`` is a person's or organisation's id."""
        self.tell(Line(at=self.clock.now(), who=name_of(who), node=node, act=act, **rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person at work."""

    stage: Stage
    person: str
    node: str
    trace: str = ""

    async def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        self.stage.count_call()

        async def attempt() -> Any:
            return await (await self._client()).get(path, **query)

        return await self.stage.patiently(attempt)

    async def post(self, path: str, body: Any = None) -> Any:
        """Send a command; sent again under the same key when the node was away."""
        self.stage.count_call()
        key = str(uuid.uuid4())

        async def attempt() -> Any:
            return await (await self._client()).post(path, body, key=key)

        return await self.stage.patiently(attempt)

    async def upload(
        self,
        path: str,
        *,
        files: Mapping[str, tuple[str, bytes, str]],
        fields: Mapping[str, str] | None = None,
    ) -> Any:
        """Upload files; the repeat of an upload has the same bytes and the same key."""
        self.stage.count_call()
        content, media_type = multipart(files, fields or {})
        headers = {"Content-Type": media_type, "Idempotency-Key": str(uuid.uuid4())}

        async def attempt() -> Any:
            client = await self._client()
            answer = await client.send("POST", path, content=content, headers=headers, within=300.0)
            return answer.json()

        return await self.stage.patiently(attempt)

    async def _client(self) -> NodeClient:
        return NodeClient(
            url=self.stage.plan.node(self.node).url,
            http=self.stage.http,
            token=await self.stage.token(self.person),
            traceparent=traceparent_of(self.trace),
        )


def name_of(who: str) -> str:
    """Return how a person or an organisation is called on the timeline."""
    return display_names().get(who, who)


def traceparent_of(trace: str) -> str:
    """Return the header that joins a call to a trace; empty without one."""
    return f"00-{trace}-{secrets.token_hex(8)}-01" if trace else ""


def new_trace() -> str:
    """Return a new trace id."""
    return secrets.token_hex(16)


@asynccontextmanager
async def open_stage(
    plan: Plan, *, tell: Callable[[Line], None] = _silent, patience: float = 60.0
) -> AsyncGenerator[Stage]:
    """Open a stage on a running federation."""
    http = HttpClient(timeout=60.0)
    try:
        clock = clock_of(plan.clock_shift)
        yield Stage(plan=plan, http=http, tell=tell, patience=patience, clock=clock)
    finally:
        await http.close()
