"""A walk through the services of the city's node in which nearly every operation succeeds once.

It tells the story of ``tests/federation`` within one node, over the services' own HTTP, and
goes into the corners: returns, supplements, takedowns, claims, imports, calendars.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from contracts.calendar import packaged_calendar
from federation import using_system
from federation.using_system import UsingSystem
from tests.integration.catalog import world
from tests.integration.catalog.world import LAW
from tests.security import federation_corner as federation
from tests.security.whole_node import NODE, Person, WholeNode, until
from tests.support.buskit import Keys, Source
from tests.support.http import NodeFiles

CATALOG, SHARING, NOTIFY = "/catalog/v1", "/sharing/v1", "/notify/v1"
AUTHORITY, EMERGENCY, HEALTH = (f"{NODE}-{short}" for short in ("zs", "yj", "wj"))
AGENCIES = (
    (AUTHORITY, "汕尾市政务服务和数据管理局", "data_authority"),
    (EMERGENCY, "汕尾市应急管理局", "administrative_organ"),
    (HEALTH, "汕尾市卫生健康局", "administrative_organ"),
)
ITEMS = ["licence_no", "company"]
ROWS = "licence_no,company\nA-1,汕尾市甲公司\nA-2,汕尾市乙公司\n"
POSTS: dict[str, tuple[tuple[str, ...], str]] = {
    "reviewer": (("authority_reviewer",), AUTHORITY),
    "approver": (("authority_approver",), AUTHORITY),
    "supervisor": (("authority_supervisor",), AUTHORITY),
    "legal": (("legal_officer",), AUTHORITY),
    "auditor": (("auditor",), AUTHORITY),
    "operator": (("node_operator",), AUTHORITY),
    "steward": (("steward",), EMERGENCY),
    "clerk": (("agency_clerk",), EMERGENCY),
    "leader": (("agency_leader",), EMERGENCY),
    "handler": (("source_handler",), EMERGENCY),
    "source_approver": (("source_approver",), EMERGENCY),
    "confidentiality": (("confidentiality_reviewer",), EMERGENCY),
    "asker": (("agency_clerk",), HEALTH),
    "asking_leader": (("agency_leader",), HEALTH),
    "health_steward": (("steward",), HEALTH),
}


@dataclass
class Walk:
    """The walk's people and what it came by: ids by the name of the path parameter."""

    node: WholeNode
    keys: Keys
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    system: UsingSystem = field(
        default_factory=lambda: using_system.make(f"{HEALTH}-duty", "应急值守系统")
    )

    def __post_init__(self) -> None:
        for name, (roles, organisation) in POSTS.items():
            self.people[name] = self.node.person(*roles, organisation=organisation, subject=name)

    def source(self, node: str, service: str) -> Source:
        """Return a service of another node; one each, because its numbers go on."""
        made = Source(self.keys, node=node, service=service)
        return self.sources.setdefault((node, service), made)

    def who(self, name: str) -> Person:
        return self.people[name]

    def submission(self, entry_id: str, **changed: Any) -> dict[str, Any]:
        """A complete request for an entry."""
        plain: dict[str, Any] = {
            "entry_id": entry_id,
            "items": ITEMS,
            "purpose": "登记防汛责任区内的危险化学品经营企业",
            "basis": [LAW],
            "scene": "应急值守系统",
            "scope": "全市",
            "mode": "api",
            "term_days": 365,
            "system": self.system.as_submitted(),
            "security_measures": "政务外网访问，按人员授权",
        }
        return plain | changed

    def entry_act(self, who: str, entry_id: str, act: str, body: Any = None) -> Any:
        return self.who(who).post(f"{CATALOG}/entries/{entry_id}/{act}", body)


def walk(node: WholeNode, files: NodeFiles) -> Walk:
    """Walk through everything; return what the walk came by."""
    made = Walk(node, Keys(keys=dict(files.keys)))
    agencies(made)
    entry_id = entries(made)
    corners(made)
    imports(made)
    published = lookups(made, entry_id)
    requests(made, published)
    desk(made)
    federation.neighbour(made)
    calendar(made)
    for base in (CATALOG, SHARING, NOTIFY):
        chassis(made, base)
    return made


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


def requests(made: Walk, entry_id: str) -> None:
    """Upload, request, supplement, review, reply, delivery, confirmation, revocation."""
    handler, asker = made.who("handler"), made.who("asker")

    def uploaded() -> Any:
        return made.who("steward").upload(
            f"{SHARING}/datasets/{entry_id}", ROWS.encode(), name="rows.csv", kind="text/csv"
        )

    until(uploaded)
    handler.get(f"{SHARING}/datasets/{entry_id}")
    first = granted(made, entry_id)
    fetch(made, first)
    asker.post(f"{SHARING}/requests/{first}/confirm", {})
    grant_id = asker.get(f"{SHARING}/requests/{first}")["grant_id"]
    made.known |= {"request_id": first, "grant_id": grant_id}
    asker.get(f"{SHARING}/requests", box="sent")
    asker.get(f"{SHARING}/grants")
    asker.get(f"{SHARING}/grants/{grant_id}")
    basis = {"explanation": "停止使用", "basis": [LAW]}
    made.who("source_approver").post(f"{SHARING}/grants/{grant_id}/revoke", basis)
    second = granted(made, entry_id, purpose="核对企业名单")
    returned = asker.get(f"{SHARING}/requests/{second}")["grant_id"]
    asker.post(f"{SHARING}/grants/{returned}/return", {"explanation": "不再需要"})
    third = submit(made, entry_id, purpose="误提")
    asker.post(f"{SHARING}/requests/{third}/withdraw", {"reason": "误提"})


