"""A collector for OTLP over HTTP that keeps what it is sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {0: "", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class SinkSpan:
    """A span as it arrived; ids in hexadecimal, ``parent`` empty for a root."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    node: str
    service: str
    attributes: dict[str, str]
    links: tuple[tuple[str, str], ...]
    start: int
    end: int
    failed: bool


@dataclass
class Sink:
    """Everything received so far."""

    url: str
    spans: list[SinkSpan] = field(default_factory=list)

    def of_trace(self, trace: str) -> list[SinkSpan]:
        """Return the spans of a trace, earliest first."""
        return sorted((s for s in self.spans if s.trace == trace), key=lambda span: span.start)

    def texts(self) -> str:
        """Return every name and attribute as one text, to search it for what must not be there."""
        return "\n".join(f"{span.name} {span.attributes}" for span in self.spans)


@contextmanager
def collecting() -> Iterator[Sink]:
    """Run a collector on a loopback port for the length of a block."""
    sink: Sink

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            sink.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink = Sink(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[SinkSpan]:
    for resource in request.resource_spans:
        about = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SinkSpan(
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    name=span.name,
                    kind=KINDS[span.kind],
                    node=about.get("yiwang.node", ""),
                    service=about.get("service.name", "").removeprefix("yiwang-"),
                    attributes=_attributes(span.attributes),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    failed=span.status.code == 2,
                )


def _attributes(attributes) -> dict[str, str]:
    found = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        found[attribute.key] = str(getattr(attribute.value, kind)) if kind else ""
    return found
