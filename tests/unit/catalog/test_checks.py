"""What stands against submitting an entry: each field its own message, article and remedy."""

import pytest

from catalog.entries.checks import (
    newly_not_shared,
    not_shared_parts,
    violations,
    warnings,
)
from catalog.entries.content import EntryContent
from catalog.entries.fields import MANDATORY, SPECS
from catalog.violations import CLASSES, problem_of
from contracts.resources import data_path
from contracts.rules import read_rule_set
from tests.unit.catalog.contents import LAW, content, context

TEN = {
    "data_form",
    "abstract",
    "share_type",
    "share_scope",
    "open_attr",
    "update_frequency",
    "collecting_org",
    "verifying_org",
    "providing_org",
}
INTERNAL = {"level": "normative", "title": "内部数据管理规定"}
NOT_SHARED = {"share_type": "none", "share_scope": "nobody"}
CONDITIONAL = {"share_type": "conditional", "share_scope": "same_level"}


def found(entry, **changed):
    return {(each.code, each.field) for each in violations(entry, context(**changed))}


def test_a_complete_entry_has_nothing_against_it():
    assert violations(content(), context()) == ()


def test_an_empty_entry_lacks_the_contents_of_article_11_and_says_so_with_the_article():
    lacking = {each.field: each for each in violations(EntryContent(), context())}
    assert set(lacking) >= TEN
    articles = {lacking[name].article for name in TEN - {"share_type"}}
    assert articles == {"第十一条第四款"}
    assert lacking["share_type"].article == "第十三条第一款"


@pytest.mark.parametrize("name", [name for name in MANDATORY if name != "pi_declared"])
def test_each_mandatory_field_is_missed_by_itself(name):
    empty = EntryContent.model_fields[name].default
    entry = content().model_copy(update={name: empty})
    codes = {code for code, field in found(entry) if field == name}
    assert codes & {"missing", "share_type_missing"}


def test_no_statement_on_personal_information_is_a_missing_field():
    assert found(content(pi_declared=False)) == {("missing", "pi_flags")}
    assert found(content(pi_declared=False, pi_flags=["sensitive"])) == set()


def test_secrets_of_entry_or_item_never_enter():
    assert found(content(contains_secret=True)) == {("secret", "contains_secret")}
    items = [{"name_cn": "编号", "name_en": "no", "data_type": "I", "secret": True}]
    assert found(content(items=items)) == {("secret", "items[0].secret")}


def test_core_data_is_refused_and_important_data_has_level_five():
    assert ("core_refused", "data_grade") in found(content(data_grade="core"))
    assert found(content(data_grade="important")) == {("level_contradicts", "security_level")}
    assert found(content(data_grade="important", security_level=5)) == set()
    assert found(content(security_level=5)) == {("level_contradicts", "security_level")}


def test_conditional_sharing_needs_condition_and_basis():
    assert found(content(**CONDITIONAL)) == {
        ("condition_missing", "share_condition"),
        ("basis_missing", "share_basis"),
    }
    whole = content(**CONDITIONAL, share_condition="用于应急", share_basis=[INTERNAL])
    assert found(whole) == set()


def test_not_sharing_needs_a_law_a_regulation_or_a_national_provision():
    assert found(content(**NOT_SHARED)) == {("basis_missing", "share_basis")}
    for level in ("government_rule", "normative"):
        weak = {"level": level, "title": "某规定"}
        assert found(content(**NOT_SHARED, share_basis=[weak])) == {
            ("basis_level_too_low", "share_basis[0]")
        }
    for level in ("law", "administrative_regulation", "local_regulation", "national_provision"):
        strong = {"level": level, "title": "某法"}
        assert found(content(**NOT_SHARED, share_basis=[strong])) == set()


def test_these_rules_are_no_law_whatever_is_declared():
    own = {"level": "law", "title": "汕尾市公共数据管理实施细则"}
    assert ("basis_level_differs", "share_basis[0]") in found(
        content(**NOT_SHARED, share_basis=[own])
    )


def test_a_basis_without_level_or_title_says_which():
    assert ("basis_unknown_level", "share_basis[0]") in found(
        content(**NOT_SHARED, share_basis=[{"title": "某法"}])
    )
    assert ("basis_title_missing", "share_basis[0]") in found(
        content(**NOT_SHARED, share_basis=[{"level": "law"}])
    )


def test_one_sufficient_basis_among_several_is_enough():
    assert found(content(**NOT_SHARED, share_basis=[INTERNAL, LAW])) == set()


def test_an_item_that_is_not_shared_needs_the_basis_too():
    items = [
        {"name_cn": "编号", "name_en": "no", "data_type": "I"},
        {
            "name_cn": "身份证号",
            "name_en": "id_no",
            "data_type": "C",
            "length": 18,
            "share_type": "none",
        },
    ]
    assert found(content(items=items)) == {("basis_missing", "share_basis")}
    assert found(content(items=items, share_basis=[LAW])) == set()


