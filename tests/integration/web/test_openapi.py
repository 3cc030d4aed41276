"""The OpenAPI document is true: what it promises is what a fuzzer finds."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.integration.web import sample
from tests.support.http import NodeFiles, ServedNode, serving

pytestmark = pytest.mark.postgres


async def document(node: ServedNode) -> dict[str, Any]:
    answer = await node.client.get("/sample/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


async def test_every_operation_names_its_problems_and_its_token(node: ServedNode) -> None:
    found = await document(node)
    scheme = found["components"]["securitySchemes"]["oidc"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert "HTTPValidationError" not in str(found)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            own = path.endswith("/own/{secret}")
            assert operation["security"] == ([] if own else [{"oidc": []}])
            problem = operation["responses"]["422"]["content"]
            assert list(problem) == ["application/problem+json"]
            assert {"401", "403", "404", "500", "503"} <= set(operation["responses"])
            keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
            assert len(keys) == (1 if method == "post" else 0)


async def test_the_kernels_own_routes_are_part_of_it_and_the_internal_ones_are_not(
    node: ServedNode,
) -> None:
    paths = (await document(node))["paths"]
    assert {"/sample/v1/attachments", "/sample/v1/audit", "/sample/v1/dead-letters"} <= set(paths)
    assert not [path for path in paths if "internal" in path or "health" in path]


async def test_the_document_is_the_same_every_time(node: ServedNode) -> None:
    assert await document(node) == await document(node)


async def test_the_page_of_documentation_is_served(node: ServedNode) -> None:
    assert (await node.client.get("/sample/docs")).status_code == 200


async def test_a_fuzzer_finds_no_server_error(
    postgres_url: Callable[..., str], node_files: NodeFiles
) -> None:
    """Bounded: a fixed seed and a few examples an operation, sent with roles that may do all."""
    url = postgres_url("kernel")
    async with serving(sample.define, "sample", url, node_files, pool_size=4) as node:
        caller = node.caller("agency_clerk", "auditor", "node_operator", organisation="org-1")
        schema = schemathesis.openapi.from_dict(await document(node))
        statuses: dict[str, set[int]] = {}
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path.endswith("/fault"):
                continue
            seen = statuses.setdefault(f"{operation.method} {operation.path}", set())
            for case in examples(operation):
                sent = case.as_transport_kwargs(base_url="http://node.test")
                sent["headers"] = {
                    **printable(sent.get("headers") or {}),
                    **caller.headers(),
                }
                sent.pop("cookies", None)
                request = node.client.build_request(**sent)
                try:
                    request.read()
                except (TypeError, AttributeError):
                    continue  # a form that httpx itself cannot write
                answer = await node.client.send(request)
                seen.add(answer.status_code)
                assert answer.status_code < 500, (sent, answer.text, node.log.getvalue())
    reached = [name for name, seen in statuses.items() if seen & {200, 201}]
    assert len(reached) >= len(statuses) * 0.5, statuses


def printable(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value.isascii() and value.strip()}


def examples(operation: Any) -> list[Any]:
    found: list[Any] = []

    @settings(
        max_examples=12,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: Any) -> None:
        found.append(case)

    given(case=operation.as_strategy())(collect)()
    return found