def submit(made: Walk, entry_id: str, **changed: Any) -> str:
    asker, handler = made.who("asker"), made.who("handler")

    def accepted() -> Any:
        return asker.post(f"{SHARING}/requests", made.submission(entry_id, **changed))

    request_id: str = until(accepted)["request_id"]
    until(lambda: handler.get(f"{SHARING}/requests/{request_id}"))
    return request_id


def granted(made: Walk, entry_id: str, **changed: Any) -> str:
    """Bring a request to its grant; return its id."""
    asker, handler = made.who("asker"), made.who("handler")
    request_id = submit(made, entry_id, **changed)
    path = f"{SHARING}/requests/{request_id}"
    handler.post(
        f"{path}/ask-supplement", {"findings": [{"code": "scope_unclear", "text": "请写明范围"}]}
    )
    until(lambda: asker.get(path)["supplements"])
    asker.post(f"{path}/supplement", {"explanation": "仅限责任区内企业"})
    until(lambda: handler.get(path)["supplements"][0]["answered_at"])
    results = [{"item": item, "passed": True} for item in ITEMS]
    made.who("confidentiality").post(f"{path}/review", {"results": results})
    agreed = {"outcome": "agreed", "granted_items": ITEMS, "reason": "符合共享条件"}
    handler.post(f"{path}/reply", agreed)
    handler.post(f"{path}/deliver", {})
    until(lambda: asker.get(path)["grant_id"])
    return request_id


def fetch(made: Walk, request_id: str) -> None:
    """The using system fetches rows and file with tokens that it signed itself."""
    grant_id = made.who("asker").get(f"{SHARING}/requests/{request_id}")["grant_id"]
    for tail in ("rows", "file"):
        token = made.system.grant_token(grant_id, NODE)
        answer = made.node.send(
            "GET",
            f"{SHARING}/delivery/{grant_id}/{tail}",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text


def desk(made: Walk) -> None:
    """The filing of what is not shared: returned, completed, recorded; clocks and inboxes."""
    reviewer, steward = made.who("reviewer"), made.who("steward")
    filing = until(lambda: reviewer.get(f"{NOTIFY}/filings", rule="F1")["items"])[0]
    filing_id = filing["filing_id"]
    made.known["filing_id"] = filing_id
    path = f"{NOTIFY}/filings/{filing_id}"
    reviewer.get(path)
    reviewer.get(f"{path}/document")
    reviewer.post(f"{path}/return", {"reason": "请补充依据条款"})
    steward.get(f"{CATALOG}/filings")
    mine = f"{CATALOG}/filings/{filing_id}"
    until(lambda: steward.get(mine)["state"] == "returned")
    steward.post(f"{mine}/complete", {"summary": "补充依据条款", "basis": [LAW]})
    until(lambda: reviewer.get(path)["state"] == "received")
    reviewer.post(f"{path}/record")
    clock = until(lambda: reviewer.get(f"{NOTIFY}/clocks")["items"])[0]
    made.known["clock_id"] = clock["clock_id"]
    reviewer.get(f"{NOTIFY}/clocks/{clock['clock_id']}")
    item = until(lambda: reviewer.get(f"{NOTIFY}/inbox")["items"])[0]
    made.known["item_id"] = item["item_id"]
    reviewer.post(f"{NOTIFY}/inbox/{item['item_id']}/read")
    reviewer.get(f"{NOTIFY}/digests")
    reviewer.get(f"{NOTIFY}/counts")
    reviewer.get(f"{NOTIFY}/calendars")
    made.who("asker").get(f"{SHARING}/filings")


def calendar(made: Walk) -> None:
    """An ordered closure and next year's schedule: proposed, previewed, withdrawn, confirmed."""
    legal, approver = made.who("legal"), made.who("approver")
    closure = {
        "day": "2026-12-16",
        "workday": False,
        "reason": "台风停工",
        "document": "汕府办〔2026〕示例号",
    }
    path = f"{NOTIFY}/calendars"
    first = legal.post(path, {"exemptions": [closure]})["version"]
    made.known["version"] = first
    legal.get(f"{path}/{first}")
    legal.get(f"{path}/{first}/preview")
    approver.post(f"{path}/{first}/reject", {"reason": "文号有误"})
    days = "".join(
        f"{day},off,{name.removesuffix('_observed')}\n"
        for day, name in packaged_calendar().statutory.items()
        if day.year == 2027
    )
    second = legal.upload(
        f"{path}/file",
        f"date,kind,name\n{days}".encode(),
        name="2027.csv",
        kind="text/csv",
        year="2027",
        source="国办发明电〔2026〕示例号",
    )
    approver.post(f"{path}/{second['version']}/confirm", {"digest": second["digest"]})
    until(lambda: legal.get(path)["version"] == second["version"])


def chassis(made: Walk, base: str) -> None:
    """What every service has: attachments, audit, dead letters, streams."""
    clerk = made.who("clerk")
    document = b"%PDF-1.4\n%%EOF\n"
    answer = clerk.upload(f"{base}/attachments", document, name="basis.pdf", kind="application/pdf")
    made.known["digest"] = answer["digest"]
    clerk.get(f"{base}/attachments/{answer['digest']}")
    clerk.get(f"{base}/attachments/{answer['digest']}/content")
    auditor, operator = made.who("auditor"), made.who("operator")
    auditor.get(f"{base}/audit")
    auditor.get(f"{base}/audit/head")
    auditor.get(f"{base}/audit/verify")
    operator.get(f"{base}/streams")
    letters = operator.get(f"{base}/dead-letters", state="open")["items"]
    for act, letter in zip(("replay", "discard"), letters, strict=False):
        path = f"{base}/dead-letters/{letter['id']}"
        made.known["number"] = str(letter["id"])
        operator.get(path)
        operator.post(f"{path}/{act}", {"reason": "已核实"} if act == "discard" else None)
