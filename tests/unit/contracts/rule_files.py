"""Where the two rule sets of the tests are."""

from pathlib import Path

from contracts.resources import data_path
from contracts.rules import RuleSet, load_rule_sets, read_rule_set

DRAFT_FILE = data_path("rules") / "shanwei-2025-draft.yaml"
OTHER_FILE = Path(__file__).parents[2] / "support" / "rules" / "gedian-2031.yaml"


def draft() -> RuleSet:
    return read_rule_set(DRAFT_FILE)


def other() -> RuleSet:
    return read_rule_set(OTHER_FILE)


def both():
    return load_rule_sets([DRAFT_FILE, OTHER_FILE], current="shanwei-2025-draft")
