"""Spans begin from what a row stored, and say nothing but codes."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from kernel.telemetry import Telemetry, parse_traceparent

PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
UNSAMPLED = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Iterator[Telemetry]:
    made = Telemetry(service="sharing", node="441521", exporter=exporter)
    yield made
    made.close()


def test_a_span_continues_the_trace_that_a_row_stored(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    with telemetry.span("consume", parent=PARENT, kind="consumer") as span:
        span.set(yiwang__type="x.v1")
    telemetry.flush()
    (found,) = exporter.get_finished_spans()
    assert span.traceparent.split("-")[1] == PARENT.split("-")[1]
    assert span.trace_id == PARENT.split("-")[1]
    assert found.parent is not None
    assert f"{found.parent.span_id:016x}" == PARENT.split("-")[2]
    assert found.kind is SpanKind.CONSUMER
    assert dict(found.attributes or {}) == {"yiwang.type": "x.v1"}
    assert found.resource.attributes["yiwang.node"] == "441521"


def test_a_batch_links_what_it_carries(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    telemetry.start("publish", links=[PARENT, "rubbish"]).end()
    telemetry.flush()
    (found,) = exporter.get_finished_spans()
    assert [f"{link.context.span_id:016x}" for link in found.links] == [PARENT.split("-")[2]]


def test_a_failing_block_marks_its_span_by_the_class_of_the_error_alone(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(KeyError), telemetry.span("work"):
        raise KeyError("990000190001010016")
    telemetry.flush()
    (found,) = exporter.get_finished_spans()
    assert found.status.status_code is StatusCode.ERROR
    assert found.status.description == "KeyError"
    assert "990000190001010016" not in found.to_json()


def test_what_the_caller_does_not_sample_is_not_recorded_but_carried_on(
    telemetry: Telemetry, exporter: InMemorySpanExporter
) -> None:
    span = telemetry.start("work", parent=UNSAMPLED)
    span.end(status=200)
    telemetry.flush()
    assert not span.recorded
    assert span.trace_id == UNSAMPLED.split("-")[1]
    assert span.traceparent.endswith("-00")
    assert exporter.get_finished_spans() == ()


def test_without_an_exporter_traces_are_carried_all_the_same() -> None:
    telemetry = Telemetry(service="sharing", node="441521")
    span = telemetry.start("work", parent=PARENT)
    assert span.trace_id == PARENT.split("-")[1]
    assert parse_traceparent(span.traceparent) is not None
    fresh = telemetry.start("work")
    assert parse_traceparent(fresh.traceparent) is not None
    assert fresh.trace_id != span.trace_id
    telemetry.close()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-0-0-01",
        "00-" + "0" * 32 + "-0123456789abcdef-01",
        "00-" + "z" * 32 + "-0123456789abcdef-01",
        PARENT + "x",
    ],
)
def test_a_malformed_parent_is_no_parent(text: str | None) -> None:
    assert parse_traceparent(text) is None
