"""Completion profiles fill only what is missing and mark every field as assumed."""

from catalog.entries.content import EntryContent
from catalog.imports.profiles import ProfileRules, complete, items_in, unknown_fields


def rules(*given, **more):
    return ProfileRules.model_validate({"rules": list(given), **more})


def test_a_profile_fills_what_is_missing_and_nothing_else():
    entry = EntryContent(title="甲", open_attr="open", update_frequency="monthly")
    profile = rules({"set": {"update_frequency": "yearly", "share_mode": "platform"}})
    after = complete(entry, profile)
    assert after.update_frequency == "monthly"
    assert after.share_mode == "platform"
    assert after.assumed == ("share_mode",)


def test_a_rule_holds_for_entries_with_one_of_its_values():
    profile = rules(
        {"when": {"open_attr": ["open"]}, "set": {"share_type": "unconditional"}},
        {"when": {"open_attr": ["conditional", "none"]}, "set": {"share_type": "conditional"}},
    )
    kinds = {
        attr: complete(EntryContent(open_attr=attr), profile).share_type
        for attr in ("open", "conditional", "none", "")
    }
    assert kinds == {
        "open": "unconditional",
        "conditional": "conditional",
        "none": "conditional",
        "": "",
    }


def test_an_empty_value_means_that_the_field_is_missing():
    profile = rules({"when": {"data_domain": [""]}, "set": {"theme": "未分类"}})
    assert complete(EntryContent(), profile).theme == "未分类"
    assert complete(EntryContent(data_domain="health"), profile).theme == ""


def test_a_later_rule_sees_what_an_earlier_one_filled():
    profile = rules(
        {"set": {"share_type": "conditional"}},
        {"when": {"share_type": ["conditional"]}, "set": {"share_condition": "按需"}},
    )
    assert complete(EntryContent(), profile).share_condition == "按需"


def test_a_field_is_copied_from_another():
    profile = rules({"copy_from": {"collecting_org": "providing_org", "abstract": "title"}})
    after = complete(EntryContent(title="甲", providing_org="a"), profile)
    assert (after.collecting_org, after.abstract) == ("a", "甲")
    assert set(after.assumed) == {"collecting_org", "abstract"}


def test_a_statement_that_there_is_no_personal_information_counts_and_is_assumed():
    after = complete(EntryContent(), rules({"set": {"pi_flags": []}}))
    assert after.pi_declared
    assert set(after.assumed) == {"pi_flags", "pi_declared"}
    stated = EntryContent(pi_flags=("sensitive",))
    assert complete(stated, rules({"set": {"pi_flags": []}})) is stated


def test_a_stated_refusal_is_not_overwritten():
    stated = EntryContent(contains_secret=False)
    assert complete(stated, rules({"set": {"contains_secret": True}})) is stated


def test_nothing_to_fill_gives_the_same_entry():
    entry = EntryContent(title="甲", share_mode="mail")
    assert complete(entry, rules({"set": {"share_mode": "platform"}})) is entry


def test_items_are_read_from_an_abstract_that_lists_them():
    items = items_in("包括证书编号、企业名称，法定代表人等信息。")
    assert [item.name_cn for item in items] == ["证书编号", "企业名称", "法定代表人"]
    assert [item.name_en for item in items] == ["field_1", "field_2", "field_3"]
    assert items_in("按收入等级分的城镇居民家庭年人均消费性支出构成信息") == ()
    assert items_in("") == ()
    entry = EntryContent(abstract="证书编号、企业名称")
    after = complete(entry, rules(items_from_abstract=True))
    assert after.assumed == ("items",)


def test_a_profile_names_only_fields_that_it_may_fill():
    profile = rules(
        {"when": {"nothing": ["1"]}, "set": {"title": "甲", "assumed": []}},
        {"copy_from": {"abstract": "nowhere"}},
    )
    assert unknown_fields(profile) == (
        "rules[0].when.nothing",
        "rules[0].set.title",
        "rules[0].set.assumed",
        "rules[1].copy_from.abstract",
    )
