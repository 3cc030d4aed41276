"""Folding, tokens and the choice of how much to read."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.domain import (
    EVERY_ENTRY,
    LEVELS,
    TITLE_MARK,
    Reading,
    choose_reading,
    facet_id,
    fold,
    level_of,
    scaled,
    terms_of,
    tokens_of,
    tokens_query,
    total_of,
)

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("危险化学品经营许可证（2022年）1-12月ＧＤＰ gdp、_'\\&|!:*"),
        st.characters(),
    ),
    min_size=1,
    max_size=40,
)


@given(TEXT, st.integers(0, 39), st.integers(2, 12))
def test_the_folded_part_of_a_text_is_a_part_of_the_folded_text(text, start, length):
    part = text[start : start + length]
    assert fold(part) in fold(text)


@given(TEXT, st.integers(0, 39), st.integers(2, 12))
def test_every_token_of_a_part_is_a_token_of_the_text_or_a_beginning_of_one(text, start, length):
    part = fold(text[start : start + length])
    held = set(tokens_of(fold(text)))
    asked = {token for token in tokens_of(part) if not token.endswith("\n")}
    assert asked <= held
    if len(part) == 1:
        assert any(token.startswith(part) for token in held)


def test_width_and_case_do_not_matter():
    assert fold("ＧＤＰ 增速") == fold("gdp增速") == "gdp增速"


def test_blanks_separate_terms_and_empty_ones_vanish():
    assert terms_of("  不动产　登记 \t ") == ("不动产", "登记")
    assert terms_of(" \u3000 ") == ()


def test_runs_of_digits_are_told_apart_by_triples():
    assert "202" in tokens_of("2022年")
    assert "'022'&'220'" in tokens_query(("0220",))


def test_a_single_character_is_asked_for_as_a_beginning():
    assert tokens_query(("税",)) == "'税':*"
    assert tokens_query(("税",), mark=TITLE_MARK) == f"'{TITLE_MARK}税':*"


def test_what_has_a_meaning_in_a_query_is_quoted():
    assert tokens_query(("a'b",)) == "'a'''&'''b'"
    assert tokens_query(("a\\b",)) == "'a\\\\'&'\\\\b'"


def test_a_query_without_words_and_filters_means_every_entry():
    assert tokens_query(()) == f"'{EVERY_ENTRY}'"
    node = facet_id("node", "441521")
    assert tokens_query((), ((node,),)) == f"('\x01{node}')"


@given(st.uuids())
def test_levels_are_few_and_stable(entry_id):
    level = level_of(str(entry_id))
    assert 0 <= level < LEVELS
    assert level == level_of(str(entry_id))


def test_the_first_levels_are_a_small_sample():
    levels = [level_of(f"entry-{number}") for number in range(40_000)]
    shares = [levels.count(level) / len(levels) for level in range(LEVELS)]
    expected = [1 / 256, 3 / 256, 12 / 256, 48 / 256, 192 / 256]
    assert shares == pytest.approx(expected, rel=0.35)


def test_a_rare_query_reads_everything_and_a_common_one_a_sample():
    assert choose_reading(0, 0) == Reading(levels=LEVELS, all_titles=False)
    assert choose_reading(9, 9).exact
    assert choose_reading(5000, 5000) == Reading(levels=1, all_titles=False)
    assert choose_reading(5000, 0) == Reading(levels=1, all_titles=True)


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_more_common_query_never_reads_more(one, other):
    few, many = sorted((one, other))
    assert choose_reading(many, many).levels <= choose_reading(few, few).levels


def test_a_total_says_when_it_was_not_counted():
    everything = Reading(levels=LEVELS, all_titles=False)
    sample = Reading(levels=3, all_titles=False)
    assert total_of(812, everything).relation == "exact"
    assert (total_of(123, sample).value, total_of(123, sample).relation) == (2000, "about")
    assert (total_of(900, sample).value, total_of(900, sample).relation) == (10_000, "at_least")
    assert scaled(10, everything) == 10
    assert scaled(10, sample) == 160


def test_folding_drops_what_a_database_cannot_hold():
    assert fold("甲\x00乙\n") == "甲乙"
    assert all(unicodedata.category(c) != "Cc" for c in fold("".join(map(chr, range(256)))))
