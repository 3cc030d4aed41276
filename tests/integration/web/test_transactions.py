"""One request is one transaction; a failure of any kind leaves nothing behind."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from kernel.redact import sqlstate
from tests.support.http import ServedNode

pytestmark = pytest.mark.postgres
THINGS = "/sample/v1/things"
NUMBER = "990000190001010016"


async def test_rows_event_and_audit_of_a_command_are_there_when_the_answer_is(
    node: ServedNode,
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1", subject="p1")
    answer = await clerk.post(THINGS, {"name": "a", "size": 3})
    assert answer.status_code == 201
    made = answer.json()["id"]
    assert await node.count("things", "id = :id", id=made) == 1
    (event,) = await node.query("SELECT * FROM kernel.outbox")
    assert (event["key"], event["transport"]) == (made, "local:notify")
    (row,) = await node.query("SELECT * FROM kernel.audit WHERE object_id = :id", id=made)
    assert (row["act"], row["subject"], row["organisation"]) == ("entry.draft", "p1", "org-1")
    assert row["article"] == "第十一条"
    assert row["details"] == '{"size":3}'
    assert await node.count("kernel.audit_pending", "id = :id", id=row["id"]) == 1


async def test_request_event_and_audit_carry_one_trace(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
    answer = await clerk.post(THINGS, {"name": "a"}, headers={"traceparent": parent})
    made = answer.json()["id"]
    (event,) = await node.query("SELECT traceparent FROM kernel.outbox")
    (row,) = await node.query("SELECT trace_id FROM kernel.audit WHERE object_id = :id", id=made)
    assert event["traceparent"].split("-")[1] == parent.split("-")[1]
    assert event["traceparent"] != parent
    assert row["trace_id"] == parent.split("-")[1]


@pytest.mark.parametrize(
    ("kind", "status", "problem"),
    [
        ("raise", 500, "internal-fault"),
        ("unique", 409, "already-exists"),
        ("cast", 422, "invalid"),
        ("range", 422, "invalid"),
        ("nul", 422, "invalid"),
        ("sql", 500, "internal-fault"),
        ("lost", 503, "unavailable"),
    ],
)
async def test_a_failing_command_leaves_no_row_and_names_no_value(
    node: ServedNode, kind: str, status: int, problem: str
) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    before = await node.count("kernel.audit", "act = 'entry.draft'")
    answer = await clerk.post(f"{THINGS}/fault", {"kind": kind, "value": NUMBER})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:yiwang:problem:{problem}"
    assert NUMBER not in answer.text
    assert NUMBER not in node.log.getvalue()
    assert await node.count("things") == 0
    assert await node.count("kernel.audit", "act = 'entry.draft'") == before


async def test_a_fault_is_logged_with_its_trace_and_where_it_happened(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    answer = await clerk.post(f"{THINGS}/fault", {"kind": "raise", "value": NUMBER})
    log = node.log.getvalue()
    assert answer.json()["trace_id"] in log
    assert "RuntimeError" in log
    assert ":fail" in log


async def test_the_connection_is_usable_after_a_fault(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    for kind in ("lost", "raise", "unique", "sql"):
        await clerk.post(f"{THINGS}/fault", {"kind": kind, "value": "x"})
        answer = await clerk.post(THINGS, {"name": f"after-{kind}"})
        assert answer.status_code == 201


async def test_a_get_cannot_write(node: ServedNode) -> None:
    async with node.runtime.database.transaction(read_only=True) as tx:
        with pytest.raises(DBAPIError) as refused:
            await tx.connection.exec_driver_sql("DELETE FROM things")
    assert sqlstate(refused.value) == "25006"


async def test_a_stale_version_is_refused_with_the_current_object(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    made = (await clerk.post(THINGS, {"name": "a"})).json()["id"]
    assert (await clerk.patch(f"{THINGS}/{made}", {"name": "b"}, version=1)).status_code == 200
    stale = await clerk.patch(f"{THINGS}/{made}", {"name": "c"}, version=1)
    assert stale.status_code == 409
    assert stale.json()["version"] == 2
    assert stale.json()["current"]["name"] == "b"
    missing = await clerk.patch(f"{THINGS}/{made}", {"name": "c"})
    assert missing.status_code == 428


async def test_pages_follow_each_other_without_gap_or_repeat(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    made = [(await clerk.post(THINGS, {"name": f"n{n}"})).json()["id"] for n in range(5)]
    await node.caller("agency_clerk", organisation="org-2").post(THINGS, {"name": "other"})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = (await clerk.get(THINGS, **query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made


async def test_many_requests_at_once_share_the_pool_and_all_succeed(node: ServedNode) -> None:
    clerk = node.caller("agency_clerk", organisation="org-1")
    answers = await asyncio.gather(
        *(clerk.post(THINGS, {"name": f"p{number}"}) for number in range(40))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await node.count("things") == 40


async def test_committed_events_wake_the_relay_and_refused_ones_do_not(node: ServedNode) -> None:
    woken: list[bool] = []
    node.runtime.database.on_emit.append(lambda: woken.append(True))
    clerk = node.caller("agency_clerk", organisation="org-1")
    await clerk.post(f"{THINGS}/fault", {"kind": "raise"})
    assert woken == []
    await clerk.post(THINGS, {"name": "a"})
    await clerk.post(f"{THINGS}/quick", {"name": "b"})
    assert woken == [True, True]
