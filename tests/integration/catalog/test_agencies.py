"""Agencies: registered by their own authority, announced to all, with CDO and stewards."""

import pytest

from tests.integration.catalog.world import AUTHORITY, EMERGENCY, NODE

pytestmark = pytest.mark.postgres
NEW = {
    "org_id": f"{NODE}-jy",
    "name": "海丰县教育局",
    "kind": "administrative_organ",
    "region_code": NODE,
}


async def register(world, status=201, who="reviewer", **changed):
    answer = await world.people[who].post("/catalog/v1/agencies", {**NEW, **changed})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_registered_agency_is_announced_to_the_federation(world):
    agency = await register(world, uscc="11441521XX90210351")
    assert (agency["level"], agency["state"], agency["record_version"]) == ("county", "active", 1)
    announced = (await world.events("yiwang.catalog.agency.announced.v1"))[-1]
    assert (announced["topic"], announced["key"]) == (f"agencies.{NODE}.v1", NEW["org_id"])
    assert announced["uscc"] == "11441521XX90210351"
    shown = (await world.clerk.get(f"/catalog/v1/agencies/{NEW['org_id']}")).json()
    assert shown["name"] == NEW["name"]


async def test_each_wrong_field_of_a_registration_is_named(world):
    refused = await register(
        world, status=422, uscc="11441521MB2C000137", kind="ministry", region_code="441581",
        participation_basis="maybe", parent="nobody",
    )  # fmt: skip
    found = {error["field"]: error["type"].rsplit(":", 1)[1] for error in refused["errors"]}
    assert found == {
        "uscc": "credit-code-invalid",
        "kind": "kind-unknown",
        "region_code": "region-not-served",
        "participation_basis": "kind-unknown",
        "parent": "parent-unknown",
    }


@pytest.mark.parametrize("region", ["441501", "441522", "999999", "44152", "440000"])
async def test_a_region_that_is_nobodys_or_anothers_is_refused(world, region):
    refused = await register(world, status=422, region_code=region)
    assert [error["field"] for error in refused["errors"]] == ["region_code"]


async def test_an_agency_is_registered_once(world):
    await register(world)
    for changed in (
        {},
        {"org_id": f"{NODE}-j2"},
        {"org_id": f"{NODE}-j3", "name": " 海丰县教育局 "},
    ):
        refused = await register(world, status=409, **changed)
        assert refused["type"].endswith("agency-exists")


async def test_only_the_authority_registers(world):
    await register(world, status=403, who="steward")
    await register(world, status=403, who="auditor")


async def test_a_change_needs_the_version_it_is_based_on_and_is_announced(world):
    await register(world)
    path = f"/catalog/v1/agencies/{NEW['org_id']}"
    changed = await world.approver.patch(path, {"name": "海丰县教育体育局"}, version=1)
    assert changed.status_code == 200, changed.text
    assert changed.json()["record_version"] == 2
    stale = await world.approver.patch(path, {"name": "别名"}, version=1)
    assert stale.status_code == 409
    assert stale.json()["current"]["name"] == "海丰县教育体育局"
    announced = await world.events("yiwang.catalog.agency.announced.v1")
    assert [a["record_version"] for a in announced if a["org_id"] == NEW["org_id"]] == [1, 2]


async def test_an_agency_that_ended_provides_nothing_new(world):
    ended = await world.approver.patch(
        f"/catalog/v1/agencies/{EMERGENCY}", {"state": "ended"}, version=1
    )
    assert ended.status_code == 200, ended.text
    draft = await world.draft()
    fields = {error["field"] for error in draft["violations"]}
    assert "providing_org" in fields


async def test_a_chief_data_officer_is_appointed_and_succeeded(world):
    path = f"/catalog/v1/agencies/{EMERGENCY}"
    first = {"role": "cdo", "subject": "u-1", "name": "王某", "document": "海应急〔2026〕1号",
             "since": "2026-01-01"}  # fmt: skip
    appointed = await world.leader.post(f"{path}/appointments", first)
    assert appointed.status_code == 201, appointed.text
    second = {**first, "subject": "u-2", "name": "李某", "since": "2026-02-01"}
    shown = (await world.leader.post(f"{path}/appointments", second)).json()
    held = {each["subject"]: (each["since"], each["until"]) for each in shown["appointments"]}
    assert held == {"u-1": ("2026-01-01", "2026-02-01"), "u-2": ("2026-02-01", None)}
    backwards = {**first, "until": "2025-01-01"}
    refused = await world.leader.post(f"{path}/appointments", backwards)
    assert refused.status_code == 422
    assert (await world.health_clerk.post(f"{path}/appointments", first)).status_code == 403


async def test_agencies_are_listed_in_pages(world):
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await world.clerk.get("/catalog/v1/agencies", limit=2, **more)).json()
        seen += [agency["org_id"] for agency in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert AUTHORITY in seen
    of_kind = (await world.clerk.get("/catalog/v1/agencies", kind="data_authority")).json()
    assert [agency["org_id"] for agency in of_kind["items"]] == [AUTHORITY]
