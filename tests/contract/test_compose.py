"""``docker-compose.yml`` is valid by the Compose specification and fits what we write for it."""

import re
import stat
from pathlib import Path

import orjson
import pytest
import yaml
from compose_pydantic import ComposeSpecification
from pydantic import ValidationError

from federation import compose, files
from federation.embedded_postgres import SILENT
from federation.errors import SetupError
from federation.plan import SERVICES
from kernel.registry import Registry
from kernel.settings import ServiceSettings
from kernel.signing import NodeKey

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def _specification(document):
    # extension fields are allowed anywhere; the models only know those of services
    known = {name: part for name, part in document.items() if not name.startswith("x-")}
    return ComposeSpecification.model_validate(known)


def test_the_file_keeps_to_the_compose_specification(document):
    names = set(_specification(document).services)
    for node in ("city", "haifeng", "lufeng"):
        assert {f"{node}-{part}" for part in (*SERVICES, "postgres")} <= names
    assert {"kafka", "topics"} <= names


def test_the_check_refuses_a_field_that_the_specification_does_not_know(document):
    broken = {**document, "services": {"kafka": {"image": "kafka", "port": ["9092"]}}}
    with pytest.raises(ValidationError):
        _specification(broken)


def test_every_reference_inside_the_file_exists(document):
    for name, service in document["services"].items():
        for other in service.get("depends_on", {}):
            assert other in document["services"], (name, other)
        for secret in service.get("secrets", ()):
            assert secret["source"] in document["secrets"], (name, secret)
        assert set(service.get("networks", ())) <= set(document["networks"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if not source.startswith((".", "$")):
                assert source in document["volumes"], (name, source)


def test_every_setting_of_a_container_is_one_that_its_service_reads(document):
    fields = {field.upper() for field in ServiceSettings.model_fields}
    for name, service in document["services"].items():
        service_name = name.rpartition("-")[2]
        if service_name not in SERVICES:
            continue
        for variable in service["environment"]:
            setting = variable.removeprefix("YIWANG_").removeprefix(f"{service_name.upper()}_")
            assert setting in fields or setting.removesuffix("_FILE") in fields, (name, variable)


def test_no_database_or_broker_is_published_and_apis_only_on_loopback(document):
    for name, service in document["services"].items():
        ports = service.get("ports", [])
        assert all(port.startswith("127.0.0.1:") for port in ports), name
        if "postgres" in name or name == "kafka":
            assert not ports


def test_a_node_reaches_only_its_own_database(document):
    for name, service in document["services"].items():
        node = name.split("-")[0]
        if name.endswith("-postgres"):
            assert service["networks"] == [node]


def test_what_the_command_writes_is_what_the_file_mounts(document, tmp_path):
    place = tmp_path / "compose"
    compose.write(place)
    for secret in document["secrets"].values():
        path = re.sub(r"^\$\{[^}]*\}/", "", secret["file"])
        assert (place / path).is_file(), path
    registry = Registry.load(place / "shared" / files.REGISTRY)
    assert sorted(record.node for record in registry) == ["441500", "441521", "441581"]
    key = NodeKey.load(place / "lufeng" / "node_key")
    known = registry.key(key.id)
    assert known is not None
    assert (known[0].node, known[1].public) == ("441581", key.public())
    assert {"document", "signature"} <= orjson.loads(
        (place / "shared" / files.CALENDAR).read_bytes()
    ).keys()


def test_the_secrets_lie_in_a_closed_directory_and_are_never_replaced(tmp_path):
    place = tmp_path / "compose"
    compose.write(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    with pytest.raises(SetupError, match="never replaced"):
        compose.write(place)


def test_no_database_logs_a_statement_or_a_value(document):
    databases = [s for s in document["services"].values() if "postgres" in s.get("image", "")]
    assert len(databases) == 3
    for service in databases:
        given = set(service["command"][2::2])
        assert given == {f"{name}={value}" for name, value in SILENT.items()}
