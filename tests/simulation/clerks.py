"""People who ask for data, answer, deliver, use it and end grants: SM-3 by its own use cases."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.events.sharing import Finding, ReviewResult
from kernel.principal import Principal
from kernel.problems import ProblemError
from sharing.context import NodeContext
from sharing.grants import service as grants
from sharing.grants.schemas import ReturnGrant, RevokeGrant
from sharing.requests import replying
from sharing.requests import service as requests
from sharing.requests.domain import RequestState, ShareRequest
from sharing.requests.schemas import (
    AnswerSupplement,
    AskSupplement,
    Decision,
    RefusedPartIn,
    ReplyRequest,
    ReviewRequest,
    SubmitRequest,
    SystemIn,
    WithdrawRequest,
)
from tests.simulation.cases import fetch_page, write_case
from tests.simulation.db import DatabaseError
from tests.simulation.doors import record_filing
from tests.simulation.federation import NODES, OutOfReachError, Service
from tests.simulation.handed import WorldTransaction
from tests.simulation.people import ITEMS, KEY, LAW, Services, entry, person


@dataclass
class Clerks:
    """All the people of a world; each case is one task."""

    services: Services
    rng: random.Random
    until: float
    cases: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def loop(self) -> Any:
        return next(iter(self.services.values())).machine.loop

    async def pause(self, longest: float) -> None:
        await asyncio.sleep(self.rng.random() ** 2 * longest + 0.001)

    async def do(
        self,
        service: Service,
        label: str,
        work: Callable[[WorldTransaction, NodeContext], Awaitable[Any]],
        *,
        tries: int = 6,
    ) -> Any:
        """Try a command until it is answered; a refusal is an answer (``None``)."""
        for _ in range(tries):
            try:
                return await service.command(label, work)
            except ProblemError as refusal:
                self._count(f"{label}:{refusal.slug}")
                return None
            except (OutOfReachError, DatabaseError):
                await self.pause(4.0)
        self._count(f"{label}:given_up")
        return None

    def _count(self, what: str) -> None:
        self.outcomes[what] = self.outcomes.get(what, 0) + 1

    async def when(self, test: Callable[[], bool], *, every: float = 3.0) -> bool:
        """Wait until the world is so; false when it is late by then."""
        while not test():
            if self.loop.time() > self.until:
                return False
            await self.pause(every)
        return True

    # -- plain cases and desks ----------------------------------------------------------------

    async def write(self, case_id: str, node: str, to_node: str, writers: int) -> None:
        """A case that several people change, sometimes at the very same moment."""
        service = self.services[(node, "catalog")]

        async def writer(times: int) -> None:
            for _ in range(times):
                await self.pause(self.rng.choice((0.02, 0.02, 6.0)))
                await self.do(service, "write", lambda tx, _: write_case(tx, case_id, to_node))

        await self.pause(16.0)
        await asyncio.gather(*(writer(self.rng.randint(2, 4)) for _ in range(writers)))

    async def record(self, node: str) -> None:
        """The person at a desk records the filings that lie there."""
        desk = self.services[(node, "notify")]
        while self.loop.time() < self.until:
            await self.pause(8.0)
            cases = desk.database.rows("cases")
            for case in [case for case in cases if case.get("state") == "received"]:
                filing_id = case["case"]
                await self.do(desk, "record", lambda tx, _, it=filing_id: record_filing(tx, it))

    # -- a share request ----------------------------------------------------------------------

    async def share(self, number: int) -> None:
        """One request from submission to the end of its grant, with everybody's detours."""
        rng = self.rng
        await self.pause(14.0)
        asking, giving = rng.choice(NODES), rng.choice(NODES)
        kind = rng.choice(("unconditional", "conditional", "conditional"))
        sender, source = self.services[(asking, "sharing")], self.services[(giving, "sharing")]
        clerk = person(asking, 2, "agency_clerk")
        command = SubmitRequest(
            entry_id=entry(giving, kind).entry_id,
            items=ITEMS[: rng.randint(1, 3)],
            purpose=f"purpose {number}",
            basis=(LAW,),
            scene="scene",
            scope="scope",
            mode="api",
            term_days=30,
            system=SystemIn(system_id=f"sys-{number}", name="system", public_jwk=KEY),
            security_measures="measures",
        )
        made = await self.do(
            sender,
            "submit",
            lambda tx, context: requests.submit(tx, command, principal=clerk, context=context),
        )
        if made is None:
            return
        request_id = made[0].request_id
        others = [self._answer(source, request_id), self._use(sender, source, request_id)]
        if rng.random() < 0.25:
            others.append(self._withdraw(sender, request_id, clerk))
        if rng.random() < 0.4:
            others.append(self._supplement(sender, source, request_id, clerk))
        await asyncio.gather(*others)

    def side(self, service: Service, request_id: str, side: str) -> ShareRequest | None:
        row = service.database.tables["requests"].rows.get((request_id, side))
        return row["value"] if row else None

    async def _withdraw(self, sender: Service, request_id: str, clerk: Principal) -> None:
        await self.pause(14.0)
        await self.do(
            sender,
            "withdraw",
            lambda tx, context: requests.withdraw(
                tx, request_id, WithdrawRequest(), principal=clerk, context=context
            ),
        )

    async def _supplement(
        self, sender: Service, source: Service, request_id: str, clerk: Principal
    ) -> None:
        handler = person(source.node, 1, "source_handler")
        if not await self.when(lambda: self.side(source, request_id, "received") is not None):
            return
        await self.pause(4.0)
        asked = await self.do(
            source,
            "ask_supplement",
            lambda tx, context: replying.ask_supplement(
                tx,
                request_id,
                AskSupplement(findings=(Finding(code="purpose_unclear"),)),
                principal=handler,
                context=context,
            ),
        )
        if asked is None:
            return

        def came() -> bool:
            mine = self.side(sender, request_id, "sent")
            return mine is not None and mine.open_supplement is not None

        if await self.when(came):
            await self.pause(4.0)
            await self.do(
                sender,
                "supplement",
                lambda tx, context: requests.supplement(
                    tx,
                    request_id,
                    AnswerSupplement(explanation="more", purpose="clearer"),
                    principal=clerk,
                    context=context,
                ),
            )

    async def _answer(self, source: Service, request_id: str) -> None:
        """The source's desk: review, reply, deliver."""
        handler = person(source.node, 1, "source_handler")
        reviewer = person(source.node, 1, "confidentiality_reviewer")
        if not await self.when(lambda: self.side(source, request_id, "received") is not None):
            return
        received = self.side(source, request_id, "received")
        if received is None or received.kind == "unconditional":
            return
        await self.pause(7.0)
        items = received.asked.items
        results = tuple(ReviewResult(item=item, passed=True) for item in items)
        await self.do(
            source,
            "review",
            lambda tx, context: replying.review(
                tx, request_id, ReviewRequest(results=results), principal=reviewer, context=context
            ),
        )
        reply = self._reply(items)
        replied = await self.do(
            source,
            "reply",
            lambda tx, context: replying.reply(
                tx, request_id, reply, principal=handler, context=context
            ),
        )
        if replied is not None and replied.state is RequestState.AGREED:
            await self.pause(8.0)
            await self.do(
                source,
                "deliver",
                lambda tx, context: replying.deliver(
                    tx, request_id, Decision(), principal=handler, context=context
                ),
            )

    def _reply(self, items: tuple[str, ...]) -> ReplyRequest:
        draw = self.rng.random()
        if draw < 0.2:
            part = RefusedPartIn(part="all", reason="law", basis=(LAW,))
            return ReplyRequest(outcome="refused", refused=(part,))
        if draw < 0.4 and len(items) > 1:
            part = RefusedPartIn(part="item", name=items[-1], reason="law", basis=(LAW,))
            return ReplyRequest(outcome="agreed_partly", granted_items=items[:-1], refused=(part,))
        return ReplyRequest(outcome="agreed")

    # -- a grant ------------------------------------------------------------------------------

    async def _use(self, sender: Service, source: Service, request_id: str) -> None:
        """The using system fetches pages; somebody confirms; somebody may end the grant."""

        def granted() -> bool:
            request = self.side(source, request_id, "received")
            return request is not None and request.grant_id is not None

        if not await self.when(granted, every=self.rng.choice((0.05, 3.0))):
            return
        received = self.side(source, request_id, "received")
        grant_id = received.grant_id if received else None
        assert grant_id is not None
        work = [self._fetch(source, grant_id) for _ in range(self.rng.randint(1, 2))]
        work.append(self._confirm(sender, request_id))
        draw = self.rng.random()
        if draw < 0.5:
            work.append(self._revoke(source, grant_id))
        elif draw < 0.7:
            work.append(self._give_back(sender, grant_id))
        await asyncio.gather(*work)

    async def _fetch(self, source: Service, grant_id: str) -> None:
        for _ in range(self.rng.randint(1, 4)):
            await self.pause(6.0)
            started = self.loop.time()
            try:
                await source.command(
                    "page", lambda tx, context: fetch_page(tx, grant_id, context=context)
                )
            except (OutOfReachError, DatabaseError):
                continue
            except ProblemError as refusal:
                self._count(f"page:{refusal.slug}")
                return
            source.machine.history.note("page", grant=grant_id, started=started)

    async def _confirm(self, sender: Service, request_id: str) -> None:
        clerk = person(sender.node, 2, "agency_clerk")

        def delivered() -> bool:
            request = self.side(sender, request_id, "sent")
            return request is not None and request.state is RequestState.DELIVERED

        if await self.when(delivered):
            await self.pause(5.0)
            await self.do(
                sender,
                "confirm",
                lambda tx, context: requests.confirm(
                    tx, request_id, Decision(), principal=clerk, context=context
                ),
            )

    async def _revoke(self, source: Service, grant_id: str) -> None:
        approver = person(source.node, 1, "source_approver")
        await self.pause(self.rng.choice((0.05, 9.0)))
        await self.do(
            source,
            "revoke",
            lambda tx, context: grants.revoke(
                tx, grant_id, RevokeGrant(explanation="misuse"), principal=approver, context=context
            ),
        )

    async def _give_back(self, sender: Service, grant_id: str) -> None:
        clerk = person(sender.node, 2, "agency_clerk")

        def held() -> bool:
            return (grant_id, "held") in sender.database.tables["grants"].rows

        if await self.when(held):
            await self.pause(8.0)
            await self.do(
                sender,
                "give_back",
                lambda tx, context: grants.give_back(
                    tx, grant_id, ReturnGrant(), principal=clerk, context=context
                ),
            )
