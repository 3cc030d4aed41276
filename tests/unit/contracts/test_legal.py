"""What a legal basis can carry: three standards, and titles that do not help by being called laws."""

from datetime import date

import pytest

from contracts.events.base import Basis
from contracts.legal import (
    LEVELS,
    LegalBasis,
    Register,
    any_carries,
    carries,
    could_carry_refusal,
    judge,
    load_register,
    plain_title,
)
from contracts.vocabulary import codes
from tests.unit.contracts.rule_files import draft

RULES = draft()
TODAY = date(2026, 2, 13)
LAW = Basis(level="law", title="《中华人民共和国个人信息保护法》", article="第十三条")

# levels against Article 14 ¶1 (G4), Article 14 ¶2 (G5), Article 19 ¶3 (G7)
STANDARDS = {
    "law": (True, True, True),
    "administrative_regulation": (True, True, True),
    "local_regulation": (True, True, True),
    "departmental_rule": (True, True, True),
    "government_rule": (True, False, True),
    "national_provision": (True, True, False),
    "normative": (True, False, False),
}


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_meets_exactly_its_standards(level):
    found = tuple(carries(level, RULES.gate(gate)) for gate in ("G4", "G5", "G7"))
    assert found == STANDARDS[level]


def test_levels_are_the_codes_of_the_vocabulary_and_anything_else_carries_nothing():
    assert codes("basis_level") == LEVELS
    for level in ("", "Law", "宪法", "internal"):
        assert not carries(level, RULES.gate("G4"))
        assert not carries(level, RULES.gate("G7"))


@pytest.mark.parametrize(
    "title", ["本细则", "汕尾市公共数据管理实施细则", "《汕尾市公共数据管理实施细则》"]
)
@pytest.mark.parametrize("claimed", ["law", "government_rule", "normative"])
def test_these_rules_themselves_carry_no_refusal_whatever_they_are_called(title, claimed):
    basis = Basis(level=claimed, title=title, article="第十九条")
    for gate in ("G5", "G7"):
        verdict = judge(basis, RULES.gate(gate), on=TODAY)
        assert not verdict.carries
        assert verdict.level == "normative"
        assert "level_too_low" in verdict.shortcomings


def test_a_law_in_force_carries_a_refusal():
    verdict = judge(LAW, RULES.gate("G7"), on=TODAY)
    assert verdict.carries
    assert verdict.registered == "pipl"


def test_a_law_does_not_carry_before_it_is_in_force():
    verdict = judge(LAW, RULES.gate("G7"), on=date(2021, 10, 31))
    assert verdict.shortcomings == ("not_in_force",)


@pytest.mark.parametrize(
    ("day", "carries_then"),
    [
        (date(2019, 12, 31), False),
        (date(2020, 1, 1), True),
        (date(2025, 12, 31), True),
        (date(2026, 1, 1), False),
    ],
)
def test_a_basis_carries_from_its_first_day_to_its_last(day, carries_then):
    basis = LegalBasis(
        id="x",
        title="某某条例",
        number="",
        issuer="某某",
        level="local_regulation",
        valid_from=date(2020, 1, 1),
        valid_until=date(2025, 12, 31),
    )
    register = Register(version="test", bases=(basis,))
    cited = Basis(level="local_regulation", title="《某某条例》")
    verdict = judge(cited, RULES.gate("G7"), on=day, register=register)
    assert verdict.carries is carries_then


def test_a_registered_basis_counts_at_its_registered_level():
    basis = Basis(level="law", title="公共数据资源登记管理暂行办法")
    verdict = judge(basis, RULES.gate("G7"), on=TODAY)
    assert verdict.level == "national_provision"
    assert verdict.shortcomings == ("level_differs", "level_too_low")
    assert judge(
        basis.model_copy(update={"level": "national_provision"}), RULES.gate("G5"), on=TODAY
    ).carries


def test_a_basis_is_found_by_its_number_too():
    basis = Basis(level="administrative_regulation", title="共享条例", number="国务院令第809号")
    verdict = judge(basis, RULES.gate("G7"), on=TODAY)
    assert verdict.registered == "sharing_regulation"


def test_an_unregistered_basis_counts_at_its_declared_level():
    basis = Basis(level="local_regulation", title="汕尾市某某条例", article="第三条")
    verdict = judge(basis, RULES.gate("G7"), on=TODAY)
    assert verdict.carries
    assert verdict.registered is None


@pytest.mark.parametrize(
    ("basis", "shortcomings"),
    [
        (Basis(level="law", title=""), ("title_missing",)),
        (Basis(level="law", title="《 》"), ("title_missing",)),
        (Basis(level="宪法", title="某法"), ("unknown_level", "level_too_low")),
        (Basis(level="normative", title="本局内部通知"), ("level_too_low",)),
    ],
)
def test_what_is_wrong_with_a_basis_is_named(basis, shortcomings):
    assert judge(basis, RULES.gate("G7"), on=TODAY).shortcomings == shortcomings


def test_one_good_basis_among_several_is_enough_and_none_is_not():
    weak = Basis(level="normative", title="本局内部通知")
    assert any_carries([weak, LAW], RULES.gate("G7"), on=TODAY)
    assert not any_carries([weak], RULES.gate("G7"), on=TODAY)
    assert not any_carries([], RULES.gate("G7"), on=TODAY)


def test_cataloguing_is_warned_when_a_conditions_basis_could_not_carry_a_refusal():
    internal = Basis(level="normative", title="本局内部通知")
    assert carries(internal.level, RULES.gate("G4"))
    assert not could_carry_refusal([internal], RULES, on=TODAY)
    assert could_carry_refusal([LAW], RULES, on=TODAY)


def test_every_registered_basis_has_a_level_of_the_vocabulary_and_titles_are_unique():
    register = load_register()
    titles = [plain_title(each.title) for each in register.bases]
    assert len(set(titles)) == len(titles)
    assert all(each.level in LEVELS for each in register.bases)
