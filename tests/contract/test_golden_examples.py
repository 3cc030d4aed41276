"""Golden messages: today's models read what was sent, and others can read it without us."""

import json
import shutil
from datetime import UTC, datetime

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cryptography.exceptions import InvalidSignature

from contracts import generate
from contracts.envelope import Signature, event_leaf, from_record, root_bytes
from contracts.golden.messages import all_samples, example_key
from contracts.resources import data_path
from contracts.stream import partition_of, root_of_path
from contracts.topics import event_spec, load_topics, value_at

FILES = sorted(data_path("examples").glob("*/*.json"))
IDS = [f"{path.parent.name}/{path.stem}" for path in FILES]
TYPES = sorted(load_topics().types)


def _read(path) -> dict:
    return json.loads(path.read_bytes())


def _value(message) -> bytes:
    return orjson.dumps(message["value"])


@pytest.mark.parametrize("event_type", TYPES)
def test_every_event_type_has_an_example_with_all_its_fields(event_type):
    message = _read(data_path("examples") / event_type / "full.json")
    assert set(message["value"]) == set(event_spec(event_type).model.model_fields), (
        "a field was added: python -m contracts.generate --rewrite"
    )


def test_no_example_is_of_an_unknown_type():
    assert {path.parent.name for path in FILES} == set(TYPES)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_todays_model_reads_the_example_and_loses_nothing(path):
    message = _read(path)
    model = event_spec(message["headers"]["ce_type"]).model
    payload = model.model_validate_json(_value(message))
    assert payload.model_dump(mode="json", exclude_unset=True) == message["value"]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_an_unknown_field_of_a_newer_sender_is_passed_over(path):
    message = _read(path)
    model = event_spec(message["headers"]["ce_type"]).model
    newer = {**message["value"], "field_of_the_year_2031": {"a": [1]}}
    assert model.model_validate_json(orjson.dumps(newer)) == model.model_validate_json(
        _value(message)
    )


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_the_cloudevents_library_reads_the_example_without_us(path):
    message = _read(path)
    headers = {name: value.encode() for name, value in message["headers"].items()}
    record = KafkaMessage(headers=headers, key=message["key"].encode(), value=_value(message))
    event = from_binary(record, JSONFormat(), CloudEvent)
    assert event.get_type() == path.parent.name
    assert event.get_source() == message["headers"]["ce_source"]
    assert event.get_subject() == message["headers"]["ce_subject"]
    assert event.get_id() == message["headers"]["ce_id"]
    assert event.get_time() == datetime(2026, 2, 13, 1, 30, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_dataschema() == event_spec(path.parent.name).schema_url
    assert event.get_extension("keyid") == "example-sign-1"
    assert event.get_data() == message["value"]
    # and writes the same attributes again
    written = to_binary(event, JSONFormat()).headers
    ours = {name: raw for name, raw in headers.items() if name.startswith("ce_")}
    assert {name: raw for name, raw in written.items() if name != "ce_partitionkey"} == {
        **ours,
        "content-type": b"application/json",
    }


def _signed(message, **changes) -> tuple[bytes, Signature]:
    headers = {**message["headers"], **changes.pop("headers", {})}
    place = {**message, **changes}
    received = from_record(
        [(name, text.encode()) for name, text in headers.items()],
        place["topic"],
        partition=place["partition"],
        key=place["key"].encode(),
        value=_value(place),
    )
    return received.signed, received.signature


def _verify(signed: bytes, signature: Signature) -> None:
    root = root_of_path(event_leaf(signed), signature.position, signature.size, signature.path)
    assert root is not None
    example_key().public_key().verify(signature.signature, root_bytes(signature.size, root))


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_the_signature_of_the_example_holds(path):
    _verify(*_signed(_read(path)))


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "sharing.441502.v1"},
        {"partition": 9},
        {"key": "another"},
        {"value": {"request_id": "another"}},
        {"headers": {"ce_source": "/nodes/441500/sharing"}},
        {"headers": {"ce_sequence": "8"}},
        {"headers": {"ce_newattribute": "x"}},
    ],
    ids=str,
)
def test_the_signature_does_not_hold_for_a_copy_elsewhere(change):
    message = _read(data_path("examples") / "yiwang.sharing.grant.ended.v1" / "full.json")
    with pytest.raises(InvalidSignature):
        _verify(*_signed(message, **change))


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_the_example_stands_where_its_topic_and_key_say(path):
    message = _read(path)
    spec = load_topics().spec_of(message["topic"])
    event = event_spec(path.parent.name)
    assert path.parent.name in {each.type for each in spec.events}
    assert message["partition"] == partition_of(message["key"], spec.partitions)
    payload = event.model.model_validate(message["value"])
    if event.key_field:
        assert value_at(payload, event.key_field) == message["key"]
    if event.sender_field:
        assert (
            value_at(payload, event.sender_field) == message["headers"]["ce_source"].split("/")[2]
        )


def test_no_example_carries_a_number_that_could_be_a_persons():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "身份证" not in text
        assert "password" not in text


def test_existing_examples_are_kept_and_missing_ones_written(tmp_path):
    directory = tmp_path / "examples"
    shutil.copytree(data_path("examples"), directory)
    kept = directory / "yiwang.filing.returned.v1" / "full.json"
    kept.write_text("{}", encoding="utf-8")
    gone = directory / "yiwang.filing.recorded.v1" / "full.json"
    gone.unlink()
    written = generate.write(directory, generate.examples(), keep=True)
    assert written == ["yiwang.filing.recorded.v1/full.json"]
    assert kept.read_text(encoding="utf-8") == "{}"


def test_every_sample_of_the_story_has_another_type():
    types = [sample.type for sample in all_samples()]
    assert len(set(types)) == len(types)
    assert sorted(types) == TYPES
