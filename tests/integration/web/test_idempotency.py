"""A repeated command has one effect and one answer, on the ordinary and on the hot route."""

import asyncio

import pytest

from kernel.idempotency import prune
from tests.support.http import ServedNode, SteadyClock

pytestmark = pytest.mark.postgres
ROUTES = ["/sample/v1/things", "/sample/v1/things/quick"]
both = pytest.mark.parametrize("route", ROUTES, ids=["ordinary", "hot"])


@both
async def test_a_repeated_key_gets_the_first_answer_and_no_second_effect(
    node: ServedNode, route: str
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    first = await clerk.post(route, {"name": "a"}, key="k1")
    again = await clerk.post(route, {"name": "a"}, key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await node.count("things") == 1
    assert await node.count("kernel.outbox") == 1


@both
async def test_twenty_at_once_with_one_key_have_one_effect(node: ServedNode, route: str) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    answers = await asyncio.gather(*(clerk.post(route, {"name": "a"}, key="k1") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await node.count("things") == 1
    assert await node.count("kernel.outbox") == 1


@both
async def test_the_same_key_with_another_body_is_refused(node: ServedNode, route: str) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    await clerk.post(route, {"name": "a"}, key="k1")
    other = await clerk.post(route, {"name": "b"}, key="k1")
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")
    assert await node.count("things") == 1


@both
async def test_another_person_of_the_organisation_gets_no_answer_by_guessing_a_key(
    node: ServedNode, route: str
) -> None:
    await node.caller("agency_clerk", organisation="org-1").post(route, {"name": "a"}, key="k1")
    auditor = node.caller("auditor", organisation="org-1")
    assert (await auditor.post(route, {"name": "a"}, key="k1")).status_code in (403, 422)


@both
async def test_keys_of_two_organisations_do_not_meet(node: ServedNode, route: str) -> None:
    for organisation, name in (("org-1", "a"), ("org-2", "b")):
        caller = node.caller("agency_clerk", organisation=organisation)
        assert (await caller.post(route, {"name": name}, key="k1")).status_code == 201
    assert await node.count("things") == 2


async def test_keys_of_two_routes_do_not_meet(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    for route, name in zip(ROUTES, ("a", "b"), strict=True):
        assert (await clerk.post(route, {"name": name}, key="k1")).status_code == 201


@both
@pytest.mark.parametrize("key", ["", " ", "é", "x" * 201, "a b"])
async def test_a_post_needs_a_readable_key(node: ServedNode, route: str, key: str) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    headers = clerk.headers({"Content-Type": "application/json"})
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent.append((b"Idempotency-Key", key.encode("latin-1")))
    answer = await node.client.post(route, content=b'{"name": "a"}', headers=sent)
    assert answer.status_code == 400
    assert answer.json()["field"] == "Idempotency-Key"
    assert await node.count("things") == 0


@both
async def test_a_refused_command_keeps_nothing_and_may_be_corrected_under_its_key(
    node: ServedNode, route: str
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    assert (await clerk.post(route, {"name": ""}, key="k1")).status_code == 422
    assert (await clerk.post(route, {"name": "a"}, key="k1")).status_code == 201


async def test_an_upload_is_the_same_whatever_boundary_separated_its_parts(
    node: ServedNode,
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    route = "/sample/v1/things/upload"
    first = await clerk.post(route, files={"file": ("a.csv", b"1,2")}, key="k1")
    again = await clerk.post(route, files={"file": ("a.csv", b"1,2")}, key="k1")
    other = await clerk.post(route, files={"file": ("a.csv", b"1,3")}, key="k1")
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (first.json(), again.json()) == ({"size": 3}, {"size": 3})
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422


async def test_keys_are_forgotten_after_seven_days(node: ServedNode, clock: SteadyClock) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1", seconds=30 * 86400)
    await clerk.post(ROUTES[0], {"name": "a"}, key="k1")
    clock.advance(days=6.9)
    assert await prune(node.runtime.database) == 0
    clock.advance(days=0.2)
    assert await prune(node.runtime.database) == 1
