"""The walk through the catalogue: agencies, entries and their corners, imports, look-ups."""

import json
from typing import Any

from tests.integration.catalog import world
from tests.integration.catalog.world import LAW
from tests.security.cast import AGENCIES, CATALOG, EMERGENCY, HEALTH, Walk
from tests.security.whole_node import NODE


def agencies(made: Walk) -> None:
    reviewer = made.who("reviewer")
    for org_id, title, kind in AGENCIES:
        body = {"org_id": org_id, "name": title, "kind": kind, "region_code": NODE}
        reviewer.post(f"{CATALOG}/agencies", body)
    made.known["org_id"] = EMERGENCY
    reviewer.get(f"{CATALOG}/agencies")
    reviewer.get(f"{CATALOG}/agencies/{EMERGENCY}")
    reviewer.patch(f"{CATALOG}/agencies/{EMERGENCY}", {"short_name": "应急局"}, version=1)
    made.who("leader").post(
        f"{CATALOG}/agencies/{EMERGENCY}/appointments",
        {"role": "steward", "subject": "steward", "name": "数据管理员", "since": "2026-01-01"},
    )


def content(**changed: Any) -> dict[str, Any]:
    """A complete entry of the city's emergency office, unless changed."""
    orgs = ("collecting_org", "verifying_org", "providing_org")
    return world.content(**(dict.fromkeys(orgs, EMERGENCY) | {"region_code": NODE} | changed))


def draft(made: Walk, **changed: Any) -> Any:
    who = "health_steward" if changed.get("providing_org") == HEALTH else "steward"
    return made.who(who).post(f"{CATALOG}/entries", content(**changed))


def publish(made: Walk, entry_id: str) -> Any:
    made.entry_act("steward", entry_id, "submit")
    made.entry_act("reviewer", entry_id, "accept")
    made.entry_act("approver", entry_id, "approve", {"opinion": "同意"})
    return made.entry_act("approver", entry_id, "publish")


def entries(made: Walk) -> str:
    """The main path, and a change of what was published."""
    condition = {
        "share_type": "conditional",
        "share_condition": "用于防汛责任区登记",
        "share_basis": [LAW],
    }
    entry = draft(made, title="危险化学品经营许可证（有条件）", **condition)
    entry_id: str = entry["entry_id"]
    made.known["entry_id"] = entry_id
    steward = made.who("steward")
    path = f"{CATALOG}/entries/{entry_id}"
    edited = steward.patch(path, {"abstract": "证书与企业"}, version=entry["record_version"])
    assert edited["record_version"] > entry["record_version"]
    made.entry_act("steward", entry_id, "submit")
    made.entry_act("steward", entry_id, "recall")
    made.entry_act("steward", entry_id, "submit")
    made.entry_act("reviewer", entry_id, "accept")
    made.entry_act("reviewer", entry_id, "return", {"opinion": "摘要不清"})
    made.entry_act(
        "confidentiality", entry_id, "confidentiality-review", {"passed": True, "note": "无密"}
    )
    publish(made, entry_id)
    trigger = {"kind": "legal_basis", "document": "粤府令第1号", "effective_on": "2026-01-05"}
    made.entry_act("steward", entry_id, "trigger", trigger)
    made.entry_act("steward", entry_id, "change")
    steward.patch(path, {"abstract": "证书、企业与有效期"}, version=_version(made, entry_id))
    for tail in ("", "/diff", "/versions", "/versions/1", "/impact"):
        steward.get(path + tail)
    made.known["number"] = "1"
    publish(made, entry_id)
    return entry_id


def _version(made: Walk, entry_id: str) -> int:
    found: int = made.who("steward").get(f"{CATALOG}/entries/{entry_id}")["record_version"]
    return found


