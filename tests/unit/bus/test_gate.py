"""What the gate lets through: envelope, signature, destination, the sender's right."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.events.base import OrganisationRef
from contracts.events.clock import ClockEnded
from contracts.events.filing import FilingSubmitted
from contracts.topics import load_topics, topic_name
from kernel.authenticity import Authentic, Gate, Untrusted
from kernel.consuming import Record, Refusal
from kernel.handlers import Handlers
from kernel.signing import Keyring
from tests.support.buskit import (
    CITY,
    HAIFENG,
    LUFENG,
    RECEIVED,
    Keys,
    Source,
    agency,
    agency_record,
)

CONFIRMED = "yiwang.sharing.request.confirmed.v1"


async def nothing(_: object, __: object) -> None:
    """A handler."""


def make_gate(keys: Keys, *, node: str = LUFENG, without: tuple[str, ...] = ()) -> Gate:
    handlers = Handlers()
    handlers.on(*load_topics().types)(nothing)
    registry = keys.registry(without=without)
    return Gate(keyring=Keyring(registry), topics=load_topics(), handlers=handlers, node=node)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def source(keys: Keys) -> Source:
    return Source(keys)


def judge(keys: Keys, record: Record, **gate: object) -> Authentic | Untrusted | Refusal:
    return make_gate(keys, **gate).check(record, RECEIVED)  # type: ignore[arg-type]


def reason(keys: Keys, record: Record, **gate: object) -> str:
    judged = judge(keys, record, **gate)
    return judged.reason if isinstance(judged, Refusal) else type(judged).__name__


def test_a_rightful_event_passes_with_its_payload(keys: Keys, source: Source) -> None:
    record = source.send()
    judged = judge(keys, record)
    assert isinstance(judged, Authentic)
    assert judged.payload is not None
    assert judged.stored.payload == record.value
    assert judged.stored.received_at == RECEIVED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: r._replace(value=r.value + b" "), "signature_invalid"),
        (lambda r: r._replace(key=b"another"), "signature_invalid"),
        (lambda r: r._replace(partition=(r.partition + 1) % 4), "signature_invalid"),
        (lambda r: r._replace(topic=topic_name("sharing", HAIFENG)), "destination"),
        (lambda r: r._replace(topic="unheard.of.441581.v1"), "unknown_topic"),
        (lambda r: r._replace(headers=[]), "unsigned"),
        (lambda r: r._replace(value=b"x" * 600_000), "oversize"),
        (lambda r: r._replace(value=b"", headers=r.headers), "signature_invalid"),
        (lambda r: r._replace(key=b"\xff"), "key_form"),
    ],
)
def test_a_changed_or_misplaced_copy_is_refused(
    keys: Keys, source: Source, change: Callable[[Record], Record], why: str
) -> None:
    assert reason(keys, change(source.send())) == why


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"01940000-0000-7000-8000-0000000000aa"),
        ("ce_type", b"yiwang.sharing.request.withdrawn.v1"),
        ("ce_subject", b"other"),
        ("ce_time", b"2020-01-01T00:00:00.000000Z"),
        ("ce_sequence", b"2"),
        ("ce_epoch", b"01940000-0000-7000-8000-0000000000ab"),
        ("ce_caseversion", b"99"),
        ("ce_dataschema", b"urn:other"),
        ("ce_novelty", b"added on the way"),
    ],
)
def test_a_changed_or_added_attribute_is_refused(
    keys: Keys, source: Source, name: str, value: bytes
) -> None:
    record = source.send()
    headers = [*((n, v) for n, v in record.headers if n != name), (name, value)]
    assert reason(keys, record._replace(headers=headers)) == "signature_invalid"


def test_a_node_cannot_sign_for_another(keys: Keys, source: Source) -> None:
    source.signing = LUFENG
    assert reason(keys, source.send()) == "key_of_another_node"


def test_a_revoked_key_verifies_nothing(keys: Keys, source: Source) -> None:
    record = source.send()
    keys.states[HAIFENG] = "revoked"
    assert reason(keys, record) == "key_revoked"


def test_a_retired_key_verifies_what_it_signed(keys: Keys, source: Source) -> None:
    record = source.send()
    keys.states[HAIFENG] = "retired"
    assert reason(keys, record) == "Authentic"


def test_a_key_that_the_registry_does_not_name_yet_waits(keys: Keys, source: Source) -> None:
    assert reason(keys, source.send(), without=(HAIFENG,)) == "Untrusted"


def test_only_the_owner_writes_a_broadcast(keys: Keys) -> None:
    catalog = Source(keys, service="catalog")
    rightful = agency_record(catalog, agency("org-1", HAIFENG))
    assert reason(keys, rightful) == "Authentic"
    foreign = catalog.send(
        agency("org-1", LUFENG),
        key="org-1",
        type="yiwang.catalog.agency.announced.v1",
        topic=topic_name("agencies", LUFENG),
        destination="*",
    )
    assert reason(keys, foreign, node=CITY) == "not_the_owner_of_the_topic"


def test_an_announcement_names_its_own_node(keys: Keys) -> None:
    catalog = Source(keys, service="catalog")
    assert reason(keys, agency_record(catalog, agency("org-1", LUFENG))) == "sender_right"


def test_a_service_sends_only_on_topics_that_list_it(keys: Keys) -> None:
    assert reason(keys, Source(keys, service="catalog").send()) == "sender_service"


def test_a_type_stays_on_its_topics(keys: Keys, source: Source) -> None:
    row = source.row(source.event())
    moved = replace(row, type="yiwang.clock.digest.v1")
    assert reason(keys, source.seal(moved)[0]) == "type_not_of_topic"


def test_the_clocks_of_a_desk_are_its_own_nodes_alone(keys: Keys, source: Source) -> None:
    ended = ClockEnded(
        clock_id="c:1", case_id="case", ended_at="2026-02-13", end_event="replied", on_time=True
    )
    record = source.send(
        ended,
        key="case",
        type="yiwang.clock.ended.v1",
        topic=topic_name("filings", LUFENG),
    )
    assert reason(keys, record) == "sender_right"


def filing(node: str, org_node: str) -> FilingSubmitted:
    return FilingSubmitted(
        filing_id="f-1",
        rule="F1",
        article="第十四条",
        filer=OrganisationRef(org_id="org-1", name="甲", node=org_node),
        receiver_node=LUFENG,
        receiver_level="same",
        subject_kind="catalog_entry",
        subject_id="e-1",
        subject_no="1",
        subject_title="表",
        summary="",
        submitted_by="u",
        submitted_at="2026-02-13",
        rule_version="1",
        reply_to="catalog",
    )


def test_an_organisation_of_another_node_is_no_sender(keys: Keys, source: Source) -> None:
    topic = topic_name("filings", LUFENG)
    kind = "yiwang.filing.submitted.v1"
    own = source.send(filing(HAIFENG, HAIFENG), key="f-1", type=kind, topic=topic)
    assert reason(keys, own) == "Authentic"
    foreign = source.send(filing(HAIFENG, CITY), key="f-1", type=kind, topic=topic)
    assert reason(keys, foreign) == "sender_right"


def test_the_record_key_is_that_of_the_case(keys: Keys, source: Source) -> None:
    row = source.row(source.event())
    assert reason(keys, source.seal(replace(row, key="another-case"))[0]) == "key_not_of_case"


def test_a_payload_that_cannot_be_read_is_authentic_with_a_problem_without_values(
    keys: Keys, source: Source
) -> None:
    row = source.row(source.event())
    secret = b'{"request_id":{"990000190001010016":1}}'
    judged = judge(keys, source.seal(replace(row, payload=secret))[0])
    assert isinstance(judged, Authentic)
    assert judged.problem.startswith("payload:")
    assert "990000190001010016" not in judged.problem


def test_an_unknown_type_passes_as_not_understood(keys: Keys, source: Source) -> None:
    row = replace(source.row(source.event()), type="yiwang.sharing.request.teleported.v9")
    judged = judge(keys, source.seal(row)[0])
    assert isinstance(judged, Authentic)
    assert judged.spec is None


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "not-a-uuid"},
        {"sequence": 0},
        {"sequence": 7, "previous_epoch": "01940000-0000-7000-8000-000000000001"},
        {"event_id": "0195"},
        {"event_id": "01940000-0000-7000-8000-00000000000A"},
    ],
)
def test_numbers_and_ids_have_one_form(
    keys: Keys, source: Source, change: dict[str, object]
) -> None:
    row = replace(source.row(source.event()), **change)  # type: ignore[arg-type]
    assert reason(keys, source.seal(row)[0]) in {"number_form", "attribute_form"}


def test_a_refusal_shows_only_facts_of_a_safe_form(keys: Keys, source: Source) -> None:
    secret = "990000190001010016"
    record = source.send()
    headers = [
        (name, secret.encode() if name in {"ce_type", "ce_source"} else content)
        for name, content in record.headers
    ]
    judged = judge(keys, record._replace(headers=headers, value=secret.encode()))
    assert isinstance(judged, Refusal)
    assert secret not in repr(judged)


def test_a_parked_event_is_recalled_as_it_was(keys: Keys, source: Source) -> None:
    gate = make_gate(keys)
    judged = gate.check(source.send(), RECEIVED)
    assert isinstance(judged, Authentic)
    again = gate.recall(judged.stored)
    assert again.parked_before
    assert (again.envelope, again.payload, again.spec) == (
        judged.envelope,
        judged.payload,
        judged.spec,
    )
