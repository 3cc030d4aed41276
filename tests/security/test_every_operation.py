"""Every service's whole API: it succeeds, it never faults, and nobody passes without a token."""

from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis import GenerationMode

from contracts.roles import load_roles
from tests.security import fuzzing
from tests.security.cast import AUTHORITY, EMERGENCY, Walk
from tests.security.whole_node import SERVICES

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(900),
    # the node's own loop draws random back-offs in another thread while a case is generated
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]
SHARE = 0.8
ROLES = tuple(load_roles().roles)
#: these answer whoever holds a grant's own token, and check it themselves
BY_GRANT = {"/sharing/v1/delivery/{grant_id}/rows", "/sharing/v1/delivery/{grant_id}/file"}


@pytest.mark.parametrize("service", SERVICES)
def test_at_least_four_fifths_of_the_operations_succeed(walked: Walk, service: str) -> None:
    every = set(walked.node.operations(service))
    good = walked.node.succeeded(service)
    assert len(good) >= SHARE * len(every), sorted(every - good)


@pytest.mark.parametrize("service", SERVICES)
def test_no_answer_to_any_role_is_a_fault(walked: Walk, service: str) -> None:
    node = walked.node
    tokens = {
        role: node.token(role, organisation=AUTHORITY if "authority" in role else EMERGENCY)
        for role in ROLES
    }
    faults: set[str] = set()

    def look(role: str, label: str, response: Any) -> None:
        if response.status_code >= 500:
            faults.add(f"{label} as {role}: {response.status_code}")

    for operation in fuzzing.operations(fuzzing.schema_of(node, service)):
        for role, token in tokens.items():
            fuzzing.run(
                operation,
                walked.known,
                token=token,
                examples=1,
                answered=lambda _, answer, role=role, label=operation.label: look(
                    role, label, answer
                ),
            )
    assert not faults


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("service", SERVICES)
def test_answers_keep_to_the_published_document(
    walked: Walk, service: str, mode: GenerationMode
) -> None:
    node = walked.node
    token = node.token(*ROLES, organisation=AUTHORITY, subject="everybody")
    failures: list[str] = []
    for operation in fuzzing.operations(fuzzing.schema_of(node, service)):
        try:
            fuzzing.run(
                operation,
                walked.known,
                token=token,
                examples=4,
                mode=mode,
                answered=fuzzing.conformance(token),
            )
        except Exception as error:  # noqa: BLE001 - all operations are looked at before it fails
            failures.append(f"{operation.label}: {error}"[:1500])
    assert not failures, "\n\n".join(failures)


def addresses(walked: Walk, service: str) -> Iterator[tuple[str, str, str]]:
    """Yield method, template and an address with objects that exist."""
    for method, template in walked.node.operations(service):
        path = template
        for name, value in walked.known.items():
            path = path.replace(f"{{{name}}}", value)
        yield method, template, path.replace("{", "").replace("}", "")


def bad_tokens(walked: Walk) -> dict[str, dict[str, str]]:
    """Headers that must not open anything, by what is wrong with them."""
    node = walked.node
    good = node.token(*ROLES, organisation=AUTHORITY)
    head, body, signature = good.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    tokens = {
        "garbage": "garbage",
        "another signature": f"{head}.{body}.{signature[:-6]}AAAAAA",
        "no algorithm": f"{unsigned}.{body}.",
        "another audience": node.token(*ROLES, audience="yiwang:441581"),
        "another node": node.token(*ROLES, node="441581"),
        "expired": node.token(*ROLES, seconds=-10),
    }
    bearers = {what: {"Authorization": f"Bearer {token}"} for what, token in tokens.items()}
    return {
        "no token": {},
        "basic": {"Authorization": "Basic dXNlcjpwYXNz"},
        "empty": {"Authorization": "Bearer "},
        **bearers,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_opens_without_a_token_of_this_node(walked: Walk, service: str) -> None:
    opened = []
    for method, template, path in addresses(walked, service):
        for what, headers in bad_tokens(walked).items():
            sent = {**headers, "Idempotency-Key": "k-1"}
            answer = walked.node.client.request(method, path, headers=sent, json={})
            if answer.status_code != 401:
                opened.append(f"{method} {template} with {what}: {answer.status_code}")
    assert not opened


@pytest.mark.parametrize("service", SERVICES)
def test_a_token_without_a_role_opens_nothing(walked: Walk, service: str) -> None:
    token = walked.node.token(organisation=AUTHORITY)
    opened = []
    for method, template, path in addresses(walked, service):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k-2"}
        answer = walked.node.client.request(method, path, headers=headers, json={})
        # what is malformed may be said before the caller's rights are looked at
        malformed = set() if method == "GET" else {415, 422, 428}
        allowed = {401} if template in BY_GRANT else {403} | malformed
        if answer.status_code not in allowed:
            opened.append(f"{method} {template}: {answer.status_code}")
    assert not opened


def test_a_change_of_law_from_before_the_calendar_is_refused(walked: Walk) -> None:
    entry_id = walked.known["entry_id"]
    body = {"kind": "other", "document": "旧令", "effective_on": "1026-05-01"}
    steward = walked.who("steward")
    path = f"/catalog/v1/entries/{entry_id}/trigger"
    assert "urn:yiwang:problem:invalid" in str(steward.post(path, body, expect=(422,)))
