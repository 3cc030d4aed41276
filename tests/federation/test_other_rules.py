"""A rule set in which every length, level and addressee differs drives the same story."""

from datetime import date, datetime
from pathlib import Path

import pytest

from contracts.calendar import civil_date, packaged_calendar
from contracts.rules import read_rule_set
from federation.plan import CITY
from federation.story.cast import COUNTY_A, COUNTY_B
from tests.federation.stories import told

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]

RULES = Path(__file__).parents[1] / "support" / "rules" / "gedian-2031.yaml"


@pytest.fixture(scope="module")
def rules():
    return read_rule_set(RULES)


@pytest.fixture(scope="module")
def facts():
    with told(rules_files=(RULES,)) as story:
        yield story.facts


def _due(starts_on, length):
    return packaged_calendar().due(date.fromisoformat(starts_on), length).due_on.isoformat()


def test_the_reply_clock_starts_when_the_request_entered_the_platform(facts, rules):
    """The draft starts it when the source has stored the request."""
    assert rules.text("receipt_event") == "entered_platform"
    entered = datetime.fromisoformat(facts.received["receipt"]["entered_at"])
    assert facts.replied["reply_due"]["starts_on"] == civil_date(entered).isoformat()


def test_the_case_names_the_rule_set_that_it_started_under(facts, rules):
    assert facts.submitted["rule_version"] == rules.version


def test_the_reply_is_due_after_the_length_of_these_rules(facts, rules):
    due = facts.replied["reply_due"]
    assert due["length"] == rules.deadline("share.reply").length == 7
    assert due["due_on"] == _due(due["starts_on"], 7)
    assert due["article"] == "第五十九条第三款"


def test_the_delivery_is_due_after_the_length_of_these_rules(facts, rules):
    due = facts.replied["deliver_due"]
    assert due["length"] == rules.deadline("share.deliver").length == 2
    assert due["due_on"] == _due(due["starts_on"], 2)
    assert due["start_basis"] == "interpretation"


def test_the_filings_go_where_these_rules_say(facts):
    filed = {each["rule"]: (each["receiver_level"], each["external"]) for each in facts.filings}
    assert filed == {"F2a": ("city", False), "F2b": ("province", True)}
    receivers = {each["rule"]: each["receiver_node"] for each in facts.filings}
    assert receivers["F2a"] == CITY
    assert all(each["state"] == "recorded" for each in facts.filings)
    assert {each["article"] for each in facts.filings} == {"第六十条第二款"}


def test_the_refusal_cites_the_article_of_these_rules(facts):
    assert "第五十九条第三款" in str(facts.too_low.problem)


def test_the_digest_counts_under_these_rules(facts):
    lines = {line["rule"]: line for line in facts.digests[COUNTY_B]["lines"]}
    assert lines["share.reply"]["ended_on_time"] == 2
    assert facts.digests[COUNTY_A]["as_of"] is not None
