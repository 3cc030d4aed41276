"""The real catalogue of 23 cities' portals, from file to published, with what stood against it.

``YIWANG_REAL_CATALOG`` names the file (JSON lines, gzip or plain). Its rows become drafts of one
county's agencies: a department is found by its function, the rest goes to the data authority.
"""

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.integration.catalog.world import AUTHORITY, NODE, catalog_world

pytestmark = [pytest.mark.postgres, pytest.mark.real_catalog]
FILE = os.environ.get("YIWANG_REAL_CATALOG", "")
OFFICES = [
    "发展和改革局",
    "工业和信息化局",
    "教育局",
    "科技局",
    "民族宗教事务局",
    "公安局",
    "民政局",
    "司法局",
    "财政局",
    "人力资源和社会保障局",
    "自然资源局",
    "生态环境局",
    "住房和城乡建设局",
    "交通运输局",
    "水务局",
    "农业农村局",
    "商务局",
    "文化广电旅游体育局",
    "退役军人事务局",
    "审计局",
    "统计局",
    "市场监督管理局",
    "医疗保障局",
    "林业局",
    "城市管理局",
    "税务局",
    "气象局",
    "残疾人联合会",
    "总工会",
    "人民政府办公室",
    "公路局",
    "体育局",
    "烟草专卖局",
    "水利局",
]
LAW = {
    "level": "law",
    "title": "中华人民共和国数据安全法",
    "number": "主席令第八十四号",
    "article": "第三十八条",
}
PROFILE = {
    "name": "公开目录补全方案",
    "note": "门户目录只公布开放属性，其余要素按下列规则暂定，待各部门核对",
    "items_from_abstract": True,
    "rules": [
        {
            "when": {"open_attr": ["open"]},
            "set": {"share_type": "unconditional", "share_scope": "all_agencies"},
        },
        {
            "when": {"open_attr": ["conditional"]},
            "set": {
                "share_type": "conditional",
                "share_scope": "same_level",
                "share_condition": "按职责需要申请",
                "share_basis": [LAW],
                "open_condition": "实名登记后申请",
            },
        },
        {
            "set": {
                "data_form": "file",
                "resource_format": ["json"],
                "category_path": "3/07",
                "share_mode": "platform",
                "share_channel": ["file"],
                "update_frequency": "irregular",
                "data_grade": "general",
                "security_level": 1,
                "contains_secret": False,
                "pi_flags": [],
                "net_type": "government_extranet",
                "ingest_channel": "file",
                "steward": "数据管理员",
                "contact_name": "办公室",
                "contact_phone": "0660-0000000",
            },
            "copy_from": {
                "abstract": "title",
                "collecting_org": "providing_org",
                "verifying_org": "providing_org",
            },
        },
    ],
}


async def _agencies(world):
    for number, office in enumerate(OFFICES):
        body = {
            "org_id": f"{NODE}-r{number:02d}",
            "name": f"海丰县{office}",
            "kind": "administrative_organ",
            "region_code": NODE,
        }
        answer = await world.reviewer.post("/catalog/v1/agencies", body)
        assert answer.status_code == 201, answer.text


async def _batches(world, who, act, import_id):
    """Run an act over the whole import in batches; return how many passed and why others not."""
    done, reasons = 0, {}
    while True:
        body = {"act": act, "filter": {"import_id": import_id, "complete": True}}
        answer = await who.post("/catalog/v1/entries/batch", body)
        assert answer.status_code == 200, answer.text + world.node.log.getvalue()[-2000:]
        result = answer.json()
        done += result["done"]
        for reason, count in result["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
        if not result["more"]:
            return done, reasons


@pytest.mark.skipif(not FILE, reason="YIWANG_REAL_CATALOG is not set")
@pytest.mark.timeout(900)
async def test_every_real_row_is_a_draft_or_says_why_and_the_completed_ones_are_published(
    postgres_url, node_files
):
    content = await asyncio.to_thread(Path(FILE).read_bytes)
    async with catalog_world(postgres_url("catalog"), node_files) as world:
        await _agencies(world)
        submitter = world.node.caller(
            "agency_leader", "steward", "authority_reviewer",
            organisation=AUTHORITY, subject="importer",
        )  # fmt: skip
        begun = time.perf_counter()
        answer = await submitter.post(
            "/catalog/v1/imports",
            files={"file": ("catalog.jsonl.gz", content, "application/gzip")},
            data={"default_org": AUTHORITY},
        )
        assert answer.status_code == 201, answer.text + world.node.log.getvalue()[-2000:]
        seconds = time.perf_counter() - begun
        found = answer.json()
        report = found["report"]
        print(f"\n{found['rows']} rows, {found['drafts']} drafts in {seconds:.1f} s", report)
        assert found["rows"] == found["drafts"] + sum(report["refused"].values())
        assert found["drafts"] > 0.99 * found["rows"]
        assert report["complete"] == 0
        assert report["incomplete"]["share_type_missing:share_type"] == found["drafts"]
        assert report["matched"]["function"] > 0.3 * found["drafts"]

        profile = (await submitter.post("/catalog/v1/profiles", PROFILE)).json()
        path = f"/catalog/v1/imports/{found['import_id']}/complete"
        early = await submitter.post(path, {"profile_id": profile["profile_id"]})
        assert early.status_code == 409
        confirm = f"/catalog/v1/profiles/{profile['profile_id']}/confirm"
        assert (await world.approver.post(confirm)).status_code == 200
        completed = await submitter.post(path, {"profile_id": profile["profile_id"]})
        assert completed.status_code == 200, completed.text + world.node.log.getvalue()[-2000:]
        after = completed.json()
        print("complete", after["complete"], "assumed", after["report"]["assumed"])
        print("against the others", after["report"]["incomplete"])
        assert after["complete"] > 0.95 * found["drafts"]

        submitted, refused = await _submit_all(world, found["import_id"])
        print("submitted", submitted, refused)
        for who, act in (("reviewer", "accept"), ("approver", "approve"), ("approver", "publish")):
            begun = time.perf_counter()
            done, reasons = await _batches(world, world.people[who], act, found["import_id"])
            print(act, done, reasons, f"{done / (time.perf_counter() - begun):.0f}/s")
            assert done == submitted
        shown = (await world.auditor.get(f"/catalog/v1/imports/{found['import_id']}")).json()
        print("states", shown["states"])
        assert shown["states"]["published"] == submitted
        hits = (await world.clerk.get("/catalog/v1/search", q="危险化学品")).json()
        assert hits["total"]["value"] > 10
        one = (
            await world.clerk.get(f"/catalog/v1/published/{hits['items'][0]['entry_id']}")
        ).json()
        assert "share_type" in one["assumed"]


async def _submit_all(world, import_id):
    """Each agency submits its own complete entries."""
    rows = await world.node.query(
        "SELECT DISTINCT providing_org FROM entries WHERE import_id = CAST(:id AS uuid)",
        id=import_id,
    )
    total, reasons = 0, {}
    for row in rows:
        steward = world.node.caller("steward", organisation=row["providing_org"])
        done, refused = await _batches(world, steward, "submit", import_id)
        total += done
        reasons |= refused
    return total, reasons
