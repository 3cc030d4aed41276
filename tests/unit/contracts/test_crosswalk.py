"""Codes of other systems, both ways, and what has no counterpart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.crosswalk import (
    CodeMap,
    NotMappableError,
    UnknownCrosswalkError,
    from_external,
    load_crosswalk,
    to_external,
)
from contracts.vocabulary import codes

CROSSWALK = load_crosswalk()
MAPS = [(system, concept) for concept, found in CROSSWALK.maps.items() for system in found]
PAIRS = [
    (system, concept, ours, theirs)
    for system, concept in MAPS
    for ours, theirs in CROSSWALK.map(system, concept).both.items()
]
GAPS = [
    (system, concept, code)
    for system, concept in MAPS
    for code in CROSSWALK.map(system, concept).ours_only
]
STRANGERS = [
    (system, concept, code)
    for system, concept in MAPS
    for code in CROSSWALK.map(system, concept).theirs_only
]

# domain §3.6, column by column
FREQUENCIES = {
    "guide2017": ["1", "2", "3", "4", "5", None, "6", None, None, None],
    "gd_open": ["1", "2", "3", "4", "5", "6", "7", None, "8", "99"],
    "guangzhou": ["8", "2", "3", "4", "5", "6", "7", "1", None, None],
    "dsg": ["2", "3", "4", "5", "6", "7", "8", "1", None, "9"],
    "legacy_dsp": ["1", "2", "3", "4", "5", "6", "7", "8", "9", None],
    "chongqing": [
        "REAL_TIME",
        "EVERY_DAY",
        "EVERY_WEEK",
        "EVERY_MONTH",
        "EVERY_QUARTER",
        "HALF_YEAR",
        "EVERY_YEAR",
        "IRREGULAR",
        None,
        "OTHER",
    ],
}
ORDER = [
    "realtime",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "half_yearly",
    "yearly",
    "irregular",
    "none",
    "other",
]


@pytest.mark.parametrize("system", FREQUENCIES)
def test_update_frequencies_are_those_of_the_systems_column(system):
    for ours, theirs in zip(ORDER, FREQUENCIES[system], strict=True):
        if theirs is None:
            with pytest.raises(NotMappableError) as raised:
                to_external(system, "update_frequency", ours)
            assert raised.value.declared
        else:
            assert to_external(system, "update_frequency", ours) == theirs
            assert from_external(system, "update_frequency", theirs) == ours


def test_the_same_number_means_different_things_elsewhere():
    meanings = {
        system: from_external(system, "update_frequency", "1")
        for system in ("gd_open", "guangzhou", "dsg")
    }
    assert meanings == {"gd_open": "realtime", "guangzhou": "irregular", "dsg": "irregular"}
    assert from_external("guide2017", "share_type", "1") == "unconditional"
    assert from_external("conditional_first", "share_type", "1") == "conditional"
    assert from_external("zero_based", "share_type", "1") == "unconditional"
    assert from_external("zero_based", "share_type", "2") == "none"


@pytest.mark.parametrize(("system", "concept", "ours", "theirs"), PAIRS)
def test_every_pair_goes_there_and_back(system, concept, ours, theirs):
    assert to_external(system, concept, ours) == theirs
    assert from_external(system, concept, theirs) == ours


@pytest.mark.parametrize(("system", "concept", "code"), GAPS)
def test_a_code_of_ours_without_counterpart_is_refused_and_never_guessed(system, concept, code):
    with pytest.raises(NotMappableError) as raised:
        to_external(system, concept, code)
    assert raised.value.declared


@pytest.mark.parametrize(("system", "concept", "code"), STRANGERS)
def test_a_code_of_theirs_without_counterpart_is_refused(system, concept, code):
    with pytest.raises(NotMappableError) as raised:
        from_external(system, concept, code)
    assert raised.value.declared


@pytest.mark.parametrize(("system", "concept"), MAPS)
def test_every_code_of_ours_is_mapped_or_declared_unmappable(system, concept):
    found = CROSSWALK.map(system, concept)
    assert {*found.both, *found.out, *found.ours_only} == set(codes(concept))


@given(pair=st.sampled_from(MAPS), code=st.text(max_size=12))
def test_a_code_that_nobody_has_heard_of_is_told_from_a_known_gap(pair, code):
    system, concept = pair
    found = CROSSWALK.map(system, concept)
    known = {*found.both.values(), *found.in_}
    if code in known:
        assert from_external(system, concept, code) in codes(concept)
    else:
        with pytest.raises(NotMappableError) as raised:
            from_external(system, concept, code)
        assert raised.value.declared == (code in found.theirs_only)


def test_a_coarser_system_takes_two_of_ours_as_one_and_does_not_tell_them_apart():
    assert to_external("guide2017", "open_attr", "open") == "1"
    assert to_external("guide2017", "open_attr", "conditional") == "1"
    with pytest.raises(NotMappableError):
        from_external("guide2017", "open_attr", "1")
    assert from_external("guide2017", "open_attr", "0") == "none"


def test_a_finer_system_gives_two_of_its_codes_as_one_of_ours():
    assert from_external("legacy_dsp", "data_form", "0310") == "file"
    assert from_external("legacy_dsp", "data_form", "0320") == "file"
    assert to_external("legacy_dsp", "data_form", "file") == "0310"


@pytest.mark.parametrize(("system", "code"), [("portal5", "5"), ("l_grades", "L4")])
def test_a_grade_that_may_not_enter_this_platform_maps_to_nothing(system, code):
    with pytest.raises(NotMappableError):
        from_external(system, "security_level", code)


def test_an_unknown_system_or_concept_is_an_error():
    with pytest.raises(UnknownCrosswalkError):
        to_external("atlantis", "share_type", "none")
    with pytest.raises(UnknownCrosswalkError):
        to_external("gd_open", "colour", "none")


@pytest.mark.parametrize(
    "document",
    [
        {"both": {"a": "1", "b": "1"}},
        {"both": {"a": "1"}, "ours_only": ["a"]},
        {"both": {"a": "1"}, "in": {"1": "b"}},
        {"both": {"a": "1"}, "theirs_only": ["1"]},
        {"both": {"a": "1"}, "out": {"a": "2"}},
    ],
)
def test_a_map_with_two_answers_does_not_load(document):
    with pytest.raises(ValidationError):
        CodeMap.model_validate(document)


def test_every_system_is_named_in_both_languages_and_used():
    used = {system for system, _ in MAPS}
    assert used == CROSSWALK.systems.keys()
