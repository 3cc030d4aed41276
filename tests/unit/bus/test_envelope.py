"""The envelope on the wire and the bytes under its signature."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import (
    Envelope,
    EnvelopeError,
    Signature,
    digest,
    encoded_attributes,
    event_leaf,
    from_record,
    read_signed,
    signed_bytes,
    to_headers,
)
from contracts.resources import data_path

VALUE = b'{"request_id":"r-1"}'
TOPIC = "sharing.441581.v1"
ENVELOPE = Envelope(
    id="01940000-0000-7000-8000-0000000000aa",
    source="/nodes/441521/sharing",
    type="yiwang.sharing.request.dispatched.v1",
    subject="r-1",
    time="2026-02-13T08:30:00.000001Z",
    dataschema="urn:yiwang:schema:yiwang.sharing.request.dispatched.v1",
    epoch="01940000-0000-7000-8000-000000000002",
    sequence=1,
    case_version=3,
    key_id="441521-2026",
    previous_epoch="01940000-0000-7000-8000-000000000001",
    previous_last=17,
)
SIGNATURE = Signature(1, 0, b"\x01" * 64, b"")


def headers(envelope: Envelope = ENVELOPE, **changed: bytes | None) -> list[tuple[str, bytes]]:
    made = to_headers(
        encoded_attributes(envelope), SIGNATURE, "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    )
    return [
        (name, changed.get(name, content))  # type: ignore[misc]
        for name, content in made
        if changed.get(name, content) is not None
    ]


def read(given: list[tuple[str, bytes]], **place: Any) -> Any:
    arguments = {"topic": TOPIC, "partition": 2, "key": b"r-1", "value": VALUE, **place}
    topic = arguments.pop("topic")
    return from_record(given, topic, **arguments)


def test_what_is_written_is_read_back_with_the_bytes_that_were_signed() -> None:
    received = read(headers())
    assert received.envelope == ENVELOPE
    assert received.signature == SIGNATURE
    assert received.signed == signed_bytes(
        ENVELOPE, TOPIC, partition=2, key="r-1", payload_sha256=digest(VALUE)
    )


def test_the_signed_bytes_are_those_of_the_committed_vectors() -> None:
    for vector in json.loads((data_path("vectors") / "signed.json").read_bytes()):
        envelope = Envelope(
            **{
                **vector["envelope"],
                "extra": tuple(map(tuple, vector["envelope"].get("extra", ()))),
            }
        )
        signed = signed_bytes(
            envelope,
            vector["topic"],
            partition=vector["partition"],
            key=vector["key"],
            payload_sha256=digest(vector["payload"].encode()),
        )
        assert signed.hex() == vector["signed"], vector["name"]
        assert event_leaf(signed).hex() == vector["leaf"], vector["name"]


def test_evidence_tells_everything_that_was_signed() -> None:
    signed = signed_bytes(ENVELOPE, TOPIC, partition=2, key="r-1", payload_sha256=digest(VALUE))
    told = read_signed(signed)
    assert (told.topic, told.partition, told.key) == (TOPIC, 2, "r-1")
    assert told.envelope == ENVELOPE
    assert told.payload_sha256 == digest(VALUE)


@pytest.mark.parametrize(
    "place",
    [{"topic": "sharing.441500.v1"}, {"partition": 3}, {"key": b"r-2"}, {"value": b"{}"}],
)
def test_a_copy_elsewhere_has_other_signed_bytes(place: dict[str, Any]) -> None:
    assert read(headers(), **place).signed != read(headers()).signed


@pytest.mark.parametrize(
    "field",
    ["id", "source", "type", "subject", "time", "dataschema", "epoch", "key_id", "previous_epoch"],
)
def test_every_attribute_is_signed(field: str) -> None:
    other = replace(ENVELOPE, **{field: getattr(ENVELOPE, field) + "x"})
    assert read(headers(other)).signed != read(headers()).signed


@pytest.mark.parametrize("field", ["sequence", "case_version", "previous_last"])
def test_every_number_is_signed(field: str) -> None:
    other = replace(ENVELOPE, **{field: getattr(ENVELOPE, field) + 1})
    assert read(headers(other)).signed != read(headers()).signed


def test_an_attribute_of_a_newer_sender_is_signed_too_and_kept() -> None:
    newer = replace(ENVELOPE, extra=(("priority", "high"),))
    received = read(headers(newer))
    assert received.envelope == newer
    assert received.signed != read(headers()).signed
    assert read_signed(received.signed).envelope == newer


def test_the_trace_is_carried_and_not_signed() -> None:
    plain = [(name, content) for name, content in headers() if name != "traceparent"]
    assert read(headers()).traceparent is not None
    assert read(plain).traceparent is None
    assert read(plain).signed == read(headers()).signed


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ce_signature": None}, "unsigned"),
        ({"ce_signature": b"1.0.zz."}, "signature_form"),
        ({"ce_signature": b"1.0"}, "signature_form"),
        ({"ce_id": None}, "missing_attribute"),
        ({"ce_specversion": b"0.3"}, "specversion"),
        ({"ce_sequence": b"01"}, "attribute_form"),
        ({"ce_sequence": b"-1"}, "attribute_form"),
        ({"ce_caseversion": b"three"}, "attribute_form"),
        ({"ce_subject": b"x" * 5000}, "attribute_size"),
        ({"ce_subject": b"\xff\xfe"}, "header_form"),
    ],
)
def test_what_is_no_envelope_is_refused_with_a_code(
    changed: dict[str, bytes | None], reason: str
) -> None:
    with pytest.raises(EnvelopeError) as refused:
        read(headers(**changed))
    assert refused.value.reason == reason


def test_a_repeated_attribute_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="repeated_attribute"):
        read([*headers(), ("ce_id", b"01940000-0000-7000-8000-0000000000ab")])


def test_a_flood_of_headers_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="too_many_headers"):
        read([*headers(), *((f"x-{n}", b"") for n in range(50))])


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)


@given(subject=TEXT, key=TEXT, sequence=st.integers(1, 1 << 62), payload=st.binary(max_size=64))
def test_any_envelope_survives_the_wire(
    subject: str, key: str, sequence: int, payload: bytes
) -> None:
    envelope = replace(ENVELOPE, subject=subject, sequence=sequence)
    given_headers = to_headers(encoded_attributes(envelope), SIGNATURE)
    received = from_record(given_headers, TOPIC, partition=0, key=key.encode(), value=payload)
    assert received.envelope == envelope
    told = read_signed(received.signed)
    assert (told.envelope, told.key) == (envelope, key)


def test_the_cloudevents_library_reads_our_records() -> None:
    message = KafkaMessage(headers=dict(headers()), key=b"r-1", value=VALUE)
    event = from_binary(message, JSONFormat(), CloudEvent)
    assert event.get_id() == ENVELOPE.id
    assert event.get_source() == ENVELOPE.source
    assert event.get_type() == ENVELOPE.type
    assert event.get_subject() == ENVELOPE.subject
    assert event.get_dataschema() == ENVELOPE.dataschema
    assert event.get_extension("epoch") == ENVELOPE.epoch
    assert event.get_data() == json.loads(VALUE)
