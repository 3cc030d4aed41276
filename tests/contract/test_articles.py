"""docs/articles.md is true: every clause is listed, and what it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from contracts.rules import packaged_rules

ROOT = Path(__file__).parents[2]
DIGITS = "零一二三四五六七八九"
# lower this with every clause that a test comes to keep; raising it needs a reason in review
LATER_AT_MOST = 49


def numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else DIGITS[tens]) + "十" if tens else ""
    return head + (DIGITS[ones] if ones else "")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "articles.md").read_text(encoding="utf-8").splitlines()
    return [_cells(line) for line in lines if line.startswith(("| 第", "| 附则"))]


ROWS = _rows()
RULES = packaged_rules().current
LAW = [item for item in (*RULES.deadlines, *RULES.filings, *RULES.gates) if item.kind == "law"]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@cache
def _tests_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def test_every_article_is_listed_and_the_supplementary_provisions_too():
    clauses = [row[0] for row in ROWS]
    assert len(set(clauses)) == len(clauses)
    for number in range(1, 35):
        article = f"第{numeral(number)}条"
        assert any(re.fullmatch(f"{article}(第.+[款项])?", clause) for clause in clauses), article
    assert any(clause.startswith("附则") for clause in clauses)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_clause_names_only_files_and_tests_that_exist(row):
    assert len(row) == 5
    _, duty, _, code, tests = row
    assert duty
    for path in _names(code):
        assert (ROOT / path).exists(), path
    if tests == "later":
        return
    named = _names(tests)
    assert named, "a clause has tests or is marked later"
    for test in named:
        path, _, name = test.partition("::")
        assert name in _tests_in(ROOT / "tests" / path), test


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_clause_names_only_rules_that_exist(row):
    known = {item.id for item in (*RULES.deadlines, *RULES.filings, *RULES.gates)}
    assert set(re.findall(r"[A-Z][\w-]+", row[2])) <= known


@pytest.mark.parametrize("item", LAW, ids=lambda item: item.id)
def test_every_rule_of_the_law_stands_at_its_own_clause(item):
    rules = {row[0]: re.findall(r"[A-Z]\w+", row[2]) for row in ROWS}
    assert item.id in rules[item.citation]


def test_the_number_of_clauses_left_for_later_does_not_grow():
    later = sum(row[4] == "later" for row in ROWS)
    assert later <= LATER_AT_MOST
    assert later == LATER_AT_MOST, "a clause came to be kept: lower LATER_AT_MOST"
