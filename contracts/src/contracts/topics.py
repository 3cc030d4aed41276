"""Topics and event types as data: who owns, writes and reads what, and who may send it.

One YAML per family in ``topics/``. The kernel generates subscriptions, access rights and the check
of the rightful sender from here; nothing about topics stands in code.
"""

import importlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from contracts.events.base import Payload
from contracts.resources import data_path, read_yaml

Kind = Literal["broadcast", "mailbox", "control", "operator"]
Sender = Literal[
    "owner_node",
    "requester_node",
    "source_node",
    "receiver_node",
    "filer_node",
    "holder_node",
    "city",
    "any_node",
    "own_node",
]
PayloadModel = type[Payload]
_NAME = re.compile(
    r"(?P<family>[a-z]+(?:[-.][a-z]+)*?)"
    r"(?:\.(?P<owner>[0-9A-Za-z_-]*[0-9][0-9A-Za-z_-]*))?"
    r"\.v(?P<version>[1-9][0-9]*)"
)
RECORD_OVERHEAD = 65_536
"""Bytes that a broker must allow beyond ``max_bytes``: headers with a signature's path, framing."""
SCHEMA_PREFIX = "urn:yiwang:schema:"


class UnknownTopicError(ValueError):
    """A topic name or family that the contracts do not declare."""


class UnknownEventTypeError(KeyError):
    """An event type that this version of the contracts does not know."""


class TopicName(NamedTuple):
    """A concrete topic taken apart; ``node`` is ``None`` for the city's own broadcasts."""

    family: str
    node: str | None
    version: int


class EventSpec(BaseModel):
    """One event type: payload model, rightful sender, receipt.

    ``sender`` names the party of the case that may send it (protocol §2). ``sender_field`` is the
    path in the payload that names that party's node; it is ``None`` where the payload does not
    name it: then the consuming slice compares the source with the party stored with the case.
    ``organisation_fields`` are paths of organisation references that must belong to the sending
    node by the registry. ``key_field`` is the path of the record key.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="forbid")

    type: str
    model: PayloadModel
    sender: Sender
    sender_field: str | None = None
    organisation_fields: tuple[str, ...] = ()
    key_field: str | None = None
    receipt: bool = False
    article: str = ""
    title_zh: str = ""
    title_en: str = ""

    @property
    def schema_url(self) -> str:
        """The value of ``ce_dataschema``: a stable name, resolvable in ``schemas/``."""
        return SCHEMA_PREFIX + self.type


class TopicSpec(BaseModel):
    """One topic family and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    version: int
    kind: Kind
    per: Literal["node", "organisation", "city"] = "node"
    owner_service: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    key: str
    partitions: int = Field(gt=0)
    cleanup: Literal["compact", "delete"]
    retention_ms: int | None = None
    max_bytes: int = Field(gt=0)
    compatibility: Literal["compatible", "forward", "none"] = "compatible"
    numbered: bool = True
    title_zh: str = ""
    title_en: str = ""
    events: tuple[EventSpec, ...] = ()

    @property
    def pattern(self) -> str:
        """The name with its placeholder, as documentation shows it."""
        return (
            f"{self.family}.v{self.version}"
            if self.per == "city"
            else (
                f"{self.family}.<{'org' if self.per == 'organisation' else 'node'}>.v{self.version}"
            )
        )


class TopicCatalogue(BaseModel):
    """All topics, found by family or by event type."""

    model_config = ConfigDict(frozen=True)

    topics: Mapping[str, TopicSpec]
    types: Mapping[str, EventSpec]
    families_of_type: Mapping[str, tuple[str, ...]]

    def topic(self, family: str) -> TopicSpec:
        """Return the family's current version; raises ``UnknownTopicError``."""
        try:
            return self.topics[family]
        except KeyError:
            raise UnknownTopicError(f"no topic family {family!r}") from None

    def spec_of(self, name: str) -> TopicSpec:
        """Return the specification of a concrete topic name; raises ``UnknownTopicError``."""
        parsed = parse_topic(name)
        spec = self.topic(parsed.family)
        if spec.version != parsed.version or (spec.per == "city") != (parsed.node is None):
            raise UnknownTopicError(f"{name!r} is not of the form {spec.pattern}")
        return spec

    def event(self, event_type: str) -> EventSpec:
        """Return the event type; raises ``UnknownEventTypeError``."""
        try:
            return self.types[event_type]
        except KeyError:
            raise UnknownEventTypeError(event_type) from None

    def consumed_by(self, service: str) -> tuple[TopicSpec, ...]:
        """Return the families that a service reads, sorted by name."""
        found = (spec for spec in self.topics.values() if service in spec.consumers)
        return tuple(sorted(found, key=lambda spec: spec.family))


def _model(path: str) -> PayloadModel:
    module_name, _, class_name = path.partition(":")
    model = getattr(importlib.import_module(module_name), class_name)
    if not (isinstance(model, type) and issubclass(model, Payload)):
        raise TypeError(f"{path} is no event payload")
    return model


def _topic(document: dict[str, Any]) -> TopicSpec:
    events = tuple(
        EventSpec(**{**event, "model": _model(event["model"])})
        for event in document.get("events", ())
    )
    return TopicSpec(**{**document, "events": events})


def read_topics(directory: Path) -> TopicCatalogue:
    """Read every topic file of a directory and check that types and families are consistent."""
    topics: dict[str, TopicSpec] = {}
    types: dict[str, EventSpec] = {}
    families: dict[str, tuple[str, ...]] = {}
    for path in sorted(directory.glob("*.yaml")):
        spec = _topic(read_yaml(path))
        if spec.family in topics:
            raise ValueError(f"{path.name}: family {spec.family} is declared twice")
        topics[spec.family] = spec
        for event in spec.events:
            if types.setdefault(event.type, event) != event:
                raise ValueError(f"{path.name}: {event.type} differs from its other declaration")
            families[event.type] = (*families.get(event.type, ()), spec.family)
    return TopicCatalogue(topics=topics, types=types, families_of_type=families)


@cache
def load_topics() -> TopicCatalogue:
    """Return the packaged topics."""
    return read_topics(data_path("topics"))


@lru_cache(maxsize=4096)
def topic_name(family: str, node: str | None = None) -> str:
    """Return the concrete name: ``topic_name("sharing", "441581")`` is ``sharing.441581.v1``.

    ``node`` is an organisation for ``departments`` and absent for the city's broadcasts.
    Raises ``UnknownTopicError`` when family or owner do not fit.
    """
    spec = load_topics().topic(family)
    if (spec.per == "city") != (node is None):
        raise UnknownTopicError(f"topic family {family!r} is named {spec.pattern}")
    return f"{family}.v{spec.version}" if node is None else f"{family}.{node}.v{spec.version}"


@lru_cache(maxsize=4096)
def parse_topic(name: str) -> TopicName:
    """Take a concrete topic name apart; raises ``UnknownTopicError`` when it has no such form."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise UnknownTopicError(f"{name!r} is no topic name")
    return TopicName(match["family"], match["owner"], int(match["version"]))


def event_spec(event_type: str) -> EventSpec:
    """Return the packaged specification of an event type; raises ``UnknownEventTypeError``."""
    return load_topics().event(event_type)


def value_at(payload: Payload, path: str) -> Any:
    """Return what stands at a dotted path of a payload, or ``None``."""
    value: Any = payload
    for name in path.split("."):
        value = getattr(value, name, None)
    return value
