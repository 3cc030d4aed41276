"""Submitting a request: what is refused, what goes out, in which relation."""

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from contracts.identifiers import parse_request_number
from contracts.rules import load_rule_sets
from kernel.problems import Invalid, NotPermitted, OtherNode, ProblemError, SeparationOfDuties
from sharing.errors import (
    BasisLevelUnknown,
    DuplicateSubmission,
    EntryNotInForce,
    EntryUnknown,
    FieldRequired,
    ItemNotShared,
    ItemUnknown,
    NotShareable,
    OwnEntry,
    RequesterUnknown,
    SourceUnknown,
    SystemKeyInvalid,
    TermTooLong,
    TooManyItems,
)
from sharing.requests import service
from sharing.requests.domain import RequestState
from sharing.requests.schemas import Decision, WithdrawRequest
from tests.support.sharing_world import (
    CITY,
    HAIFENG,
    ITEMS,
    LUFENG,
    PUBLIC_JWK,
    World,
    agency,
    command,
    entry,
    person,
    with_gate,
)
from tests.unit.contracts.rule_files import OTHER_FILE

CLERK = person(HAIFENG, "agency_clerk")


async def submit(world: World, *, by=CLERK, **more):
    node = world[by.node]
    return await service.submit(node, command(**more), principal=by, context=node.context)


def the_refusals(caught) -> list[ProblemError]:
    error = caught.value
    return error.errors if isinstance(error, Invalid) else [error]


async def test_request_both_filings_and_audit_are_one_transaction():
    world = World()
    world.publish(entry())
    request, filings = await submit(world)

    assert request.state is RequestState.DISPATCHED
    assert [(f.rule, f.receiver_node, f.external) for f in filings] == [
        ("F2a", HAIFENG, False),
        ("F2b", CITY, False),
    ]
    assert [event.type for event in world[HAIFENG].sent] == [
        "yiwang.sharing.request.dispatched.v1",
        "yiwang.filing.submitted.v1",
        "yiwang.filing.submitted.v1",
    ]
    assert [event.destination for event in world[HAIFENG].sent] == [LUFENG, HAIFENG, CITY]
    assert world[HAIFENG].sent[0].payload.filings == tuple(f.filing_id for f in filings)
    assert [entry.act for entry in world[HAIFENG].audit] == ["request.submit"]


async def test_the_number_of_a_request_names_node_and_day_and_checks_itself():
    world = World()
    world.publish(entry())
    request, _ = await submit(world)
    number = parse_request_number(request.asked.request_no)
    assert (number.node, number.day.isoformat()) == (HAIFENG, "2026-02-13")


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"basis": []}, FieldRequired, "basis"),
        ({"scene": ""}, FieldRequired, "scene"),
        ({"scope": ""}, FieldRequired, "scope"),
        ({"mode": None}, FieldRequired, "mode"),
        ({"term_days": None}, FieldRequired, "term_days"),
        ({"term_days": 5000}, TermTooLong, "term_days"),
        ({"items": ["code", "owner"]}, ItemUnknown, "items.1"),
        ({"basis": [{"level": "hearsay", "title": "传闻"}]}, BasisLevelUnknown, "basis.0.level"),
        ({"items": [f"i{n}" for n in range(201)]}, TooManyItems, "items"),
    ],
)
async def test_each_violated_field_has_its_own_refusal(changes, error, field):
    world = World()
    world.publish(entry())
    with pytest.raises(ProblemError) as caught:
        await submit(world, **changes)
    found = [refusal for refusal in the_refusals(caught) if type(refusal) is error]
    assert [refusal.field for refusal in found] == [field]
    assert found[0].to_problem("zh")["detail"] != found[0].to_problem("en")["detail"]
    assert world[HAIFENG].sent == []


async def test_several_violated_fields_are_all_named_at_once():
    world = World()
    world.publish(entry())
    with pytest.raises(Invalid) as caught:
        await submit(world, basis=[], scene="", items=["code", "owner"])
    assert {refusal.field for refusal in caught.value.errors} == {"basis", "scene", "items.1"}


@pytest.mark.parametrize(
    "jwk",
    [
        {**PUBLIC_JWK, "d": "AAAA"},
        {"kty": "oct", "k": "c2VjcmV0"},
        RSAKey.generate_key(2048, private=True).as_dict(private=False),
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "short"},
        "no json",
        "[]",
    ],
)
async def test_a_key_that_is_private_weak_or_broken_is_refused(jwk):
    world = World()
    world.publish(entry())
    with pytest.raises(SystemKeyInvalid):
        await submit(world, system={"system_id": "duty-1", "name": "系统", "public_jwk": jwk})


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")])
async def test_public_keys_on_both_curves_are_taken(key):
    world = World()
    world.publish(entry())
    jwk = key.as_dict(private=False)
    request, _ = await submit(
        world, system={"system_id": "duty-1", "name": "系统", "public_jwk": jwk}
    )
    assert request.state is RequestState.DISPATCHED


async def test_an_entry_that_is_not_in_force_cannot_be_asked_for():
    world = World()
    with pytest.raises(EntryUnknown):
        await submit(world)
    world.publish(entry(state="suspended"))
    with pytest.raises(EntryNotInForce):
        await submit(world)


async def test_what_is_not_shared_is_refused_with_the_way_of_verification():
    world = World()
    world.publish(entry(share_type="none"))
    with pytest.raises(NotShareable) as caught:
        await submit(world)
    assert "核实" in caught.value.to_problem("zh")["remedy"]
    items = (ITEMS[0], ITEMS[1].model_copy(update={"share_type": "none"}))
    world.publish(entry(items=items, record_version=2))
    with pytest.raises(ItemNotShared):
        await submit(world)


