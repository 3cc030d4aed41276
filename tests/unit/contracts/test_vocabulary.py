"""Code lists: labels in both languages for every code, and the spellings of real catalogues."""

import re

import pytest
from pydantic import ValidationError

from contracts.events import catalog, clock, filing, sharing
from contracts.rules import ReceiverLevel, RelationCode, RequestKind
from contracts.vocabulary import (
    CodeList,
    UnknownCodeError,
    codes,
    is_absent,
    is_code,
    label,
    load_vocabulary,
    plain,
    read_vocabulary,
    recognise,
)

VOCABULARY = load_vocabulary()
ALL = [(name, code) for name, found in VOCABULARY.lists.items() for code in found.codes]


@pytest.mark.parametrize(("name", "code"), ALL)
def test_every_code_has_a_label_in_both_languages(name, code):
    chinese, english = label(name, code, "zh-CN"), label(name, code, "en")
    assert chinese
    assert english.isascii()
    assert re.search(r"[一-鿿]", chinese) or chinese.isascii()
    assert label(name, code, "fr") == english


@pytest.mark.parametrize(("name", "code"), ALL)
def test_every_label_and_spelling_is_read_back_as_its_code(name, code):
    entry = VOCABULARY.list(name).codes[code]
    for text in (code, entry.zh, *entry.spellings):
        assert recognise(name, text) == code


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("update_frequency", "每天", "daily"),
        ("update_frequency", "自定义", "other"),
        ("update_frequency", " 每 季 度 ", "quarterly"),
        ("open_attr", "无条件开放", "open"),
        ("open_attr", "依申请开放", "conditional"),
        ("open_attr", "不予开放", "none"),
        ("share_type", "有条件", "conditional"),
        ("data_domain", "金融服务", "finance_tax"),
        ("resource_format", "ＸＬＳ", "xls"),
        ("update_frequency", "随缘", None),
        ("update_frequency", "", None),
    ],
)
def test_spellings_of_real_catalogues(name, text, code):
    assert recognise(name, text) == code


@pytest.mark.parametrize("text", ["暂无", "null", " 无 ", "", "\r\n\t", "－"])
def test_ways_to_write_that_something_is_absent(text):
    assert is_absent(text)


def test_a_value_is_not_absent():
    assert not is_absent("无线电频率")


def test_one_text_cannot_mean_two_codes():
    document = {
        "title": {"zh": "甲", "en": "a"},
        "codes": {"x": {"zh": "同", "en": "x"}, "y": {"zh": "异", "en": "y", "spellings": ["同"]}},
    }
    with pytest.raises(ValidationError, match="would mean both x and y"):
        CodeList.model_validate(document)


def test_a_list_may_stand_in_one_file_only(tmp_path):
    text = "a: {title: {zh: 甲, en: a}, codes: {x: {zh: 乙, en: x}}}\n"
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="declared twice"):
        read_vocabulary(tmp_path)


def test_an_unknown_list_or_code_is_an_error():
    with pytest.raises(UnknownCodeError):
        codes("colour")
    with pytest.raises(UnknownCodeError):
        label("share_type", "secret", "zh")
    assert not is_code("share_type", "secret")


def test_comparison_ignores_width_case_and_spaces():
    assert plain(" Ａb　C\r\n\t") == "abc"


def _choices(model, field) -> set[str]:
    return set(model.model_fields[field].annotation.__args__)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dependent_kind", _choices(catalog.DependentAdded, "kind")),
        ("appointment_role", _choices(catalog.Appointment, "role")),
        ("refused_part", _choices(sharing.RefusedPart, "part")),
        ("reply_outcome", _choices(sharing.RequestReplied, "outcome")),
        ("grant_end_reason", _choices(sharing.GrantEnded, "reason")),
        ("delivery_proof", _choices(sharing.DeliveryProved, "proof")),
        ("case_kind", _choices(clock.ClockStarted, "case_kind")),
        ("receiver_level", _choices(filing.FilingSubmitted, "receiver_level")),
        ("receiver_level", set(ReceiverLevel.__args__)),
        ("request_kind", set(RequestKind.__args__)),
        ("relation", set(RelationCode.__args__)),
    ],
)
def test_a_closed_choice_in_an_event_is_the_code_list(name, found):
    assert found == set(codes(name))


def test_some_choices_of_events_are_part_of_a_longer_list():
    assert _choices(catalog.EntryState, "state") <= set(codes("entry_state"))
    assert _choices(filing.FilingReceived, "state") <= set(codes("filing_state"))
    assert _choices(sharing.RequestDispatched, "kind") <= set(codes("request_kind"))
