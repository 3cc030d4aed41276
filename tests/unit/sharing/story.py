"""Steps of a request's life that several tests take."""

from typing import Any

from sharing.grants import service as grants
from sharing.requests import replying, service
from sharing.requests.domain import ShareRequest
from sharing.requests.schemas import Decision, ReplyRequest, ReviewRequest
from tests.support.sharing_world import HAIFENG, LUFENG, World, command, entry, person

CLERK = person(HAIFENG, "agency_clerk")
HANDLER = person(LUFENG, "source_handler")
APPROVER = person(LUFENG, "source_approver")
REVIEWER = person(LUFENG, "confidentiality_reviewer")
AGREED: dict[str, Any] = {"outcome": "agreed"}


async def submitted(world: World, *, at: str = HAIFENG, settle: bool = True, **more: Any) -> str:
    """A request that has gone out and, unless told otherwise, has arrived."""
    node = world[at]
    who = person(at, "agency_clerk", org_id=more.pop("org_id", ""))
    request, _ = await service.submit(node, command(**more), principal=who, context=node.context)
    if settle:
        await world.settle()
    return request.request_id


async def arrived(world: World | None = None, **more: Any) -> tuple[World, str]:
    """A conditional request that has arrived at its source."""
    world = world or World()
    world.publish(entry(**more.pop("entry", {})))
    world[LUFENG].datasets.add(entry().entry_id)
    return world, await submitted(world, **more)


async def reviewed(world: World, request_id: str, **passed: bool) -> ShareRequest:
    """Record the confidentiality review: everything passes unless told otherwise."""
    node = world[LUFENG]
    items = node.request(request_id, "received").asked.items
    results = [{"item": item, "passed": passed.get(item, True)} for item in items]
    return await replying.review(
        node,
        request_id,
        ReviewRequest.model_validate({"results": results}),
        principal=REVIEWER,
        context=node.context,
    )


async def replied(world: World, request_id: str, *, by: Any = HANDLER, **body: Any) -> ShareRequest:
    """Reply; the body is that of the HTTP command."""
    node = world[LUFENG]
    request = await replying.reply(
        node,
        request_id,
        ReplyRequest.model_validate(body or AGREED),
        principal=by,
        context=node.context,
    )
    await world.settle()
    return request


async def delivered(world: World, request_id: str) -> ShareRequest:
    """Review, agree and deliver."""
    await reviewed(world, request_id)
    await replied(world, request_id)
    node = world[LUFENG]
    request = await replying.deliver(
        node, request_id, Decision(), principal=HANDLER, context=node.context
    )
    await world.settle()
    return request


async def fetched(world: World, grant_id: str, *, rows: int = 3) -> None:
    """A first successful call of the using system."""
    node = world[LUFENG]
    await grants.prove(node, grant_id, rows=rows, context=node.context)
    await world.settle()


def sent(world: World, request_id: str, at: str = HAIFENG) -> ShareRequest:
    return world[at].request(request_id, "sent")


def received(world: World, request_id: str, at: str = LUFENG) -> ShareRequest:
    return world[at].request(request_id, "received")


def clocks(world: World, at: str = LUFENG) -> list[tuple[str, str]]:
    """Clock events of a node in order: (started|ended:<event>, rule)."""
    found = []
    for event in world[at].sent:
        if event.type == "yiwang.clock.started.v1":
            found.append(("started", event.payload.due.rule))
        elif event.type == "yiwang.clock.ended.v1":
            rule = event.payload.clock_id.split(":")[1]
            found.append((f"ended:{event.payload.end_event}", rule))
    return found
