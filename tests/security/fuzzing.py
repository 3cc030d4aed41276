"""Generated requests against one service, from its OpenAPI document, with a fixed seed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from tests.security.whole_node import WholeNode

SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# valid by the schema is not yet acceptable: a domain rule may refuse it with 409 or 422
DOMAIN_DECIDES = "positive_data_acceptance"
# unknown query parameters are ignored, and any bytes are a file: only JSON bodies are strict
STRICT_BODIES = "negative_data_rejection"
Answer = Callable[[Any, Any], None]


def schema_of(node: WholeNode, service: str) -> Any:
    """Return the service's document as schemathesis reads it from the running application."""
    return schemathesis.openapi.from_asgi(f"/{service}/openapi.json", node.app)


def operations(schema: Any) -> Iterator[Any]:
    """Yield every operation."""
    for result in schema.get_all_operations():
        yield result.ok()


def cases(operation: Any, known: Mapping[str, str], mode: GenerationMode) -> Any:
    """Return generated requests; half of them name objects that exist."""
    free = operation.as_strategy(generation_mode=mode)
    names = {parameter.name for parameter in operation.path_parameters}
    there = {name: value for name, value in known.items() if name in names}
    if not there:
        return free
    return st.one_of(free, operation.as_strategy(generation_mode=mode, path_parameters=there))


def run(
    operation: Any,
    known: Mapping[str, str],
    *,
    token: str,
    examples: int,
    mode: GenerationMode = GenerationMode.POSITIVE,
    answered: Answer,
) -> None:
    """Send ``examples`` generated requests and hand each answer on."""

    headers = {"Authorization": f"Bearer {token}"}
    each(
        operation,
        known,
        examples=examples,
        mode=mode,
        look=lambda case: answered(case, case.call(headers=headers)),
    )


def each(
    operation: Any,
    known: Mapping[str, str],
    *,
    examples: int,
    look: Callable[[Any], None],
    mode: GenerationMode = GenerationMode.POSITIVE,
) -> None:
    """Hand generated requests on, unsent."""

    @settings(SETTINGS, max_examples=examples)
    @given(case=cases(operation, known, mode))
    def one(case: Any) -> None:
        look(case)

    one()


def conformance(token: str) -> Answer:
    """Return a judge of answers: the schema, the declared statuses, and no ignored token."""

    def judge(case: Any, response: Any) -> None:
        names = {DOMAIN_DECIDES}
        if case.media_type != "application/json":
            names.add(STRICT_BODIES)
        left_out = [CHECKS.get_one(name) for name in sorted(names)]
        headers = {"Authorization": f"Bearer {token}"}
        case.validate_response(response, excluded_checks=left_out, headers=headers)

    return judge