async def test_only_a_registered_active_agency_of_this_node_asks():
    world = World()
    world.publish(entry())
    with pytest.raises(RequesterUnknown):
        await submit(world, by=person(HAIFENG, "agency_clerk", org_id="nobody"))
    world.announce(agency(HAIFENG, state="ended"))
    with pytest.raises(RequesterUnknown):
        await submit(world)


async def test_an_agency_does_not_ask_for_its_own_entry():
    world = World()
    world.publish(entry(HAIFENG))
    with pytest.raises(OwnEntry):
        await submit(world)


async def test_a_role_without_the_act_and_a_token_of_another_node_are_refused():
    world = World()
    world.publish(entry())
    with pytest.raises(NotPermitted):
        await submit(world, by=person(HAIFENG, "source_handler"))
    foreign = person(LUFENG, "agency_clerk", org_id=f"{HAIFENG}-a")
    node = world[HAIFENG]
    with pytest.raises(OtherNode):
        await service.submit(node, command(), principal=foreign, context=node.context)


async def test_an_equal_request_is_refused_as_policy_until_the_first_is_closed():
    world = World()
    world.publish(entry())
    first, _ = await submit(world)
    with pytest.raises(DuplicateSubmission) as caught:
        await submit(world)
    assert caught.value.kind == "policy"
    await submit(world, purpose="另一用途")
    await service.withdraw(
        world[HAIFENG],
        first.request_id,
        WithdrawRequest(),
        principal=CLERK,
        context=world[HAIFENG].context,
    )
    again, _ = await submit(world)
    assert again.request_id != first.request_id


async def test_the_guard_against_equal_requests_can_be_switched_off():
    world = World(with_gate("duplicate_request", enabled=False))
    world.publish(entry())
    await submit(world)
    second, _ = await submit(world)
    assert second.state is RequestState.DISPATCHED


async def test_with_the_policy_of_a_leader_nothing_goes_out_before_his_approval():
    world = World(with_gate("requester_leader_approval", enabled=True))
    world.publish(entry())
    node = world[HAIFENG]
    both = person(HAIFENG, "agency_clerk", "agency_leader", subject="same-person")
    request, filings = await submit(world, by=both)
    assert (request.state, filings, node.sent) == (RequestState.AWAITING_APPROVAL, (), [])
    with pytest.raises(SeparationOfDuties):
        await service.approve(
            node, request.request_id, Decision(), principal=both, context=node.context
        )
    leader = person(HAIFENG, "agency_leader")
    request, filings = await service.approve(
        node, request.request_id, Decision(), principal=leader, context=node.context
    )
    assert request.state is RequestState.DISPATCHED
    assert [filing.rule for filing in filings] == ["F2a", "F2b"]


async def test_without_that_policy_nobody_can_approve():
    world = World()
    world.publish(entry())
    request, _ = await submit(world)
    node = world[HAIFENG]
    with pytest.raises(NotPermitted):
        await service.approve(
            node,
            request.request_id,
            Decision(),
            principal=person(HAIFENG, "agency_leader"),
            context=node.context,
        )


RELATIONS = [
    # requester, source region, relation, (rule, desk, outside the platform)
    (HAIFENG, HAIFENG, "same_region", []),
    (HAIFENG, LUFENG, "cross_region", [("F2a", HAIFENG, False), ("F2b", CITY, False)]),
    (HAIFENG, CITY, "cross_level", [("F2a", HAIFENG, False), ("F2b", CITY, False)]),
    (CITY, LUFENG, "cross_level", [("F2a", CITY, False), ("F2b", CITY, True)]),
    (CITY, "440000", "cross_level", [("F2a", CITY, False), ("F2b", CITY, True)]),
    (HAIFENG, "440000", "cross_level", [("F2a", HAIFENG, False), ("F2b", CITY, False)]),
    (HAIFENG, "440300", "cross_region", [("F2a", HAIFENG, False), ("F2b", CITY, False)]),
]


@pytest.mark.parametrize("kind", ["unconditional", "conditional"])
@pytest.mark.parametrize(("requester", "region", "relation", "desks"), RELATIONS)
async def test_every_relation_files_with_the_right_desks(requester, region, relation, desks, kind):
    world = World()
    catalogued_at = region if region in world.nodes else CITY
    source = agency(catalogued_at, org_id="source", region=region)
    world.announce(source)
    world.publish(entry(catalogued_at, org_id="source", share_type=kind))
    request, filings = await submit(world, by=person(requester, "agency_clerk"))

    assert request.asked.relation == relation
    assert [(f.rule, f.receiver_node, f.external) for f in filings] == desks
    sent = world[requester].events("yiwang.filing.submitted.v1")
    assert [(f.rule, f.receiver_node, f.external) for f in sent] == desks
    assert world[requester].sent[0].destination == catalogued_at


async def test_a_source_in_a_region_that_nobody_knows_is_refused():
    world = World()
    world.announce(agency(LUFENG, region="999999"))
    world.publish(entry())
    with pytest.raises(SourceUnknown):
        await submit(world)


async def test_filings_follow_the_rule_set_not_the_code():
    world = World(load_rule_sets([OTHER_FILE]))
    world.publish(entry())
    request, filings = await submit(world)
    assert [(f.rule, f.receiver_node, f.receiver_level, f.external) for f in filings] == [
        ("F2a", CITY, "city", False),
        ("F2b", HAIFENG, "province", True),
    ]
    assert {filing.article for filing in filings} == {"第六十条第二款"}
    assert request.rule_version == "gedian-2031"
