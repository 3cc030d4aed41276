"""The hot route writes what the ordinary one writes, and refuses the same way."""

from typing import Any

import pytest

from tests.support.http import ServedNode

pytestmark = pytest.mark.postgres
QUICK, ORDINARY = "/sample/v1/things/quick", "/sample/v1/things"


async def written(node: ServedNode, made: str) -> list[dict[str, Any]]:
    rows = await node.query("SELECT name, size, organisation, version FROM things")
    rows += await node.query(
        "SELECT transport, topic, type, case_version, payload IS NOT NULL AS full FROM"
        " kernel.outbox"
    )
    return rows + await node.query(
        "SELECT act, object_kind, article, outcome, details, organisation, subject, roles,"
        " node, service FROM kernel.audit WHERE object_id = :id",
        id=made,
    )


async def test_both_routes_write_the_same(node: ServedNode) -> None:
    found = []
    for route in (QUICK, ORDINARY):
        await node.query("TRUNCATE things, kernel.outbox")
        clerk = node.caller("agency_clerk", organisation="org-1", subject="p1")
        answer = await clerk.post(route, {"name": "a", "size": 7})
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/json"
        found.append(await written(node, answer.json()["id"]))
    assert found[0] == found[1]
    assert len(found[0]) == 3


REFUSED = [
    ({"name": ""}, 422, "invalid", ["name"]),
    ({"name": "a", "size": "x"}, 422, "invalid", ["size"]),
    ({"size": 1}, 422, "invalid", ["name"]),
    ({"name": "a", "more": 1}, 422, "invalid", ["*"]),
    ([], 422, "invalid", ["body"]),
    ({"name": "a\x00b"}, 422, "invalid", ["body"]),
    ({"name": "a", "size": 10**12}, 422, "invalid", [None]),
]


@pytest.mark.parametrize(("body", "status", "problem", "fields"), REFUSED)
async def test_both_routes_refuse_the_same_with_the_same_words(
    node: ServedNode, body: Any, status: int, problem: str, fields: list[str | None]
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    answers = [await clerk.post(route, body) for route in (QUICK, ORDINARY)]
    documents = [answer.json() for answer in answers]
    for document in documents:
        assert document.pop("trace_id")
        assert document["status"] == status
        assert document["type"] == f"urn:yiwang:problem:{problem}"
        assert [error.get("field") for error in document["errors"]] == fields
    assert documents[0] == documents[1]
    assert await node.count("things") == 0


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        ('{"name": "陆丰"}'.encode("gb18030"), "application/json", 400),
        (b"\xef\xbb\xbf" + b'{"name": "a"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "a"}', "text/plain", 415),
        (b"<a/>", "application/xml", 415),
        (b"", "application/json", 422),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', "application/json", 413),
    ],
)
@pytest.mark.parametrize("route", [QUICK, ORDINARY], ids=["hot", "ordinary"])
async def test_a_body_that_cannot_be_read_is_refused_by_name(
    node: ServedNode, route: str, content: bytes, media_type: str, status: int
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    headers = clerk.headers({"Content-Type": media_type, "Idempotency-Key": "k"})
    answer = await node.client.post(route, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["remedy"]
    assert await node.count("things") == 0


async def test_a_backslash_before_u0000_in_the_text_is_no_nul(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    for route, name in ((QUICK, "a\\u0000"), (ORDINARY, "b\\u0000")):
        answer = await clerk.post(route, {"name": name})
        assert answer.json()["name"] == name


async def test_a_refusal_on_the_hot_route_is_audited_with_article_and_changes_nothing(
    node: ServedNode,
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1", subject="p9")
    answer = await clerk.post(QUICK, {"name": "refused"})
    assert answer.status_code == 409
    assert answer.json()["article"] == "第十一条"
    assert answer.json()["kind"] == "law"
    (row,) = await node.query("SELECT * FROM kernel.audit WHERE subject = 'p9'")
    assert (row["outcome"], row["reason"], row["article"]) == ("refused", "wrong-state", "第十一条")
    assert row["act"] == "POST /sample/v1/things/quick"


async def test_a_violated_constraint_on_the_hot_route_writes_nothing_at_all(
    node: ServedNode,
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    await clerk.post(QUICK, {"name": "a"})
    events = await node.count("kernel.outbox")
    await node.query("ALTER TABLE things ADD CONSTRAINT one_size UNIQUE (size)")
    answer = await clerk.post(QUICK, {"name": "b"}, key="k2")
    await node.query("ALTER TABLE things DROP CONSTRAINT one_size")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("already-exists")
    assert await node.count("kernel.outbox") == events
    assert await node.count("kernel.idempotency", "key = 'k2'") == 0


async def test_the_hot_route_needs_a_token_and_a_permission_like_any_other(
    node: ServedNode,
) -> None:
    anonymous = await node.client.post(QUICK, json={"name": "a"})
    assert anonymous.status_code == 401
    auditor = await node.caller("auditor", organisation="org-1").post(QUICK, {"name": "a"})
    assert auditor.status_code == 403


async def test_a_lost_connection_of_the_hot_pool_is_replaced(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    assert (await clerk.post(QUICK, {"name": "a"})).status_code == 201
    await node.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'yiwang-sample-hot' AND datname = current_database()"
    )
    statuses = [(await clerk.post(QUICK, {"name": f"b{n}"})).status_code for n in range(3)]
    assert statuses[-1] == 201
    assert set(statuses) <= {201, 503}, node.log.getvalue()
