"""JSON Schemas: generated from the models, committed, and compatible with what was released."""

import copy
import json

import jsoncompat
import jsonschema_rs
import pytest

from contracts import generate
from contracts.golden.messages import all_samples, full_value, minimal_value
from contracts.resources import data_path
from contracts.topics import SCHEMA_PREFIX, load_topics

TYPES = sorted(load_topics().types)
RELEASED = sorted(path.name for path in data_path("released").glob("*.schema.json"))


def _schema(folder: str, name: str) -> dict:
    return json.loads((data_path(folder) / name).read_bytes())


def _compatible(old: dict, new: dict) -> bool:
    """A new producer against an old consumer: only additions pass."""
    # the gate reads only local references, and a name is none
    texts = [
        json.dumps({key: value for key, value in schema.items() if key != "$id"})
        for schema in (old, new)
    ]
    return jsoncompat.check_compat(*texts, "serializer")


def test_the_committed_schemas_are_those_of_the_models():
    assert generate.differing(data_path("schemas"), generate.schemas()) == [], (
        "run: python -m contracts.generate"
    )
    assert generate.main(["--check"]) == 0


def test_there_is_a_schema_for_every_type_and_for_no_other():
    names = {path.name for path in data_path("schemas").glob("*.json")}
    assert names == {f"{event_type}.schema.json" for event_type in TYPES}


@pytest.mark.parametrize("event_type", TYPES)
def test_a_schema_is_named_by_what_the_envelope_carries(event_type):
    schema = _schema("schemas", f"{event_type}.schema.json")
    assert schema["$id"] == SCHEMA_PREFIX + event_type
    assert schema["x-yiwang"]["topics"]


@pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: sample.type)
def test_what_we_send_is_valid_by_its_schema(sample):
    validator = jsonschema_rs.validator_for(_schema("schemas", f"{sample.type}.schema.json"))
    validator.validate(full_value(sample))
    validator.validate(minimal_value(sample))


@pytest.mark.parametrize("name", RELEASED)
def test_todays_schema_is_compatible_with_the_released_one(name):
    assert (data_path("schemas") / name).exists(), f"{name} was released and may not go away"
    assert _compatible(_schema("released", name), _schema("schemas", name)), (
        f"{name} breaks receivers of the released version: make a .v2 beside it"
    )


REQUEST = "yiwang.sharing.request.dispatched.v1.schema.json"


def _drop(schema: dict) -> None:
    del schema["properties"]["purpose"]
    schema["required"].remove("purpose")


def _make_optional(schema: dict) -> None:
    schema["required"].remove("purpose")


def _widen(schema: dict) -> None:
    schema["properties"]["term_days"]["type"] = ["integer", "string"]


def _new_choice(schema: dict) -> None:
    schema["properties"]["kind"]["enum"].append("verification")


def _drop_nested(schema: dict) -> None:
    del schema["$defs"]["OrganisationRef"]["properties"]["node"]
    schema["$defs"]["OrganisationRef"]["required"].remove("node")


@pytest.mark.parametrize("change", [_drop, _make_optional, _widen, _new_choice, _drop_nested])
def test_the_gate_finds_a_change_that_breaks_receivers(change):
    old = _schema("schemas", REQUEST)
    new = copy.deepcopy(old)
    change(new)
    assert not _compatible(old, new)


def _add_optional(schema: dict) -> None:
    schema["properties"]["urgency"] = {"type": "string", "default": ""}


def _add_required(schema: dict) -> None:
    _add_optional(schema)
    schema["required"].append("urgency")


def _retitle(schema: dict) -> None:
    schema["title"] = "Another title"
    schema["description"] = "Another description"


@pytest.mark.parametrize("change", [_add_optional, _add_required, _retitle])
def test_the_gate_lets_additions_pass(change):
    old = _schema("schemas", REQUEST)
    new = copy.deepcopy(old)
    change(new)
    assert _compatible(old, new)


def test_a_changed_schema_is_written_and_a_strangers_is_removed(tmp_path):
    directory = tmp_path / "schemas"
    assert len(generate.write(directory, generate.schemas())) == len(TYPES)
    assert generate.write(directory, generate.schemas()) == []
    first = directory / f"{TYPES[0]}.schema.json"
    first.write_text("{}", encoding="utf-8")
    assert generate.differing(directory, generate.schemas()) == [first.name]
    (directory / "yiwang.tea.served.v1.schema.json").write_text("{}", encoding="utf-8")
    names = {name for name, _ in generate.schemas()}
    assert generate.remove_strangers(directory, names) == ["yiwang.tea.served.v1.schema.json"]
