"""The draft of the Rules as data: every deadline, filing and gate, with its place in the text."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from contracts.authority import load_matrix
from contracts.calendar import packaged_calendar
from contracts.deadlines import due_date, ended_in_time, start_citation
from contracts.legal import LEVELS
from contracts.resources import read_yaml
from contracts.rules import RuleSet, UnknownRuleError, load_rule_sets, packaged_rules
from contracts.vocabulary import codes, is_code
from tests.unit.contracts.rule_files import DRAFT_FILE, draft

RULES = draft()

# domain §1.2 with the corrections: what is law, how long, where it stands, whether the start does
LAW = [
    ("D1", "catalog.update", 15, "第十二条第一款", "interpretation", "agency"),
    ("D2", "catalog.review", 5, "第十二条第一款", "interpretation", "authority_same_level"),
    ("D3", "share.reply", 5, "第十九条第三款", "interpretation", "source"),
    ("D4", "share.deliver", 5, "第十九条第三款", "text", "source"),
    ("D5", "share.need.verify", 5, "第十九条第五款", "text", "source"),
    ("D6", "open.apply.reply", 10, "第二十三条第二款", "text", "agency"),
    ("D7", "open.need.reply", 20, "第二十三条第四款", "text", "agency"),
    ("D8", "objection.user", 5, "第二十七条第一款", "text", "source"),
    ("D9", "objection.subject", 5, "第二十七条第二款", "text", "agency"),
]


@pytest.mark.parametrize(("key", "name", "length", "citation", "basis", "bound"), LAW)
def test_each_deadline_of_the_law_says_what_the_text_says(
    key, name, length, citation, basis, bound
):
    deadline = RULES.deadline(name)
    assert deadline == RULES.deadline(key)
    assert (deadline.id, deadline.length, deadline.citation) == (key, length, citation)
    assert (deadline.start_basis, deadline.bound_party) == (basis, bound)
    assert (deadline.kind, deadline.unit) == ("law", "working_day")


def test_there_are_exactly_nine_deadlines_of_the_law():
    assert [d.id for d in RULES.deadlines if d.kind == "law"] == [row[0] for row in LAW]


def test_a_start_that_the_text_does_not_name_is_not_cited_and_is_explained():
    for deadline in RULES.deadlines:
        if deadline.start_basis == "text":
            assert start_citation(deadline) == deadline.citation
        else:
            assert start_citation(deadline) == ""
        if deadline.kind == "law" and deadline.start_basis == "interpretation":
            assert deadline.start_note_zh
            assert deadline.start_note_en


def test_a_returned_submission_ends_the_review_round_while_the_update_runs_on():
    update, review = RULES.deadline("D1"), RULES.deadline("D2")
    assert update.reopened_by == "catalog.submission.returned"
    assert not update.ends_with("catalog.submission.returned")
    assert review.ends_with("catalog.submission.returned")


def test_the_review_ends_with_the_edition_and_not_with_the_approval():
    assert RULES.deadline("D2").end_event == "catalog.edition.published"


def test_sharing_is_complete_when_the_delivery_is_proved():
    assert RULES.deadline("D4").end_event == "share.delivery.proved"


@pytest.mark.parametrize("key", ["D7", "D9"])
def test_a_clock_that_ends_with_telling_the_person_does_not_end_with_deciding(key):
    assert RULES.deadline(key).end_event.endswith(".informed")


@pytest.mark.parametrize("key", ["D3", "D5", "D6", "D7", "D8", "D9"])
def test_clocks_that_start_with_receipt_follow_the_rule_parameter(key):
    assert RULES.deadline(key).receipt_event == RULES.text("receipt_event") == "stored_by_source"


@pytest.mark.parametrize("key", ["D1", "D4"])
def test_clocks_that_start_otherwise_do_not(key):
    assert RULES.deadline(key).receipt_event is None


def test_overdue_cases_go_to_the_own_level_and_never_to_the_upper_authority():
    parties = {step for deadline in RULES.deadlines for step in deadline.escalation}
    assert parties == {"authority_same_level", "government_office_same_level"}
    assert RULES.deadline("share.reply").escalate_to == "authority_same_level"


FILINGS = [
    ("F1", "第十四条第二款", "agency", "authority_same_level", "same"),
    ("F2a", "第二十条第二款", "requester", "authority_same_level", "same"),
    ("F2b", "第二十条第二款", "requester", "authority_upper_level", "upper"),
    ("F3", "第二十二条第三款", "agency", "authority_same_level", "same"),
    ("F4", "第二十二条第三款", "authority_same_level", "authority_upper_level", "upper"),
    ("F5", "第二十六条第二款", "agency", "authority_city", "city"),
    ("F6", "第二十六条第二款", "agency", "authority_city", "city"),
    ("F7", "第二十六条第三款", "government_county", "authority_city", "city"),
]


@pytest.mark.parametrize(("key", "citation", "filer", "receiver", "level"), FILINGS)
def test_each_filing_goes_where_the_text_sends_it_and_blocks_nothing(
    key, citation, filer, receiver, level
):
    rule = RULES.filing(key)
    assert rule == RULES.filing(rule.name)
    assert (rule.citation, rule.filer) == (citation, filer)
    assert (rule.receiver, rule.receiver_level) == (receiver, level)
    assert not rule.blocks


def test_there_are_no_other_filings():
    assert [rule.id for rule in RULES.filings] == [row[0] for row in FILINGS]


def test_both_filings_of_a_cross_level_request_have_the_same_trigger():
    found = RULES.filings_of("share.request.dispatched")
    assert [rule.id for rule in found] == ["F2a", "F2b"]
    for rule in found:
        assert not rule.applies_to("same_region", "conditional")
        assert rule.request_kinds == codes("request_kind")


GATES = {
    "G1": "第二条第三款",
    "G2": "第四条第二款",
    "G3": "第十三条第一款",
    "G4": "第十四条第一款",
    "G5": "第十四条第二款",
    "G6": "第十五条第一款",
    "G7": "第十九条第三款",
    "G8": "第二十二条第四款",
    "G9": "第二十一条第三款",
    "G10": "第二十三条第三款",
    "G11": "第二十六条第二款",
    "G12": "第二十六条第二款",
    "G13": "第三十条第三款",
    "G14": "第三十三条第一款",
    "G15": "第二十七条第三款",
    "G16": "第三十条第一款",
    "G17": "第十一条第四款",
}


def test_all_seventeen_gates_are_law_and_cite_their_article():
    assert {g.id: g.citation for g in RULES.gates if g.kind == "law"} == GATES


def test_a_claim_of_a_source_department_never_blocks():
    gate = RULES.gate("G6")
    assert not gate.blocks
    assert gate.opens == "source_conflict"


def test_guards_that_no_article_states_are_policy_named_as_such_and_switchable():
    guards = [gate for gate in RULES.gates if gate.kind == "policy"]
    assert {"requester_leader_approval", "good_standing"} <= {gate.name for gate in guards}
    for guard in guards:
        off = guard.model_copy(update={"enabled": False})
        assert type(guard).model_validate(off.model_dump()) == off


def test_the_law_cannot_be_switched_off():
    document = read_yaml(DRAFT_FILE)
    document["gates"][0]["enabled"] = False
    with pytest.raises(ValidationError, match="cannot be switched off"):
        RuleSet.model_validate(document)


@pytest.mark.parametrize("key", ["D10", "share.everything", "F9", ""])
def test_an_unknown_rule_is_an_error_and_not_a_default(key):
    for find in (RULES.deadline, RULES.filing, RULES.gate, RULES.parameter):
        with pytest.raises(UnknownRuleError):
            find(key)


def test_a_rule_is_found_only_as_what_it_is():
    with pytest.raises(UnknownRuleError, match="no filing"):
        RULES.filing("D3")
    with pytest.raises(UnknownRuleError, match="no deadline"):
        RULES.deadline("G7")
    with pytest.raises(UnknownRuleError, match="no gate"):
        RULES.gate("F1")


def test_parameters_are_read_as_what_they_are():
    assert RULES.integer("request.max_items") == 200
    assert RULES.integers("clock.remind_after_days") == (3, 5)
    assert RULES.flag("clock.supplement_stops") is False
    with pytest.raises(TypeError, match="no whole number"):
        RULES.integer("receipt_event")
    with pytest.raises(TypeError, match="neither true nor false"):
        RULES.flag("request.max_items")
    with pytest.raises(TypeError, match="no text"):
        RULES.text("request.max_items")
    with pytest.raises(TypeError, match="no list"):
        RULES.integers("request.max_items")


def test_every_party_level_and_code_of_the_rules_exists_elsewhere():
    parties = load_matrix().parties
    for deadline in RULES.deadlines:
        assert set(deadline.escalation) <= parties.keys()
    for gate in RULES.gates:
        assert set(gate.basis_levels) <= set(LEVELS)
    for rule in RULES.filings:
        assert rule.receiver in parties
        assert is_code("receiver_level", rule.receiver_level)
    assert RULES.parameters["receipt_event"].choices == codes("receipt_event")


def test_every_deadline_and_gate_has_both_titles():
    for item in (*RULES.deadlines, *RULES.filings, *RULES.gates):
        assert re.search(r"[一-鿿]", item.title_zh)
        assert item.title_en.isascii()


def _written(tmp_path: Path, change) -> Path:
    document = read_yaml(DRAFT_FILE)
    change(document)
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["deadlines"][0].update(length=0), "greater than 0"),
        (lambda d: d["deadlines"][0].update(start_basis="guess"), "start_basis"),
        (lambda d: d["deadlines"][0].pop("end_event"), "end_event"),
        (lambda d: d["deadlines"][0].update(escalate_to=[]), "escalate_to"),
        (lambda d: d["deadlines"][0].update(surprise=1), "surprise"),
        (lambda d: d["deadlines"].append(dict(d["deadlines"][0])), "occurs twice"),
        (lambda d: d["gates"][4].update(filing="F99"), "F99"),
        (lambda d: d["parameters"]["receipt_event"].update(value="yesterday"), "none of"),
    ],
)
def test_a_rule_set_that_is_wrong_does_not_load(tmp_path, change, message):
    with pytest.raises(ValidationError, match=message):
        load_rule_sets([_written(tmp_path, change)])


def test_the_same_version_cannot_be_loaded_twice():
    with pytest.raises(ValueError, match="loaded twice"):
        load_rule_sets([DRAFT_FILE, DRAFT_FILE])


def test_a_current_version_that_is_not_loaded_is_refused():
    with pytest.raises(UnknownRuleError):
        load_rule_sets([DRAFT_FILE], current="another")


def test_the_packaged_rules_are_the_draft():
    assert packaged_rules().current == RULES
    assert (RULES.status, RULES.effective_from, RULES.valid_years) == ("draft", None, 3)
    assert RULES.basis_level == "normative"


def test_a_due_date_carries_rule_version_article_start_and_calendar():
    start = datetime(2026, 2, 13, 23, 30, tzinfo=timezone(timedelta(hours=8)))
    due = due_date(RULES, "share.reply", start=start, calendar=packaged_calendar())
    assert (due.starts_on, due.due_on) == ("2026-02-13", "2026-02-27")
    assert (due.rule, due.rule_version) == ("share.reply", "shanwei-2025-draft")
    assert (due.article, due.start_basis) == ("第十九条第三款", "interpretation")
    assert due.calendar_version == packaged_calendar().version


def test_the_last_day_counts_until_midnight_in_shanghai():
    start = datetime(2026, 2, 13, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    due = due_date(RULES, "share.reply", start=start, calendar=packaged_calendar())
    midnight = datetime(2026, 2, 28, tzinfo=timezone(timedelta(hours=8)))
    assert ended_in_time(due, midnight - timedelta(seconds=1))
    assert not ended_in_time(due, midnight)
