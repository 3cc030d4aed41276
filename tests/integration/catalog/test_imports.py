"""Importing a catalogue file: every row is a draft or says why, nothing is invented."""

import gzip
import json

import pytest

from tests.integration.catalog.world import AUTHORITY, EMERGENCY, HEALTH, LAW, content

pytestmark = pytest.mark.postgres
CSV = (
    "标题,来源部门,开放条件,更新频率,描述,数据格式,标签\r\n"
    "危化品许可,百色市应急管理局,无条件开放,每月,证书编号、企业名称,\"['xls', 'xml']\",\"建设\r\n\t审查\"\r\n"
    "血站名单,百色市卫生健康局,有条件开放,看心情,暂无,[],\r\n"
    "无主数据,柳州市柳城县,无条件开放,每年,,,\r\n"
    ",百色市应急管理局,无条件开放,每年,,,\r\n"
)


async def load(world, file, who="reviewer", status=201, name="catalog.csv", **data):
    answer = await world.people[who].post(
        "/catalog/v1/imports", files={"file": (name, file)}, data=data
    )
    assert answer.status_code == status, answer.text + world.node.log.getvalue()[-2000:]
    return answer.json()


async def entries_of(world, import_id):
    page = await world.auditor.get("/catalog/v1/entries", import_id=import_id, limit=200)
    return {entry["title"]: entry for entry in page.json()["items"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_rows_become_drafts_of_this_nodes_agencies_with_a_report(world, encoding):
    found = await load(world, CSV.encode(encoding))
    report = found["report"]
    assert (found["rows"], found["drafts"], report["complete"]) == (4, 2, 0)
    assert report["refused"] == {"department_unknown": 1, "title_missing": 1}
    assert report["matched"] == {"function": 2}
    assert report["unread"] == {"update_frequency": 1}
    assert report["incomplete"]["share_type_missing:share_type"] == 2
    assert report["incomplete"]["missing:abstract"] == 1
    assert [(row["row"], row["reason"]) for row in found["refusals"]] == [
        (3, "department_unknown"),
        (4, "title_missing"),
    ]
    drafts = await entries_of(world, found["import_id"])
    assert drafts["危化品许可"]["providing_org"] == EMERGENCY
    assert drafts["血站名单"]["providing_org"] == HEALTH
    detail = (
        await world.steward.get(f"/catalog/v1/entries/{drafts['危化品许可']['entry_id']}")
    ).json()
    assert detail["content"]["keywords"] == ["建设", "审查"]
    assert detail["content"]["resource_format"] == ["xls", "xml"]
    assert detail["content"]["share_type"] == ""
    assert detail["assumed"] == []
    assert detail["provenance"]["department"] == "百色市应急管理局"
    assert detail["provenance"]["row"] == 1


async def test_a_default_agency_takes_what_no_name_matches_and_a_table_names_the_rest(world):
    table = {"柳州市柳城县": HEALTH}
    found = await load(world, CSV.encode(), default_org=AUTHORITY, departments=json.dumps(table))
    assert found["report"]["matched"] == {"function": 2, "declared": 1}
    one_more = CSV.replace("柳州市柳城县", "某某委员会").encode()
    again = await load(world, one_more, default_org=AUTHORITY)
    assert again["report"]["matched"] == {"function": 2, "default": 1}


async def test_an_agency_imports_its_own_rows_only(world):
    found = await load(world, CSV.encode(), who="clerk")
    assert found["report"]["refused"] == {"other_organisation": 1, "title_missing": 1}
    drafts = await entries_of(world, found["import_id"])
    assert {entry["providing_org"] for entry in drafts.values()} == {EMERGENCY}
    assert (
        await world.health_clerk.get(f"/catalog/v1/imports/{found['import_id']}")
    ).status_code == 404


async def test_a_file_in_our_own_form_is_complete_at_once(world):
    lines = [content(title=f"目录{number}") for number in range(3)]
    file = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    found = await load(world, file.encode(), name="a.jsonl")
    assert (found["drafts"], found["report"]["complete"]) == (3, 3)
    packed = await load(world, gzip.compress(file.encode() + b"\n"), name="a.jsonl.gz")
    assert packed["drafts"] == 3
    assert packed["report"]["repeated_titles"] == 0


async def test_the_same_file_again_is_refused_unless_it_is_meant(world):
    first = await load(world, CSV.encode())
    refused = await load(world, CSV.encode(), status=409)
    assert refused["import_id"] == first["import_id"]
    assert (await load(world, CSV.encode(), again="true"))["drafts"] == 2


@pytest.mark.parametrize(
    "file", [b"", b"\xef\xbb\xbf", b"\xff\xff\xff\x80", gzip.compress(b"a")[:10]]
)
async def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(world, file):
    refused = await load(world, file, status=422)
    assert refused["errors"][0]["field"] == "file"
    assert await world.node.count("imports") == 0
    assert await world.node.count("entries") == 0


async def test_too_many_rows_leave_nothing(world):
    rules = world.node.runtime.rulebook.current
    few = rules.parameters["import.max_rows"].model_copy(update={"value": 3})
    changed = rules.model_copy(update={"parameters": {**rules.parameters, "import.max_rows": few}})
    book = world.node.runtime.rulebook
    world.node.runtime.rulebook = book.model_copy(update={"versions": {rules.version: changed}})
    await load(world, CSV.encode(), status=422)
    assert await world.node.count("entries") == 0


async def test_a_mapping_that_is_no_object_is_named(world):
    refused = await load(world, CSV.encode(), status=422, departments="[1]")
    assert refused["errors"][0]["field"] == "departments"


PROFILE = {
    "name": "补全",
    "items_from_abstract": True,
    "rules": [
        {"when": {"open_attr": ["open"]},
         "set": {"share_type": "unconditional", "share_scope": "all_agencies"}},
        {"when": {"open_attr": ["conditional"]},
         "set": {"share_type": "conditional", "share_scope": "same_level",
                 "share_condition": "按需", "share_basis": [LAW], "open_condition": "实名"}},
        {"set": {"data_form": "file", "resource_format": ["other"], "category_path": "3/07",
                 "share_mode": "platform", "share_channel": ["file"],
                 "update_frequency": "irregular", "data_grade": "general", "security_level": 1,
                 "contains_secret": False, "pi_flags": [], "net_type": "government_extranet",
                 "ingest_channel": "file", "steward": "管理员", "contact_name": "办公室",
                 "contact_phone": "0660-0000000"},
         "copy_from": {"abstract": "title", "collecting_org": "providing_org",
                       "verifying_org": "providing_org"}},
    ],
}  # fmt: skip


async def profile(world, status=201, **changed):
    answer = await world.reviewer.post("/catalog/v1/profiles", {**PROFILE, **changed})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_profile_completes_only_after_another_person_confirmed_it(world):
    found = await load(world, CSV.encode())
    made = await profile(world)
    path = f"/catalog/v1/imports/{found['import_id']}/complete"
    body = {"profile_id": made["profile_id"]}
    early = await world.reviewer.post(path, body)
    assert early.json()["type"].endswith("profile-unconfirmed")
    confirm = f"/catalog/v1/profiles/{made['profile_id']}/confirm"
    author = world.node.caller(
        "authority_reviewer", "authority_approver", organisation=AUTHORITY, subject="reviewer"
    )
    own = await author.post(confirm)
    assert own.json()["type"].endswith("separation-of-duties")
    confirmed = await world.approver.post(confirm, {"note": "已核对"})
    assert confirmed.json()["confirmed_by"] == "approver"
    assert (await world.approver.post(confirm)).status_code == 409

    completed = (await world.reviewer.post(path, body)).json()
    assert (completed["looked_at"], completed["changed"], completed["complete"]) == (2, 2, 2)
    drafts = await entries_of(world, found["import_id"])
    detail = (
        await world.steward.get(f"/catalog/v1/entries/{drafts['危化品许可']['entry_id']}")
    ).json()
    assert detail["content"]["update_frequency"] == "monthly"
    assert "update_frequency" not in detail["assumed"]
    assert {"share_type", "collecting_org", "items"} <= set(detail["assumed"])
    assert detail["violations"] == []
    assert detail["provenance"]["profile_id"] == made["profile_id"]
    report = (await world.reviewer.get(f"/catalog/v1/imports/{found['import_id']}")).json()
    assert report["report"]["complete"] == 2
    assert report["report"]["assumed"]["share_type"] == 2
    assert report["states"] == {"draft": 2}


async def test_what_a_person_states_afterwards_is_no_longer_assumed(world):
    found = await load(world, CSV.encode())
    made = await profile(world)
    await world.approver.post(f"/catalog/v1/profiles/{made['profile_id']}/confirm")
    await world.reviewer.post(
        f"/catalog/v1/imports/{found['import_id']}/complete", {"profile_id": made["profile_id"]}
    )
    drafts = await entries_of(world, found["import_id"])
    entry_id = drafts["危化品许可"]["entry_id"]
    before = (await world.steward.get(f"/catalog/v1/entries/{entry_id}")).json()
    edited = await world.steward.patch(
        f"/catalog/v1/entries/{entry_id}",
        {"data_grade": "general", "assumed": []},
        version=before["record_version"],
    )
    after = edited.json()
    assert set(before["assumed"]) - set(after["assumed"]) == {"data_grade"}
    for who, act in (("steward", "submit"), ("reviewer", "accept"), ("approver", "approve"),
                     ("approver", "publish")):  # fmt: skip
        await world.act(who, entry_id, act)
    state = (await world.events("yiwang.catalog.entry.published.v1"))[0]
    assert "share_type" in state["assumed"]
    assert "data_grade" not in state["assumed"]


async def test_a_profile_with_unknown_fields_or_values_is_refused(world):
    refused = await profile(
        world,
        status=422,
        rules=[{"set": {"colour": "red", "security_level": 9}, "when": {"nothing": ["1"]}}],
    )
    assert {error["field"] for error in refused["errors"]} == {
        "rules[0].set.colour",
        "rules[0].set.security_level",
        "rules[0].when.nothing",
    }


async def test_a_submitted_draft_is_not_completed_any_more(world):
    lines = [content(title="完整"), {**content(title="不完整"), "share_mode": ""}]
    file = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    found = await load(world, file.encode(), name="a.jsonl")
    drafts = await entries_of(world, found["import_id"])
    await world.act("steward", drafts["完整"]["entry_id"], "submit")
    made = await profile(world)
    await world.approver.post(f"/catalog/v1/profiles/{made['profile_id']}/confirm")
    completed = await world.reviewer.post(
        f"/catalog/v1/imports/{found['import_id']}/complete", {"profile_id": made["profile_id"]}
    )
    assert completed.json()["looked_at"] == 1
    assert completed.json()["complete"] == 1
