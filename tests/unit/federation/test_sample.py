"""The sample catalogue and agencies: plausible, valid, nobody's."""

import csv
import json
from collections import Counter
from datetime import date

import pytest

from catalog.entries.checks import CheckContext, violations, warnings
from catalog.entries.content import EntryContent
from catalog.imports.mapping import map_row
from contracts.identifiers import check_organisation_code, check_uscc, organisation_code_of
from contracts.regions import load_regions
from contracts.rules import packaged_rules
from contracts.vocabulary import is_code
from federation.agencies import AUTHORITY, authority_of, data_file, sample_agencies
from federation.people import people_of
from federation.story.cast import Cast
from federation.story.catalogs import Scale, sample_entries
from federation.story.requesting import DATASET, ITEMS

NODES = ("441500", "441521", "441581")


@pytest.fixture(scope="module", params=NODES)
def node(request):
    return request.param


def test_every_agency_has_a_code_with_valid_check_digits_of_its_own():
    codes = [agency.uscc for agency in sample_agencies()]
    assert len(set(codes)) == len(codes)
    for code in codes:
        assert check_uscc(code) == code
        assert check_organisation_code(organisation_code_of(code))


def test_every_node_has_one_data_authority_and_agencies_of_its_region(node):
    mine = [agency for agency in sample_agencies() if agency.node == node]
    assert [agency for agency in mine if agency.kind == AUTHORITY] == [authority_of(node)]
    assert {agency.region_code for agency in mine} == {node}
    assert all(is_code("organisation_kind", agency.kind) for agency in mine)


def test_every_sample_entry_can_be_submitted_and_raises_no_warning(node):
    context = CheckContext(
        rules=packaged_rules().current,
        regions=load_regions(),
        organisations={agency.org_id for agency in sample_agencies()},
        own={agency.org_id for agency in sample_agencies() if agency.node == node},
        node=node,
        today=date(2026, 2, 13),
    )
    for entry in sample_entries(node, scale=Scale.FULL):
        content = EntryContent.model_validate(entry)
        assert violations(content, context) == (), entry["title"]
        assert warnings(content, context) == (), entry["title"]


def test_an_import_reads_every_field_of_the_sample_as_it_is_written(node):
    for entry in sample_entries(node, scale=Scale.FULL):
        row = map_row(entry)
        assert (row.unknown, row.unread) == ([], {}), entry["title"]
        assert EntryContent.model_validate(row.content) == EntryContent.model_validate(entry)


def test_there_are_some_three_hundred_entries_of_every_kind():
    entries = [entry for node in NODES for entry in sample_entries(node, scale=Scale.FULL)]
    assert len(entries) > 300
    kinds = Counter(entry["share_type"] for entry in entries)
    assert min(kinds[kind] for kind in ("unconditional", "conditional", "none")) >= 5
    assert {entry["open_attr"] for entry in entries} == {"open", "conditional", "none"}
    assert {entry["data_form"] for entry in entries} >= {"table", "api", "file", "geo_service"}


def test_titles_are_unique_at_a_node(node):
    titles = [entry["title"] for entry in sample_entries(node, scale=Scale.FULL)]
    assert len(set(titles)) == len(titles)


@pytest.fixture(scope="module")
def rows():
    with data_file(DATASET).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class TestDataset:
    def test_it_holds_shanweis_63_towns_and_907_villages(self, rows):
        assert Counter(row["level"] for row in rows) == {"town": 63, "village": 907}
        assert {row["county_code"] for row in rows} == {"441502", "441521", "441523", "441581"}

    def test_every_village_lies_in_a_town_that_is_listed(self, rows):
        towns = {row["code"] for row in rows if row["level"] == "town"}
        for row in rows:
            assert row["town_code"] in towns
            assert row["code"].startswith(row["town_code"])
            assert row["code"].startswith(row["county_code"])

    def test_its_columns_are_the_items_of_the_entry_that_describes_it(self, rows):
        (entry,) = sample_entries(Cast().there, scale=Scale.SMALL)
        assert tuple(rows[0]) == ITEMS == tuple(item["name_en"] for item in entry["items"])

    def test_its_source_and_licence_are_named(self):
        text = data_file("README.md").read_text(encoding="utf-8")
        assert "china-division" in text
        assert "WTFPL" in text


def test_people_are_named_by_their_post_and_have_roles_of_the_table():
    people = people_of(sample_agencies())
    assert len({person.id for person in people}) == len(people)
    agencies = json.loads(data_file("agencies.json").read_text(encoding="utf-8"))
    names = [agency["name"] for agency in agencies]
    assert all(any(person.name.startswith(name) for name in names) for person in people)