def test_an_item_is_not_looser_than_its_entry():
    items = [{"name_cn": "编号", "name_en": "no", "data_type": "I", "share_type": "unconditional"}]
    entry = content(**CONDITIONAL, share_condition="用于应急", share_basis=[LAW], items=items)
    assert found(entry) == {("item_looser", "items[0].share_type")}
    opened = [{"name_cn": "编号", "name_en": "no", "data_type": "I", "open_attr": "open"}]
    assert ("item_looser", "items[0].open_attr") in found(content(open_attr="none", items=opened))


def test_scope_and_share_type_do_not_contradict():
    assert found(content(share_scope="same_level")) == {("scope_contradicts", "share_scope")}
    whole = {"share_type": "none", "share_scope": "all_agencies", "share_basis": [LAW]}
    assert found(content(**whole)) == {("scope_contradicts", "share_scope")}


def test_unknown_codes_regions_and_organisations_are_named():
    entry = content(
        update_frequency="sometimes",
        region_code="441501x",
        collecting_org="stranger",
        verifying_org="far",
    )
    assert found(entry) == {
        ("unknown_code", "update_frequency"),
        ("unknown_region", "region_code"),
        ("unknown_organisation", "collecting_org"),
    }
    assert found(content(region_code="441522")) == {("unknown_region", "region_code")}


def test_another_nodes_agency_cannot_be_the_provider():
    assert found(content(providing_org="far")) == {("foreign_provider", "providing_org")}


def test_items_are_checked_one_by_one():
    items = [
        {"name_cn": "编号", "name_en": "No", "data_type": "C"},
        {"name_cn": "编号", "name_en": "no", "data_type": "X"},
        {},
    ]
    assert found(content(items=items)) == {
        ("field_name_form", "items[0].name_en"),
        ("missing", "items[0].length"),
        ("item_repeated", "items[1].name_cn"),
        ("unknown_code", "items[1].data_type"),
        ("missing", "items[2].name_cn"),
        ("missing", "items[2].name_en"),
        ("missing", "items[2].data_type"),
    }


def test_a_table_without_items_is_incomplete_and_a_file_is_not():
    assert found(content(items=[])) == {("missing", "items")}
    assert found(content(items=[], data_form="file")) == set()


def test_the_number_of_items_is_the_rule_sets_policy():
    rules = context().rules
    parameter = rules.parameters["entry.max_items"].model_copy(update={"value": 1})
    strict = rules.model_copy(
        update={"parameters": {**rules.parameters, "entry.max_items": parameter}}
    )
    items = [{"name_cn": f"项{n}", "name_en": f"i{n}", "data_type": "I"} for n in range(2)]
    against = violations(content(items=items), context(rules=strict))
    assert [(each.code, each.kind) for each in against] == [("too_many_items", "policy")]


def test_the_levels_that_carry_come_from_the_rule_set():
    rules = read_rule_set(next(iter(data_path("rules").glob("*.yaml"))))
    looser = tuple(
        gate.model_copy(update={"basis_levels": (*gate.basis_levels, "normative")})
        if gate.id == "G5"
        else gate
        for gate in rules.gates
    )
    entry = content(**NOT_SHARED, share_basis=[INTERNAL])
    assert found(entry)
    other = rules.model_copy(update={"gates": looser})
    other.__dict__.pop("_by_key", None)
    assert found(entry, rules=other) == set()


def test_a_condition_whose_basis_could_not_refuse_warns():
    weak = content(**CONDITIONAL, share_condition="用于应急", share_basis=[INTERNAL])
    assert [each.code for each in warnings(weak, context())] == ["basis_cannot_refuse"]
    strong = content(**CONDITIONAL, share_condition="用于应急", share_basis=[LAW])
    assert warnings(strong, context()) == ()


def test_what_becomes_not_shared_is_told_once():
    shared = content()
    hidden = content(**NOT_SHARED, share_basis=[LAW])
    one_item = content(
        items=[{"name_cn": "身份证号", "name_en": "id", "data_type": "I", "share_type": "none"}]
    )
    assert not_shared_parts(hidden) == {"*"}
    assert newly_not_shared(None, hidden) == {"*"}
    assert newly_not_shared(shared, one_item) == {"身份证号"}
    assert newly_not_shared(hidden, hidden) == frozenset()
    assert newly_not_shared(hidden, one_item) == frozenset()
    assert newly_not_shared(one_item, hidden) == {"*"}


def test_every_violation_has_a_sentence_a_remedy_and_its_place_in_both_languages():
    entry = content(
        **{**NOT_SHARED, "share_scope": "all_agencies"},
        update_frequency="sometimes",
        items=[{"name_cn": "甲", "name_en": "A", "data_type": "C"}, {"name_cn": "甲"}],
        share_basis=[INTERNAL],
        region_code="1",
    )
    for each in violations(entry, context()):
        for language in ("zh", "en"):
            shown = problem_of(each).to_problem(language)
            assert shown["field"] == each.field
            assert shown["remedy"]
            assert shown["article"]
            assert "{" not in shown["detail"] + shown["remedy"]
    assert len({each.slug for each in CLASSES.values()}) == len(CLASSES)


def test_the_field_table_covers_the_content_and_nothing_else():
    assert set(SPECS) == set(EntryContent.model_fields) - {"assumed"}
