"""Golden messages: a sample's value with the signed headers that a broker would carry."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.envelope import (
    Envelope,
    Signature,
    digest,
    encoded_attributes,
    event_leaf,
    root_bytes,
    signed_bytes,
    to_headers,
)
from contracts.golden import catalog, desk, documents, sharing
from contracts.golden.cast import Sample
from contracts.stream import leaf_hash, merkle_paths, partition_of
from contracts.topics import TopicSpec, event_spec, load_topics

KEY_ID = "example-sign-1"
_EPOCH = "019a7b00-0000-7000-8000-000000000901"
_TIME = "2026-02-13T01:30:00Z"
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_NEIGHBOUR = leaf_hash(b"the other event of the batch")
_SEQUENCE = 7


def example_key() -> Ed25519PrivateKey:
    """Return the key that signs the examples; it is public knowledge and signs nothing else."""
    return Ed25519PrivateKey.from_private_bytes(sha256(b"yiwang golden examples").digest())


def all_samples() -> tuple[Sample, ...]:
    """Return one full sample per event type, in the order of the story."""
    return (*catalog.samples(), *sharing.samples(), *desk.samples(), *documents.samples())


def full_value(sample: Sample) -> dict[str, Any]:
    """Return the value with every field."""
    return sample.payload.model_dump(mode="json")


def minimal_value(sample: Sample) -> dict[str, Any]:
    """Return the value with required fields only: what the oldest sender may send."""
    fields = type(sample.payload).model_fields
    required = {name for name, field in fields.items() if field.is_required()}
    return sample.payload.model_dump(mode="json", include=required)


def _event_id(sample: Sample, name: str) -> str:
    tail = sha256(f"{sample.type}/{name}".encode()).hexdigest()[:12]
    return f"019a7b00-0000-7000-8000-{tail}"


def _sign(envelope: Envelope, topic: str, *, key: str, partition: int, value: bytes) -> Signature:
    signed = signed_bytes(
        envelope, topic, partition=partition, key=key, payload_sha256=digest(value)
    )
    leaves = [event_leaf(signed), _NEIGHBOUR]
    root, paths = merkle_paths(leaves)
    signature = example_key().sign(root_bytes(len(leaves), root))
    return Signature(len(leaves), 0, signature, paths[0])


def message(sample: Sample, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example as its file holds it; the record's value is ``value`` as compact JSON."""
    topic: TopicSpec = load_topics().spec_of(sample.topic)
    partition = partition_of(sample.key, topic.partitions)
    envelope = Envelope(
        id=_event_id(sample, name),
        source=sample.source,
        type=sample.type,
        subject=sample.key,
        time=_TIME,
        dataschema=event_spec(sample.type).schema_url,
        epoch=_EPOCH if topic.numbered else "",
        sequence=_SEQUENCE if topic.numbered else 0,
        case_version=sample.case_version,
        key_id=KEY_ID,
    )
    signature = _sign(
        envelope, sample.topic, key=sample.key, partition=partition, value=orjson.dumps(value)
    )
    headers = to_headers(encoded_attributes(envelope), signature, _TRACE)
    return {
        "topic": sample.topic,
        "partition": partition,
        "key": sample.key,
        "headers": {header: raw.decode() for header, raw in headers},
        "value": dict(value),
    }
