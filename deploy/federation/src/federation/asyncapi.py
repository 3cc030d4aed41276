"""The AsyncAPI documents of the services, made by FastStream from the topics' files.

``python -m federation.asyncapi <directory>`` writes one file a service; a test keeps the committed ones
in step. The subscribers here only describe: what really reads is in ``kernel.bus``, on raw bytes.
"""

import re
import sys
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import orjson
from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from contracts.envelope import CONTENT_TYPE
from contracts.events.base import Payload
from contracts.topics import TopicCatalogue, TopicSpec, load_topics

SERVICES = ("catalog", "sharing", "notify")
VERSION = "1.0.0"
_ATTRIBUTES = (
    "specversion id source type subject time dataschema epoch sequence caseversion keyid signature"
)


def headers_schema() -> dict[str, Any]:
    """Return the schema of an event's record headers (CloudEvents 1.0, Kafka binary mode)."""
    names = [f"ce_{name}" for name in _ATTRIBUTES.split()]
    optional = ("ce_previousepoch", "ce_previouslast", "content-type", "traceparent")
    return {
        "type": "object",
        "required": names,
        "properties": {name: {"type": "string"} for name in (*names, *optional)},
    }


def _describe(broker: KafkaBroker, spec: TopicSpec) -> None:
    models: list[type[Payload]] = [event.model for event in spec.events]

    async def receive(body: Any) -> None:
        """Describe only; never called."""

    receive.__annotations__["body"] = reduce(or_, models)
    types = "\n".join(
        f"- `{event.type}` {event.title_zh} / {event.title_en}"
        + (f" ({event.article})" if event.article else "")
        for event in spec.events
    )
    subscriber = broker.subscriber(
        spec.pattern,
        title=spec.family,
        description=(
            f"{spec.title_zh} / {spec.title_en}. Key: {spec.key}; {spec.partitions} partitions;"
            f" {spec.cleanup}; at most {spec.max_bytes} bytes. `ce_type` is one of:\n{types}"
        ),
    )
    subscriber(receive)


def document(service: str, topics: TopicCatalogue) -> dict[str, Any]:
    """Return the AsyncAPI 3 document of what ``service`` reads from the federation bus."""
    broker = KafkaBroker("kafka.example:9092", protocol="kafka-secure")
    for spec in topics.consumed_by(service):
        if spec.events:
            _describe(broker, spec)
    app = FastStream(
        broker,
        specification=AsyncAPI(
            title=f"Yiwang {service}",
            version=VERSION,
            description="Events that the service receives; headers follow CloudEvents 1.0.",
        ),
    )
    found: dict[str, Any] = orjson.loads(app.schema.to_specification().to_json())
    _name_parameters(found["channels"])
    found["defaultContentType"] = CONTENT_TYPE
    found["components"]["schemas"]["EventHeaders"] = headers_schema()
    for message in found["components"]["messages"].values():
        message["headers"] = {"$ref": "#/components/schemas/EventHeaders"}
    return found


def _name_parameters(channels: dict[str, Any]) -> None:
    """Turn ``<node>`` of our topic patterns into parameters of the address."""
    for channel in channels.values():
        names = re.findall(r"<(\w+)>", channel["address"])
        channel["address"] = re.sub(r"<(\w+)>", r"{\1}", channel["address"])
        channel["bindings"]["kafka"].pop("topic", None)
        if names:
            channel["parameters"] = {name: {"description": f"code of the {name}"} for name in names}


def documents() -> Iterator[tuple[str, bytes]]:
    """Yield file name and content of every service's document."""
    topics = load_topics()
    for service in SERVICES:
        made = document(service, topics)
        yield (
            f"{service}.json",
            orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n",
        )


def write(directory: Path) -> None:
    """Write the documents into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in documents():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
