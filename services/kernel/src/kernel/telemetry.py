"""Traces that survive outbox and bus: a span is begun from a stored ``traceparent``, not a context.

Without an exporter no span is recorded, but trace ids are still made and carried, so that logs,
problems and audit rows of one story name the same trace everywhere.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

Kind = Literal["server", "client", "producer", "consumer", "internal"]
_KINDS: Mapping[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_TRACEPARENT_LENGTH = 55
_SERVER_FAULT = 500


class Span:
    """One span; ``traceparent`` is what its effects carry on. Attributes are codes, never values."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, traceparent: str, span: SdkSpan | None) -> None:
        self.traceparent = traceparent
        self._span = span

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hex digits."""
        return self.traceparent[3:35]

    @property
    def recorded(self) -> bool:
        """Whether anybody will see this span."""
        return self._span is not None

    def set(self, **attributes: str | int | bool) -> None:
        """Add attributes; a double underscore in a name becomes a dot."""
        if self._span is not None:
            for name, value in attributes.items():
                self._span.set_attribute(name.replace("__", "."), value)

    def end(self, *, status: int = 0, error: str = "") -> None:
        """End the span with an HTTP status or an error's class."""
        if self._span is None:
            return
        if status:
            self._span.set_attribute("http.response.status_code", status)
        if error or status >= _SERVER_FAULT:
            self._span.set_status(Status(StatusCode.ERROR, error or None))
        self._span.end()


class Telemetry:
    """The tracer of one service; ``exporter`` is given by tests in place of OTLP over HTTP."""

    def __init__(
        self,
        *,
        service: str,
        node: str,
        endpoint: str = "",
        ratio: float = 1.0,
        exporter: SpanExporter | None = None,
    ) -> None:
        self._provider: TracerProvider | None = None
        if endpoint and exporter is None:
            exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        if exporter is not None:
            resource = Resource(
                {
                    "service.name": f"yiwang-{service}",
                    "service.namespace": node,
                    "yiwang.node": node,
                }
            )
            sampler = ParentBased(TraceIdRatioBased(ratio))
            self._provider = TracerProvider(resource=resource, sampler=sampler)
            self._provider.add_span_processor(
                BatchSpanProcessor(exporter, schedule_delay_millis=500)
            )
            self._tracer = self._provider.get_tracer("yiwang.kernel")

    def start(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: Kind = "internal",
        links: Iterable[str] = (),
    ) -> Span:
        """Begin a span; whoever began it ends it."""
        remote = parse_traceparent(parent)
        if self._provider is None:
            trace = f"{remote.trace_id:032x}" if remote else os.urandom(16).hex()
            return Span(f"00-{trace}-{os.urandom(8).hex()}-00", None)
        context = set_span_in_context(NonRecordingSpan(remote)) if remote else None
        span = self._tracer.start_span(
            name,
            context=context,
            kind=_KINDS[kind],
            links=[Link(found) for link in links if (found := parse_traceparent(link))],
        )
        made = span.get_span_context()
        traceparent = f"00-{made.trace_id:032x}-{made.span_id:016x}-{int(made.trace_flags):02x}"
        return Span(traceparent, span if isinstance(span, SdkSpan) else None)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: Kind = "internal",
        links: Iterable[str] = (),
    ) -> Iterator[Span]:
        """Run a block in a span; an exception marks it by class and passes on."""
        span = self.start(name, parent=parent, kind=kind, links=links)
        try:
            yield span
        except BaseException as error:
            span.end(error=type(error).__name__)
            raise
        span.end()

    def flush(self) -> None:
        """Hand everything recorded to the exporter; blocks for at most five seconds."""
        if self._provider is not None:
            self._provider.force_flush(5000)

    def close(self) -> None:
        """Flush and stop the exporter's thread."""
        if self._provider is not None:
            self._provider.shutdown()


def parse_traceparent(text: str | None) -> SpanContext | None:
    """Read a W3C ``traceparent``; ``None`` when there is none or it is malformed."""
    if not text or len(text) != _TRACEPARENT_LENGTH or text[2] != "-":
        return None
    try:
        _, trace, span, flags = text.split("-")
        context = SpanContext(
            trace_id=int(trace, 16),
            span_id=int(span, 16),
            is_remote=True,
            trace_flags=TraceFlags(int(flags, 16)),
        )
    except ValueError:
        return None
    return context if context.is_valid else None
