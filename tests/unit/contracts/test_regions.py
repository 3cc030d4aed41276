"""Shanwei's divisions, its two zones, and codes with dates."""

import csv
from datetime import date
from pathlib import Path

import pytest
from stdnum import numdb

from contracts.regions import UnknownRegionError, load_regions
from contracts.vocabulary import codes

REGIONS = load_regions()


def test_city_counties_and_both_zones_have_nodes():
    assert REGIONS.nodes() == (
        "441500",
        "441502",
        "441521",
        "441523",
        "441540",
        "441542",
        "441581",
    )


@pytest.mark.parametrize(
    ("code", "level", "node", "upper"),
    [
        ("441500", "city", "441500", None),
        ("441599", "city", "441500", None),
        ("441502", "county", "441502", "441500"),
        ("441581", "county", "441581", "441500"),
        ("441540", "county", "441540", "441500"),
        ("441581400", "county", "441581", "441500"),
        ("440000", "province", None, None),
        ("440300", "city", None, None),
        ("441302", "city", None, None),
    ],
)
def test_level_node_and_upper_node_of_a_code(code, level, node, upper):
    assert REGIONS.level(code) == level
    assert REGIONS.node_of(code) == node
    assert REGIONS.upper_node(code) == upper


def test_names_and_codes_of_the_national_standard_agree_with_python_stdnum():
    table = numdb.get("cn/loc")
    for region in REGIONS.regions.values():
        found = {key: value for _, props in table.info(region.code) for key, value in props.items()}
        if region.gbt2260:
            assert region.name in found["county"], region.code
        else:
            assert "county" not in found, region.code


def test_the_old_county_of_lufeng_is_served_by_its_successor_and_no_longer_in_force():
    assert REGIONS.get("441522", on=date(1990, 1, 1)).name == "陆丰县"
    assert REGIONS.node_of("441522") == "441581"
    with pytest.raises(UnknownRegionError, match="not in force"):
        REGIONS.get("441522", on=date(2026, 1, 1))
    with pytest.raises(UnknownRegionError, match="not in force"):
        REGIONS.get("441581", on=date(1990, 1, 1))


def test_the_heading_of_municipal_districts_is_nobodys_node():
    with pytest.raises(UnknownRegionError, match="heading"):
        REGIONS.node_of("441501")


@pytest.mark.parametrize(
    "code", ["", "44", "4415000", "441503", "990000", "４４１５００", "44150A"]
)
def test_a_code_that_is_none_is_refused_and_never_guessed(code):
    assert not REGIONS.knows(code)
    with pytest.raises(UnknownRegionError):
        REGIONS.get(code)


def test_a_zones_records_carry_the_codes_of_the_counties_around_it():
    assert REGIONS.node_of_record("441581400001") == "441542"
    assert REGIONS.node_of_record("441581101") == "441581"
    without = REGIONS.with_zones({"441542": False})
    assert without.node_of_record("441581400001") == "441581"


def test_the_streets_of_the_eastern_zone_are_its_own_and_their_neighbours_are_not():
    assert REGIONS.node_of_record("441502006002") == "441540"
    assert REGIONS.node_of_record("441502001001") == "441502"


def test_towns_of_the_zones_are_in_the_statistical_list():
    path = Path(__file__).parents[3] / (
        "deploy/federation/src/federation/data/shanwei-towns-and-villages.csv"
    )
    with path.open(encoding="utf-8") as stream:
        towns = {row["code"]: row["name"] for row in csv.DictReader(stream)}
    within = {code for region in REGIONS.regions.values() for code in region.within}
    assert {code: towns[code] for code in sorted(within)} == {
        "441502004": "田墘街道",
        "441502005": "东洲街道",
        "441502006": "遮浪街道",
        "441581400": "华侨管理区",
    }
    assert {code[:6] for code in towns} == {"441502", "441521", "441523", "441581"}
    assert all(REGIONS.knows(code) for code in towns)


def test_kinds_and_levels_are_codes_of_the_vocabulary():
    assert {region.kind for region in REGIONS.regions.values()} <= set(codes("region_kind"))
    assert {REGIONS.level(code) for code in REGIONS.regions} <= set(codes("level"))
