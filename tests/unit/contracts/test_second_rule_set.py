"""A second city's rules load beside the first, and nothing of the first shows through."""

from datetime import date

import pytest

from contracts.authority import load_matrix, resolve_filings, resolve_relation
from contracts.calendar import packaged_calendar
from contracts.deadlines import due_date
from contracts.legal import LEVELS, carries
from contracts.regions import load_regions
from contracts.rules import UnknownRuleError
from tests.unit.contracts.rule_files import both, draft, other

FIRST, SECOND = draft(), other()
REGIONS = load_regions()


def test_the_second_set_is_complete():
    for name in ("deadlines", "filings", "gates"):
        first = [(item.id, item.name) for item in getattr(FIRST, name)]
        assert [(item.id, item.name) for item in getattr(SECOND, name)] == first
    assert SECOND.parameters.keys() == FIRST.parameters.keys()


def test_every_length_differs():
    lengths = [deadline.length for deadline in SECOND.deadlines]
    assert len(set(lengths)) == len(lengths)
    for deadline in FIRST.deadlines:
        assert SECOND.deadline(deadline.id).length != deadline.length


def test_every_addressee_level_and_article_differs():
    for rule in FIRST.filings:
        second = SECOND.filing(rule.id)
        assert second.receiver_level != rule.receiver_level
        assert second.receiver != rule.receiver
        assert second.citation != rule.citation
    for deadline in FIRST.deadlines:
        assert SECOND.deadline(deadline.id).escalation != deadline.escalation
        assert SECOND.deadline(deadline.id).start_basis != deadline.start_basis


def test_every_gate_with_a_standard_has_another_one():
    for gate in FIRST.gates:
        if gate.basis_levels:
            assert set(SECOND.gate(gate.id).basis_levels) != set(gate.basis_levels)


def test_every_number_of_policy_differs():
    for name, parameter in FIRST.parameters.items():
        if isinstance(parameter.value, int) and not isinstance(parameter.value, bool):
            assert SECOND.parameter(name) != parameter.value, name
    assert SECOND.text("receipt_event") != FIRST.text("receipt_event")


def test_both_load_side_by_side_and_an_open_case_keeps_its_own():
    book = both()
    assert book.current.version == FIRST.version
    assert book.get("gedian-2031").deadline("D3").length == 7
    assert book.get("shanwei-2025-draft").deadline("D3").length == 5
    with pytest.raises(UnknownRuleError):
        book.get("gedian-2032")


def test_the_same_start_gives_each_its_own_due_date():
    start = date(2026, 2, 13)
    calendar = packaged_calendar()
    first = due_date(FIRST, "share.reply", start=start, calendar=calendar)
    second = due_date(SECOND, "share.reply", start=start, calendar=calendar)
    assert (first.due_on, second.due_on) == ("2026-02-27", "2026-03-02")
    assert (first.article, second.article) == ("第十九条第三款", "第五十九条第三款")


def test_the_same_request_is_filed_with_others():
    relation = resolve_relation("441521", "441581", regions=REGIONS)
    found = resolve_filings(
        relation, "441521", request_kind="conditional", rules=SECOND, regions=REGIONS
    )
    assert [(t.rule, t.receiver_node, t.receiver_level, t.external) for t in found] == [
        ("F2a", "441500", "city", False),
        ("F2b", "441521", "province", True),
    ]


@pytest.mark.parametrize(
    ("level", "first", "second"),
    [
        ("law", True, True),
        ("administrative_regulation", True, True),
        ("local_regulation", True, False),
        ("departmental_rule", True, False),
        ("government_rule", True, False),
        ("national_provision", False, True),
        ("normative", False, False),
    ],
)
def test_a_refusal_needs_the_level_that_its_own_rules_ask_for(level, first, second):
    assert level in LEVELS
    assert carries(level, FIRST.gate("G7")) is first
    assert carries(level, SECOND.gate("G7")) is second


def test_the_same_lateness_is_escalated_to_others():
    decide = load_matrix().decision
    first = decide("request.conditional", "administrative_organ", level="county", rules=FIRST)
    second = decide("request.conditional", "administrative_organ", level="county", rules=SECOND)
    assert first.escalation == ("authority_same_level", "government_office_same_level")
    assert second.escalation == ("government_office_same_level", "authority_city")
