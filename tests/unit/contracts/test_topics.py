"""Topics and event types: names, owners, rightful senders, receipts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.base import OrganisationRef, Payload
from contracts.regions import load_regions
from contracts.resources import data_path
from contracts.topics import (
    UnknownEventTypeError,
    UnknownTopicError,
    event_spec,
    load_topics,
    parse_topic,
    read_topics,
    topic_name,
)

TOPICS = load_topics()
TYPES = sorted(TOPICS.types)
FAMILIES = {
    "catalog",
    "agencies",
    "sharing",
    "filings",
    "catalog-mail",
    "flows",
    "flows-bulk",
    "open",
    "control",
    "dlq",
    "departments",
    "federation.nodes",
    "federation.documents",
}
NO_RECEIPT = ("yiwang.receipt.", "yiwang.control.", "yiwang.clock.", "yiwang.notice.")


def test_every_family_of_the_federation_is_declared():
    assert TOPICS.topics.keys() == FAMILIES


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_concrete_name_leads_back_to_its_family(family):
    spec = TOPICS.topic(family)
    node = None if spec.per == "city" else "441581"
    name = topic_name(family, node)
    assert parse_topic(name) == (family, node, spec.version)
    assert TOPICS.spec_of(name) == spec
    assert spec.pattern.startswith(family)


@given(
    family=st.sampled_from(sorted(FAMILIES - {"federation.nodes", "federation.documents"})),
    node=st.sampled_from(load_regions().nodes()),
)
def test_names_of_nodes_are_read_back(family, node):
    assert parse_topic(topic_name(family, node))[:2] == (family, node)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "sharing",
        "sharing.441581",
        "sharing.441581.1",
        "sharing.441581.v1.v2",
        "Sharing.441581.v1",
        "sharing.441581.v1\n",
        "sharing..v1",
        "sharing.441581.v０",
        "sharing.４４１５８１.v1",
    ],
)
def test_a_name_of_another_form_is_no_topic(name):
    with pytest.raises(UnknownTopicError):
        parse_topic(name)


@pytest.mark.parametrize(
    "name",
    ["tea.441581.v1", "sharing.441581.v9", "federation.nodes.441500.v1", "sharing.v1"],
)
def test_a_topic_that_is_not_declared_is_refused(name):
    with pytest.raises(UnknownTopicError):
        TOPICS.spec_of(name)


def test_a_family_needs_its_owner_and_a_city_broadcast_takes_none():
    with pytest.raises(UnknownTopicError):
        topic_name("sharing")
    with pytest.raises(UnknownTopicError):
        topic_name("federation.nodes", "441500")
    with pytest.raises(UnknownTopicError):
        topic_name("tea", "441500")


def test_an_unknown_event_type_is_an_error():
    with pytest.raises(UnknownEventTypeError):
        event_spec("yiwang.tea.served.v1")


def _field(model: type[Payload], path: str):
    for name in path.split("."):
        field = model.model_fields[name]
        model = field.annotation
    return field


@pytest.mark.parametrize("event_type", TYPES)
def test_paths_of_sender_key_and_organisations_exist_in_the_payload(event_type):
    spec = event_spec(event_type)
    for path in filter(None, (spec.sender_field, spec.key_field)):
        assert _field(spec.model, path).annotation is str
    for path in spec.organisation_fields:
        assert _field(spec.model, path).annotation is OrganisationRef


@pytest.mark.parametrize("event_type", TYPES)
def test_an_event_type_has_name_version_titles_and_a_schema_of_its_own(event_type):
    spec = event_spec(event_type)
    assert event_type.startswith("yiwang.")
    assert event_type.rpartition(".v")[2].isdigit()
    assert spec.title_zh
    assert spec.title_en.isascii()
    assert spec.schema_url.endswith(event_type)


@pytest.mark.parametrize("event_type", TYPES)
def test_receipts_status_clocks_and_control_ask_for_no_receipt(event_type):
    quiet = event_type.startswith(NO_RECEIPT) or event_type.endswith(".status.v1")
    broadcast = any(
        TOPICS.topic(family).kind == "broadcast" for family in TOPICS.families_of_type[event_type]
    )
    if quiet or broadcast:
        assert not event_spec(event_type).receipt


@pytest.mark.parametrize(
    "event_type",
    [
        "yiwang.sharing.request.dispatched.v1",
        "yiwang.sharing.request.replied.v1",
        "yiwang.sharing.request.delivered.v1",
        "yiwang.sharing.request.withdrawn.v1",
        "yiwang.sharing.grant.ended.v1",
        "yiwang.filing.submitted.v1",
        "yiwang.filing.completed.v1",
        "yiwang.filing.recorded.v1",
        "yiwang.filing.returned.v1",
    ],
)
def test_what_a_party_relies_on_is_receipted(event_type):
    assert event_spec(event_type).receipt


def test_broadcasts_are_compacted_and_mailboxes_are_not():
    for spec in TOPICS.topics.values():
        assert (spec.cleanup == "compact") == (spec.kind == "broadcast")
        assert (spec.retention_ms is None) == (spec.cleanup == "compact")


def test_partitions_and_sizes_fit_an_ordinary_broker():
    for spec in TOPICS.topics.values():
        single = {"agencies", "control", "dlq", "federation.nodes", "federation.documents"}
        assert spec.partitions == (1 if spec.family in single else 4)
        assert spec.max_bytes <= (4 << 20 if spec.family == "flows-bulk" else 1 << 20)


def test_a_service_reads_its_mailbox_and_the_broadcasts_it_needs():
    families = {spec.family for spec in TOPICS.consumed_by("sharing")}
    assert {"sharing", "catalog", "agencies", "control"} <= families
    assert "filings" not in families
    assert {spec.family for spec in TOPICS.consumed_by("notify")} >= {"filings", "agencies"}
    assert {spec.family for spec in TOPICS.consumed_by("catalog")} >= {"catalog-mail", "catalog"}


def test_control_is_the_only_family_without_numbers():
    assert [spec.family for spec in TOPICS.topics.values() if not spec.numbered] == ["control"]


def test_a_type_on_two_topics_is_declared_alike(tmp_path):
    text = (data_path("topics") / "filings.v1.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    changed = text.replace("family: filings", "family: filed").replace("receipt: true", "")
    (tmp_path / "b.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(ValueError, match="differs from its other declaration"):
        read_topics(tmp_path)


def test_a_family_is_declared_once(tmp_path):
    text = (data_path("topics") / "flows.v1.yaml").read_text(encoding="utf-8")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="declared twice"):
        read_topics(tmp_path)
