"""The middle of the story: search, request, two filings, reply, delivery."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from federation import using_system
from federation.agencies import data_file
from federation.client import RefusedError
from federation.story.cast import (
    REQUEST_BASIS,
    Cast,
    at_authority,
)
from federation.story.stage import Actor, Stage, name_of, new_trace
from federation.using_system import UsingSystem

DATASET = "shanwei-towns-and-villages.csv"
ITEMS = ("code", "name", "level", "town_code", "county_code", "county_name")
LEVELS = {"same": "同级", "upper": "上一级", "city": "市", "province": "省"}
# what was published a moment ago reaches every service of every node by itself
NOT_HERE_YET = {"entry-unknown", "requester-unknown", "source-unknown"}
PURPOSE = (
    "台风和暴雨防御期间，按统一的镇街、村居代码登记责任区和转移安置信息，避免各系统编码不一致。"
)


@dataclass(slots=True, kw_only=True)
class Case:
    """One request as it goes on: ids, trace, what each side last showed."""

    cast: Cast
    trace: str = field(default_factory=new_trace)
    system: UsingSystem
    entry: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    request_no: str = ""
    filings: list[Mapping[str, Any]] = field(default_factory=list)
    grant_id: str = ""
    rows: int = 0

    def actor(self, stage: Stage, person: str) -> Actor:
        return stage.actor(person, trace=self.trace)


def new_case(cast: Cast) -> Case:
    """Return a case that has not begun; its using system has a key of its own."""
    system_id = f"{cast.requester}-typhoon-duty"
    return Case(cast=cast, system=using_system.make(system_id, "三防应急值守系统"))


async def when_known(
    stage: Stage, act: Callable[[], Awaitable[Mapping[str, Any]]]
) -> Mapping[str, Any]:
    """Act as soon as the service has heard of what was published."""

    async def attempt() -> Mapping[str, Any] | None:
        try:
            return await act()
        except RefusedError as refusal:
            if refusal.slug in NOT_HERE_YET:
                return None
            raise

    return await stage.until(attempt, "the published entry in this service")


async def upload_dataset(stage: Stage, case: Case, entry_id: str) -> Mapping[str, Any]:
    """The source uploads the file that the entry describes."""
    steward = stage.actor(case.cast.steward)
    content = data_file(DATASET).read_bytes()

    answer = await when_known(
        stage,
        lambda: steward.upload(
            f"/sharing/v1/datasets/{entry_id}", files={"file": (DATASET, content, "text/csv")}
        ),
    )
    stage.line(
        steward.person,
        case.cast.there,
        "上传数据集 dataset uploaded",
        detail=f"{answer['rows']} 行 rows",
    )
    return answer


async def search(stage: Stage, case: Case) -> Mapping[str, Any]:
    """The clerk of county A finds the wanted entry in his own node's replica."""
    clerk = case.actor(stage, case.cast.clerk)

    async def hit() -> Mapping[str, Any] | None:
        answer = await clerk.get("/catalog/v1/search", q=case.cast.words)
        for each in answer["items"]:
            if each["title"] == case.cast.wanted and each["node"] == case.cast.there:
                found: Mapping[str, Any] = each
                return found
        return None

    case.entry = await stage.until(hit, "the wanted entry in the requester's search")
    stage.line(
        clerk.person,
        case.cast.here,
        "检索全市目录 search",
        detail=f"“{case.cast.words}” → {case.entry['title']}",
        trace=case.trace,
    )
    return case.entry


async def submit(stage: Stage, case: Case) -> Mapping[str, Any]:
    """One act: the request goes directly to the source, and is filed twice at the same time."""
    clerk = case.actor(stage, case.cast.clerk)
    body = {
        "entry_id": case.entry["entry_id"],
        "items": list(ITEMS),
        "purpose": PURPOSE,
        "basis": [REQUEST_BASIS],
        "scene": "三防应急值守系统登记责任区和转移对象所在村居",
        "scope": "全市镇街和村居的名称与代码",
        "mode": "api",
        "term_days": 365,
        "system": case.system.as_submitted(),
        "security_measures": "政务外网访问，按人员授权，留存访问日志。",
    }
    answer = await when_known(stage, lambda: clerk.post("/sharing/v1/requests", body))
    case.request_id, case.request_no = answer["request_id"], answer["request_no"]
    case.filings = list(answer["filings"])
    stage.line(
        clerk.person,
        case.cast.here,
        "提出共享申请 request",
        detail=f"{case.request_no} → {name_of(case.cast.source)}",
        article="；".join(dict.fromkeys(each["article"] for each in case.filings)),
        trace=case.trace,
    )
    return answer


