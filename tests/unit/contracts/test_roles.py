"""Roles and acts, row by row: who may, on whose objects, and who may not have acted before."""

import pytest

from contracts.roles import (
    UnknownActError,
    acts_of,
    allowed,
    granting,
    load_roles,
    scopes,
    separated,
)
from tests.unit.contracts.rule_files import draft

TABLE = load_roles()
ROLES = {
    "agency_clerk",
    "agency_leader",
    "source_handler",
    "source_approver",
    "confidentiality_reviewer",
    "steward",
    "cdo",
    "authority_reviewer",
    "authority_approver",
    "authority_supervisor",
    "legal_officer",
    "node_operator",
    "auditor",
    "department_system",
    "applicant",
}
AUTHORITY = {"authority_reviewer", "authority_approver", "authority_supervisor"}


def test_there_are_exactly_the_fifteen_roles():
    assert TABLE.roles.keys() == ROLES


@pytest.mark.parametrize("act", sorted(TABLE.acts))
@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_do_an_act_exactly_when_the_table_lists_it(role, act):
    listed = role in TABLE.acts[act].roles
    assert allowed([role], act) is listed
    assert (act in acts_of(role)) is listed
    assert scopes([role], act) == ({TABLE.roles[role].scope} if listed else set())


def test_no_role_and_an_unknown_role_may_nothing():
    for act in TABLE.acts:
        assert not allowed([], act)
        assert not allowed(["mayor", "administrator", "*"], act)


def test_an_unknown_act_is_an_error_and_not_a_refusal():
    with pytest.raises(UnknownActError):
        allowed(["agency_clerk"], "entry.burn")
    with pytest.raises(UnknownActError):
        separated("entry.burn")


@pytest.mark.parametrize(
    ("act", "earlier"),
    [
        ("entry.approve", "entry.submit"),
        ("entry.return", "entry.submit"),
        ("entry.publish", "entry.submit"),
        ("entry.approve_takedown", "entry.takedown"),
        ("entry.confirm_profile", "entry.profile"),
        ("request.reply", "request.submit"),
        ("request.deliver", "request.submit"),
        ("request.approve", "request.submit"),
        ("request.approve_reply", "request.reply"),
        ("filing.record", "request.submit"),
        ("filing.return", "entry.submit"),
        ("calendar.confirm", "calendar.import"),
    ],
)
def test_nobody_approves_what_he_submitted(act, earlier):
    assert earlier in separated(act)


def test_every_act_that_decides_on_anothers_work_is_separated_from_it():
    deciding = ("approve", "confirm_profile", "accept", "return", "record", "refuse_takedown")
    for act in TABLE.acts:
        verb = act.partition(".")[2]
        if verb.startswith(deciding) and act != "grant.return":
            assert separated(act), act


@pytest.mark.parametrize("role", sorted(AUTHORITY))
def test_the_authority_never_acts_for_an_agency(role):
    for act in ("entry.submit", "request.submit", "request.reply", "request.deliver"):
        assert not allowed([role], act)
    assert TABLE.roles[role].scope == "node"


def test_operators_and_auditors_have_no_part_in_business():
    business = ("entry.", "request.", "grant.", "filing.", "dataset.", "delivery.")
    operator = {act for act in acts_of("node_operator") if act.startswith(business)}
    assert operator == set()
    auditor = {act for act in acts_of("auditor") if act.startswith(business)}
    assert auditor
    assert all(act.endswith(".read") for act in auditor)


def test_an_applicant_sees_only_what_is_his_own():
    assert acts_of("applicant") == {"inbox.read", "rules.read"}
    assert TABLE.roles["applicant"].scope == "self"


def test_only_a_using_system_fetches_data_with_a_grant():
    assert TABLE.acts["delivery.read"].roles == {"department_system"}


def test_the_audit_trail_is_not_for_those_whom_it_watches():
    for act in ("audit.read", "audit.verify"):
        watched = {"agency_clerk", "source_handler", "authority_reviewer", "authority_approver"}
        assert TABLE.acts[act].roles.isdisjoint(watched)


def test_every_role_has_something_to_do():
    for role in ROLES:
        assert acts_of(role)


def test_an_act_of_a_switched_off_guard_is_nobodys():
    rules = draft()
    assert allowed(["agency_leader"], "request.approve")
    assert not rules.gate("requester_leader_approval").enabled
    assert not allowed(["agency_leader"], "request.approve", rules=rules)
    assert allowed(["agency_leader"], "request.submit", rules=rules)


def test_every_policy_of_the_table_is_a_guard_of_the_rules():
    rules = draft()
    named = {act.policy for act in TABLE.acts.values() if act.policy}
    assert named
    assert all(rules.gate(name).kind == "policy" for name in named)


def test_several_roles_add_up_and_each_keeps_its_own_scope():
    assert granting(["agency_clerk", "authority_reviewer"], "entry.import") == {
        "agency_clerk",
        "authority_reviewer",
    }
    assert scopes(["agency_clerk", "authority_reviewer"], "entry.import") == {
        "organisation",
        "node",
    }


def test_every_role_has_a_name_in_both_languages():
    for role in TABLE.roles.values():
        assert role.zh
        assert role.en.isascii()
