"""Default deny, scope of roles, separation of duties."""

import pytest

from kernel.policies import authorise, may, sees_whole_node
from kernel.principal import Principal
from kernel.problems import NotPermitted, OtherNode, OtherOrganisation, SeparationOfDuties


def somebody(*roles: str, organisation: str = "org-1", node: str = "441521") -> Principal:
    return Principal(
        subject="p1", name="", organisation=organisation, node=node, roles=frozenset(roles)
    )


def test_nobody_may_do_anything_without_a_role() -> None:
    with pytest.raises(NotPermitted):
        authorise(somebody(), "entry.draft")


def test_a_role_that_does_not_exist_allows_nothing() -> None:
    assert not may(somebody("root"), "entry.draft")


def test_a_clerk_acts_for_the_own_organisation_alone() -> None:
    authorise(somebody("agency_clerk"), "entry.draft", organisation="org-1", node="441521")
    with pytest.raises(OtherOrganisation):
        authorise(somebody("agency_clerk"), "entry.draft", organisation="org-2")


def test_a_clerk_without_organisation_does_not_own_what_belongs_to_nobody() -> None:
    with pytest.raises(OtherOrganisation):
        authorise(somebody("agency_clerk", organisation=""), "entry.draft", organisation="")


def test_an_authority_acts_for_every_organisation_of_its_node() -> None:
    authorise(somebody("authority_reviewer"), "entry.review", organisation="org-9", node="441521")


def test_no_role_reaches_another_node() -> None:
    with pytest.raises(OtherNode):
        authorise(somebody("authority_reviewer"), "entry.review", node="441581")


def test_nobody_approves_what_he_submitted() -> None:
    approver = somebody("authority_approver")
    authorise(approver, "entry.approve", done_by="somebody-else")
    with pytest.raises(SeparationOfDuties) as refused:
        authorise(approver, "entry.approve", done_by=["x", "p1"])
    assert refused.value.kind == "policy"


def test_an_applicant_reaches_only_his_own() -> None:
    assert may(somebody("applicant"), "inbox.read")
    with pytest.raises(NotPermitted):
        authorise(somebody("applicant"), "inbox.read", owner="p2")


def test_lists_show_the_whole_node_to_authorities_alone() -> None:
    assert sees_whole_node(somebody("authority_reviewer"), "entry.read")
    assert not sees_whole_node(somebody("agency_clerk"), "entry.read")