async def receipt(stage: Stage, case: Case) -> Mapping[str, Any]:
    """The source's node has stored the request; its signed receipt is back, the clock runs."""
    clerk = case.actor(stage, case.cast.clerk)

    async def received() -> Mapping[str, Any] | None:
        shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
        return shown if shown["receipt"]["stored_at"] and shown["receipt"]["returned_at"] else None

    shown = await stage.until(received, "the source's receipt of the request")
    handler = case.actor(stage, case.cast.handler)
    held = await handler.get(f"/sharing/v1/requests/{case.request_id}")
    stage.line(
        case.cast.source,
        case.cast.there,
        "收到申请并签收 received",
        detail=f"签收 {shown['receipt']['stored_at']}",
        article=held["reply_due"]["article"],
        due=f"答复 reply {held['reply_due']['due_on']}",
        trace=case.trace,
    )
    return shown


async def filings(stage: Stage, case: Case) -> list[Mapping[str, Any]]:
    """Every authority that the rules name holds its filing, numbered; a person there records it."""
    clerk = case.actor(stage, case.cast.clerk)
    for filing in case.filings:
        await _record(stage, case, filing)

    async def recorded() -> list[Mapping[str, Any]] | None:
        shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
        done = all(filing["state"] == "recorded" for filing in shown["filings"])
        return list(shown["filings"]) if done else None

    if case.filings:
        case.filings = await stage.until(recorded, "all filings recorded, seen by the requester")
    return case.filings


async def _record(stage: Stage, case: Case, filing: Mapping[str, Any]) -> None:
    """Record a filing at its desk; the province's receipt number is entered at the own desk."""
    external = filing["external"]
    desk = case.cast.here if external else filing["receiver_node"]
    reviewer = case.actor(stage, at_authority(desk, "reviewer"))
    path = f"/notify/v1/filings/{filing['filing_id']}"

    async def arrived() -> Mapping[str, Any] | None:
        answer = await reviewer.get("/notify/v1/filings", subject_id=case.request_id)
        held = [each for each in answer["items"] if each["filing_id"] == filing["filing_id"]]
        return held[0] if held else None

    held = await stage.until(arrived, f"the filing {filing['rule']} on the desk of {desk}")
    level = "平台外 outside" if external else LEVELS[held["receiver_level"]]
    stage.line(
        at_authority(desk, "desk"),
        desk,
        f"备案收到 filed ({level})",
        detail=held["filing_no"],
        article=held["article"],
        trace=case.trace,
    )
    if external:
        answer = await reviewer.post(
            f"{path}/external-number", {"external_no": f"粤数备〔2026〕{case.request_no[-5:]}号"}
        )
    else:
        answer = await reviewer.post(f"{path}/record")
    stage.line(
        reviewer.person, desk, "备案登记 recorded", detail=answer["filing_no"], trace=case.trace
    )


async def reply(stage: Stage, case: Case) -> Mapping[str, Any]:
    """Confidentiality review, then the agreeing reply: D3 ends, D4 runs."""
    reviewer = case.actor(stage, case.cast.confidentiality_reviewer)
    results = [{"item": item, "passed": True} for item in ITEMS]
    await reviewer.post(f"/sharing/v1/requests/{case.request_id}/review", {"results": results})
    stage.line(
        reviewer.person,
        case.cast.there,
        "保密审查通过 confidentiality review",
        article="第三十条第一款",
        trace=case.trace,
    )
    handler = case.actor(stage, case.cast.handler)
    answer = await handler.post(
        f"/sharing/v1/requests/{case.request_id}/reply",
        {"outcome": "agreed", "granted_items": list(ITEMS), "reason": "符合共享条件，同意共享。"},
    )
    stage.line(
        handler.person,
        case.cast.there,
        "答复：同意共享 agreed",
        article=answer["deliver_due"]["article"],
        due=f"交付 deliver {answer['deliver_due']['due_on']}",
        trace=case.trace,
    )
    found: Mapping[str, Any] = answer
    return found


async def deliver(stage: Stage, case: Case) -> Mapping[str, Any]:
    """The source delivers; the requester's node learns of the grant."""
    handler = case.actor(stage, case.cast.handler)
    await handler.post(f"/sharing/v1/requests/{case.request_id}/deliver")
    clerk = case.actor(stage, case.cast.clerk)

    async def delivered() -> Mapping[str, Any] | None:
        shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
        return shown if shown["grant_id"] else None

    shown = await stage.until(delivered, "the grant at the requester")
    case.grant_id = shown["grant_id"]
    stage.line(
        handler.person,
        case.cast.there,
        "交付：授权可用 delivered",
        detail=f"grant {case.grant_id}",
        article="第十九条第三款",
        trace=case.trace,
    )
    return shown
