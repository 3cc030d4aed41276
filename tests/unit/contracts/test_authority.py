"""Levels and addressees: all seven relations for all four kinds, and who may decide what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.authority import (
    NoAuthorityError,
    RelationOutsideError,
    authority_may_decide,
    filing_target,
    load_matrix,
    load_relations,
    resolve_filings,
    resolve_party,
    resolve_relation,
)
from contracts.regions import UnknownRegionError, load_regions
from contracts.vocabulary import codes
from tests.unit.contracts.rule_files import draft, other

RULES = draft()
REGIONS = load_regions()
MATRIX = load_matrix()
KINDS = codes("request_kind")
OWN, CITY, OUTSIDE_CITY = "441521", "441500", "outside"

# domain §1.3: requester, source, relation, row, [(rule, desk, external)], dispute goes to
RELATIONS = [
    ("441521", "441521", "same_region", "same_region_county", [], ["authority_same_level"]),
    (
        "441521",
        "441581",
        "cross_region",
        "county_to_county",
        [("F2a", "441521", False), ("F2b", "441500", False)],
        ["authority_city"],
    ),
    (
        "441521",
        "441500",
        "cross_level",
        "county_to_city",
        [("F2a", "441521", False), ("F2b", "441500", False)],
        ["authority_city", "authority_province"],
    ),
    (
        "441500",
        "441581",
        "cross_level",
        "city_to_county",
        [("F2a", "441500", False), ("F2b", "441500", True)],
        ["authority_city", "authority_province"],
    ),
    (
        "441500",
        "440000",
        "cross_level",
        "city_to_province",
        [("F2a", "441500", False), ("F2b", "441500", True)],
        ["authority_province"],
    ),
    (
        "441521",
        "440000",
        "cross_level",
        "county_to_province",
        [("F2a", "441521", False), ("F2b", "441500", False)],
        ["authority_province"],
    ),
    (
        "441521",
        "441302",
        "cross_region",
        "county_to_other_city",
        [("F2a", "441521", False), ("F2b", "441500", False)],
        ["authority_province"],
    ),
    # beside the seven: within the city level, a city agency and another city, a zone as a county
    ("441599", "441500", "same_region", "same_region_city", [], ["authority_same_level"]),
    (
        "441500",
        "440300",
        "cross_region",
        "city_to_other_city",
        [("F2a", "441500", False), ("F2b", "441500", True)],
        ["authority_province"],
    ),
    (
        "441540",
        "441502",
        "cross_region",
        "county_to_county",
        [("F2a", "441540", False), ("F2b", "441500", False)],
        ["authority_city"],
    ),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("requester", "source", "relation", "name", "filings", "dispute"), RELATIONS
)
def test_every_relation_is_filed_with_its_authorities_for_every_kind_of_request(
    requester, source, relation, name, filings, dispute, kind
):
    found = resolve_relation(requester, source, regions=REGIONS)
    assert (found.relation, found.name, list(found.dispute)) == (relation, name, dispute)
    targets = resolve_filings(found, requester, request_kind=kind, rules=RULES, regions=REGIONS)
    assert [(t.rule, t.receiver_node, t.external) for t in targets] == filings
    assert all(target.article == "第二十条第二款" for target in targets)


def test_readings_that_the_legal_office_has_not_confirmed_are_marked():
    marked = {row.name for row in load_relations() if row.to_confirm}
    assert marked == {"county_to_city", "city_to_county"}


def test_a_requester_outside_the_platform_has_no_relation_here():
    with pytest.raises(RelationOutsideError):
        resolve_relation("440300", "441521", regions=REGIONS)


@pytest.mark.parametrize("code", ["999999", "441501", "abc", "4415", "441503"])
def test_an_unknown_region_or_a_heading_has_no_relation(code):
    with pytest.raises(UnknownRegionError):
        resolve_relation(code, "441521", regions=REGIONS)


def test_a_zone_that_does_not_act_as_a_county_is_served_by_the_city():
    regions = REGIONS.with_zones({"441540": False})
    found = resolve_relation("441540", "441500", regions=regions)
    assert found.name == "same_region_city"
    assert resolve_relation("441540", "441521", regions=regions).name == "city_to_county"


def test_a_kind_of_request_that_the_rules_leave_out_is_not_filed():
    narrowed = RULES.model_copy(
        update={
            "filings": tuple(
                rule.model_copy(update={"request_kinds": ("conditional",)})
                for rule in RULES.filings
            )
        }
    )
    relation = resolve_relation("441521", "441581", regions=REGIONS)
    found = resolve_filings(
        relation, "441521", request_kind="need", rules=narrowed, regions=REGIONS
    )
    assert found == ()


def test_filings_of_opening_and_operation_go_to_their_own_addressees():
    own = filing_target(RULES.filing("F1"), "441521", regions=REGIONS)
    assert (own.receiver_node, own.external) == ("441521", False)
    plans = filing_target(RULES.filing("F4"), "441500", regions=REGIONS)
    assert (plans.receiver_node, plans.external) == ("441500", True)
    agreement = filing_target(RULES.filing("F5"), "441581", regions=REGIONS)
    assert (agreement.receiver_node, agreement.external) == ("441500", False)


@pytest.mark.parametrize("rules", [RULES, other()], ids=["draft", "second"])
@pytest.mark.parametrize(
    ("row", "level"),
    [(row, level) for row in MATRIX.acts for level in row.level],
    ids=lambda value: value if isinstance(value, str) else value.act,
)
def test_every_row_of_the_matrix_names_parties_filings_and_deadlines_that_exist(row, level, rules):
    region = CITY if level == "city" else OWN
    decision = MATRIX.decision(row.act, row.organisation, level=level, rules=rules)
    assert decision.row == row
    for party in (row.decides, row.decides_if_appointed, *row.told, *decision.escalation):
        if party is not None:
            resolve_party(party, region, regions=REGIONS)
    assert [rule.id for rule in decision.filings] == list(row.filed_with)
    assert bool(row.escalated_by) == bool(decision.escalation)
    assert row.kind == "policy" or row.article


def test_no_act_has_two_rows_for_the_same_organisation_and_level():
    keys = [(row.act, row.organisation, level) for row in MATRIX.acts for level in row.level]
    assert len(set(keys)) == len(keys)


def test_every_deadline_of_the_law_escalates_through_exactly_one_act_chain():
    named = {key for row in MATRIX.acts for key in row.escalated_by}
    assert named == {deadline.id for deadline in RULES.deadlines}


COUNTY_OWN = [
    "entry.review",
    "entry.return",
    "entry.approve",
    "entry.publish",
    "entry.takedown",
    "entry.suspend",
    "filing.record",
    "open.suspend",
]


@pytest.mark.parametrize("act", COUNTY_OWN)
def test_the_own_level_authority_decides_and_the_city_gets_no_say_in_a_county(act):
    assert authority_may_decide(act, "441521", subject_region="441521", regions=REGIONS)
    assert not authority_may_decide(act, "441500", subject_region="441521", regions=REGIONS)
    assert not authority_may_decide(act, "441581", subject_region="441521", regions=REGIONS)
    assert authority_may_decide(act, "441500", subject_region="441599", regions=REGIONS)


@pytest.mark.parametrize(
    "act", ["request.conditional", "request.deliver", "open.plan", "open.decide", "entry.submit"]
)
@pytest.mark.parametrize("node", ["441500", "441521"])
def test_no_authority_replies_or_opens_on_an_agencys_behalf(act, node):
    assert not authority_may_decide(act, node, subject_region="441521", regions=REGIONS)


def test_what_the_law_gives_to_the_city_is_the_citys():
    for act in ("operation.legacy", "returnflow.configure"):
        assert authority_may_decide(act, "441500", subject_region="441521", regions=REGIONS)
        assert not authority_may_decide(act, "441521", subject_region="441521", regions=REGIONS)


def test_an_act_kind_or_party_that_is_not_listed_is_nobodys():
    with pytest.raises(NoAuthorityError):
        MATRIX.row("entry.burn", "agency", level="county")
    with pytest.raises(NoAuthorityError):
        MATRIX.row("entry.approve", "tea_house", level="county")
    with pytest.raises(NoAuthorityError):
        MATRIX.row("operation.county", "government", level="city")
    with pytest.raises(NoAuthorityError):
        resolve_party("authority_of_the_moon", OWN, regions=REGIONS)
    assert not authority_may_decide("entry.burn", "441521", subject_region=OWN, regions=REGIONS)


@pytest.mark.parametrize(
    ("party", "region", "node", "external"),
    [
        ("self", "441521", "441521", False),
        ("authority_same_level", "441521", "441521", False),
        ("government_office_same_level", "441500", "441500", False),
        ("authority_upper_level", "441521", "441500", False),
        ("authority_upper_level", "441500", "441500", True),
        ("authority_city", "441581", "441500", False),
        ("authority_province", "441581", "441581", True),
        ("source", "441581", None, False),
        ("dependents", "441581", None, False),
    ],
)
def test_own_same_upper_and_city_are_different_parties(party, region, node, external):
    target = resolve_party(party, region, regions=REGIONS)
    assert (target.node, target.external) == (node, external)


def test_every_kind_of_organisation_that_decides_is_a_code_of_the_vocabulary():
    kinds = {kind for kinds in MATRIX.groups.values() for kind in kinds}
    assert kinds <= set(codes("organisation_kind"))
    assert MATRIX.group_of("unit_by_reference") == "agency"


def test_every_office_that_hears_of_lateness_can_be_found_by_its_kind():
    for rules in (RULES, other()):
        for deadline in rules.deadlines:
            for party in deadline.escalation:
                target = resolve_party(party, OWN, regions=REGIONS)
                assert target.kinds
                assert set(target.kinds) <= set(codes("organisation_kind"))
    assert set(MATRIX.party_kinds) <= set(MATRIX.parties)


INSIDE = st.sampled_from([*REGIONS.nodes(), "441599"])
ANYWHERE = st.sampled_from([*sorted(set(REGIONS.regions) - {"441501"}), "441302", "440305"])


@given(requester=INSIDE, source=ANYWHERE, kind=st.sampled_from(KINDS))
def test_any_two_regions_have_one_relation_and_either_no_filing_or_both(requester, source, kind):
    relation = resolve_relation(requester, source, regions=REGIONS)
    targets = resolve_filings(relation, requester, request_kind=kind, rules=RULES, regions=REGIONS)
    same_node = REGIONS.node_of(requester) == REGIONS.node_of(source)
    assert (relation.relation == "same_region") == same_node
    assert [target.rule for target in targets] == ([] if same_node else ["F2a", "F2b"])
    for target in targets:
        assert target.receiver_node in REGIONS.nodes()
        # only a city's upper authority is outside, and its filing waits at the city's own desk
        assert target.external == (target.rule == "F2b" and relation.requester == "city")
        if target.external:
            assert target.receiver_node == REGIONS.node_of(requester)