def corners(made: Walk) -> None:
    """Suspension, takedown, discarding, claims and a filing of an entry that is not shared."""
    steward = made.who("steward")
    steward.get(f"{CATALOG}/entries")
    unwanted = draft(made, title="误建条目")["entry_id"]
    made.entry_act("steward", unwanted, "discard")
    short = draft(made, title="临时条目")["entry_id"]
    publish(made, short)
    made.entry_act("supervisor", short, "suspend", {"reason": "发现风险"})
    made.entry_act("approver", short, "resume")
    made.entry_act("steward", short, "takedown", {"reason": "合并", "basis": [LAW]})
    made.entry_act("approver", short, "takedown/refuse", {"opinion": "仍有使用"})
    made.entry_act("steward", short, "takedown", {"reason": "合并", "basis": [LAW]})
    made.entry_act("approver", short, "takedown/approve", {"opinion": "同意"})
    batch = [draft(made, title=f"批量条目{number}")["entry_id"] for number in range(2)]
    steward.post(f"{CATALOG}/entries/batch", {"act": "submit", "ids": batch})
    secret = {
        "share_type": "none",
        "share_scope": "nobody",
        "share_basis": [LAW],
        "open_attr": "none",
        "open_basis": [LAW],
    }
    hidden = draft(made, title="个人诊疗记录", **secret)["entry_id"]
    publish(made, hidden)
    claims(made)


def claims(made: Walk) -> None:
    """Two departments claim one fact; the authority decides."""
    items = [
        {
            "name_cn": "企业名称",
            "name_en": "company",
            "data_type": "C",
            "length": 120,
            "data_element": "DE-company-name",
            "subject_kind": "organisation",
        }
    ]
    for org in (EMERGENCY, HEALTH):
        orgs = dict.fromkeys(("collecting_org", "verifying_org", "providing_org"), org)
        entry = draft(made, title=f"企业名称-{org}", items=items, **orgs)
        who = "health_steward" if org == HEALTH else "steward"
        made.entry_act(who, entry["entry_id"], "submit")
        made.entry_act("reviewer", entry["entry_id"], "accept")
        made.entry_act("approver", entry["entry_id"], "approve")
        made.entry_act("approver", entry["entry_id"], "publish")
    found = made.who("reviewer").get(f"{CATALOG}/claims")["items"]
    decision = {"fact": found[0]["fact"], "org_id": EMERGENCY, "document": "汕数〔2026〕3号"}
    made.who("approver").post(f"{CATALOG}/claims/decide", decision)


def imports(made: Walk) -> None:
    """A catalogue file, a profile that another person confirms, and the completed drafts."""
    steward, leader = made.who("steward"), made.who("leader")
    row = content(title="导入条目", update_frequency=None)
    text = json.dumps(row, ensure_ascii=False) + "\n"
    answer = steward.upload(
        f"{CATALOG}/imports", text.encode(), name="catalog.jsonl", kind="application/x-ndjson"
    )
    import_id = answer["import_id"]
    made.known["import_id"] = import_id
    steward.get(f"{CATALOG}/imports")
    steward.get(f"{CATALOG}/imports/{import_id}")
    profile = steward.post(
        f"{CATALOG}/profiles",
        {"name": "缺省更新频率", "rules": [{"set": {"update_frequency": "monthly"}}]},
    )
    profile_id = profile["profile_id"]
    made.known["profile_id"] = profile_id
    steward.get(f"{CATALOG}/profiles")
    leader.post(f"{CATALOG}/profiles/{profile_id}/confirm", {"note": "经核对"})
    steward.post(f"{CATALOG}/imports/{import_id}/complete", {"profile_id": profile_id})


def lookups(made: Walk, entry_id: str) -> str:
    """What everybody may see."""
    asker = made.who("asker")
    asker.get(f"{CATALOG}/search", q="危险化学品")
    asker.get(f"{CATALOG}/published/{entry_id}")
    asker.get(f"{CATALOG}/editions")
    asker.get(f"{CATALOG}/editions/{NODE}")
    asker.get(f"{CATALOG}/editions/{NODE}/1")
    made.known["node"] = NODE
    return entry_id
