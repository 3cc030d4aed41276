"""Refusals: in the caller's language, audited or counted, and without ever showing a value."""

import base64
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kernel.telemetry import Telemetry
from tests.support.http import ServedNode, SteadyClock

pytestmark = pytest.mark.postgres
THINGS = "/sample/v1/things"
NUMBER = "990000190001010016"


async def test_the_answer_speaks_the_language_that_is_asked_for(node: ServedNode) -> None:
    for language, title in (("zh", "未找到"), ("en", "Not found")):
        caller = node.caller("agency_clerk", language=language)
        answer = await caller.get(f"{THINGS}/{node.runtime.ids.uuid7()}")
        assert answer.status_code == 404
        assert answer.json()["title"] == title
    silent = await node.client.get(THINGS)
    assert silent.headers["content-language"] == "zh-CN"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sample/v1/nowhere", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", THINGS, 405),
        ("PUT", f"{THINGS}/quick", 405),
        ("GET", f"{THINGS}/", 404),
    ],
)
async def test_what_no_route_answers_is_a_problem_too(
    node: ServedNode, method: str, path: str, status: int
) -> None:
    caller = node.caller("agency_clerk")
    answer = await node.client.request(method, path, headers=caller.headers())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refusal_of_a_known_caller_is_an_audit_row_of_its_own(node: ServedNode) -> None:
    auditor = node.caller("auditor", organisation="org-1", subject="p7")
    answer = await auditor.post(THINGS, {"name": "a"})
    assert answer.status_code == 403
    (row,) = await node.query("SELECT * FROM kernel.audit WHERE subject = 'p7'")
    assert (row["outcome"], row["reason"]) == ("refused", "not-permitted")
    assert row["trace_id"] == answer.json()["trace_id"]
    assert await node.count("kernel.audit_pending", "id = :id", id=row["id"]) == 1
    assert await node.count("things") == 0


async def test_refusals_before_authentication_are_counted_by_source_and_minute(
    node: ServedNode, clock: SteadyClock
) -> None:
    audited = await node.count("kernel.audit")
    for _ in range(3):
        await node.client.get(THINGS)
    await node.client.get(THINGS, headers={"Authorization": "Bearer x.y.z"})
    clock.advance(minutes=1)
    await node.client.get(THINGS)
    for _ in range(2):
        await node.runtime.refusals.flush(node.runtime.database)
    await node.client.get(THINGS)
    await node.runtime.refusals.flush(node.runtime.database)
    rows = await node.query(
        "SELECT source, reason, refusals FROM kernel.refusal_counts ORDER BY minute, reason"
    )
    assert [(row["reason"], row["refusals"]) for row in rows] == [
        ("token-invalid", 1),
        ("unauthenticated", 3),
        ("unauthenticated", 2),
    ]
    assert {row["source"] for row in rows} == {"127.0.0.1"}
    assert await node.count("kernel.audit") == audited


async def test_tokens_of_another_node_audience_and_time_are_refused_by_name(
    node: ServedNode, clock: SteadyClock
) -> None:
    good = {"roles": ["agency_clerk"], "subject": "p1", "organisation": "org-1"}
    tokens = {
        "token-foreign": [
            node.issuer.mint(node="441581", **good),
            node.issuer.mint(node="441521", audience="yiwang:441581", **good),
            node.issuer.mint(node="441581", audience="yiwang:441521", **good),
        ],
        "token-expired": [node.issuer.mint(node="441521", seconds=-1, **good)],
        "token-invalid": [node.issuer.mint(node="441521", **good)[:-4] + "AAAA"],
    }
    for reason, found in tokens.items():
        for token in found:
            answer = await node.client.get(THINGS, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert answer.json()["type"] == f"urn:yiwang:problem:{reason}"
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_endpoint_with_tokens_of_its_own_refuses_and_is_counted(node: ServedNode) -> None:
    assert (await node.client.get(f"{THINGS}/own/open-sesame")).json() == {"caller": "anonymous"}
    assert (await node.client.get(f"{THINGS}/own/x")).status_code == 401
    await node.runtime.refusals.flush(node.runtime.database)
    assert await node.count("kernel.refusal_counts") == 1


def token_with(number: str) -> str:
    parts = [{"alg": "ES256", "typ": "JWT"}, {"sub": number}, {}]
    return ".".join(
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts
    )


async def test_a_marked_number_sent_every_way_reaches_no_answer_log_or_trace(
    node: ServedNode,
) -> None:
    exporter = InMemorySpanExporter()
    node.runtime.telemetry = Telemetry(service="sample", node="441521", exporter=exporter)
    clerk = node.caller("agency_clerk", organisation="org-1", subject=NUMBER)
    answers = await send_everywhere(node, clerk)
    node.runtime.telemetry.close()
    shown = [str(answer.headers) + answer.text for answer in answers if answer.status_code >= 400]
    assert len(shown) >= 20
    traces = [span.to_json() for span in exporter.get_finished_spans()]
    assert traces
    for text in (*shown, *traces, node.log.getvalue()):
        assert NUMBER not in text


async def send_everywhere(node: ServedNode, clerk: Any) -> list[httpx.Response]:
    json = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answers = [
        await clerk.post(f"{THINGS}/fault", {"kind": kind, "value": NUMBER})
        for kind in ("raise", "unique", "cast", "range", "nul", "sql", "lost")
    ]
    for route in (THINGS, f"{THINGS}/quick"):
        answers += [
            await clerk.post(route, {"name": NUMBER, "size": NUMBER}),
            await clerk.post(route, {"name": "a", NUMBER: NUMBER}),
            await clerk.post(route, {"name": NUMBER * 3}),
            await clerk.post(route, [NUMBER]),
            await clerk.post(route, {"name": NUMBER}, key=f"{NUMBER} x"),
            await clerk.post(route, {"name": NUMBER}, key=NUMBER),
            await clerk.post(route, {"name": NUMBER}),
            await node.client.post(
                route, content=f"{{{NUMBER}".encode(), headers=clerk.headers(json)
            ),
        ]
    for path in (
        f"{THINGS}/{NUMBER}",
        f"/sample/v1/{NUMBER}",
        f"/{NUMBER}",
        f"{THINGS}?cursor={NUMBER}",
        f"{THINGS}?limit={NUMBER}",
        f"/sample/v1/attachments/{NUMBER}",
        f"/sample/v1/audit?act={NUMBER}",
    ):
        answers.append(await clerk.get(path))
    for header in (f"Bearer {NUMBER}", f"Bearer {token_with(NUMBER)}", NUMBER):
        answers.append(await node.client.get(THINGS, headers={"Authorization": header}))
    answers.append(
        await node.client.get(
            THINGS, headers={"Accept-Language": NUMBER, "traceparent": NUMBER, "X-Any": NUMBER}
        )
    )
    return answers
