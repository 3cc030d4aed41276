"""The beginning of the story: agencies are registered, catalogues imported, reviewed, published."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from federation.agencies import Agency, authority_of, data_file, sample_agencies
from federation.story.cast import Cast, at_authority
from federation.story.stage import Stage, StoryError

PAGE = 200
PARALLEL = 4  # commands at a time to one node


class Scale(StrEnum):
    """How much of the sample is used: everything, or what the request needs."""

    FULL = "full"
    SMALL = "small"


async def publish_all(stage: Stage, *, scale: Scale) -> dict[str, int]:
    """Publish the sample catalogues at all nodes; return the published entries of each.

    What is there from an earlier start stays; only what is missing is done.
    """
    codes = [node.code for node in stage.plan.nodes]
    counts = await asyncio.gather(*(publish_catalog(stage, code, scale=scale) for code in codes))
    return dict(zip(codes, counts, strict=True))


async def publish_catalog(stage: Stage, node: str, *, scale: Scale) -> int:
    """Register a node's agencies and publish its sample catalogue; return the entries published."""
    await register_agencies(stage, node, scale=scale)
    wanted = sample_entries(node, scale=scale)
    there = await entries_of(stage, node)
    missing = [entry for entry in wanted if entry["title"] not in there]
    if missing:
        await import_entries(stage, node, missing)
        there = await entries_of(stage, node)
    await _walk(stage, node, [there[entry["title"]] for entry in wanted])
    return len(wanted)


def agencies_at(node: str, *, scale: Scale) -> list[Agency]:
    """Return the sample agencies of a node: all, or the authority and those who play."""
    usual = Cast()
    # the neighbour of the source asks too, when a request stays within one county
    playing = {usual.requester, usual.source, f"{usual.there}-yj", authority_of(node).org_id}
    return [
        agency
        for agency in sample_agencies()
        if agency.node == node and (scale is Scale.FULL or agency.org_id in playing)
    ]


def sample_entries(node: str, *, scale: Scale) -> list[dict[str, Any]]:
    """Return the sample entries of a node: all, or the one that is asked for."""
    lines = data_file(f"catalog/{node}.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    if scale is Scale.FULL:
        return entries
    return [entry for entry in entries if entry["title"] == Cast().wanted]


async def register_agencies(stage: Stage, node: str, *, scale: Scale) -> None:
    """Register what is missing of a node's agencies; each is announced to the federation."""
    reviewer = stage.actor(at_authority(node, "reviewer"))
    answer = await reviewer.get("/catalog/v1/agencies", limit=PAGE)
    there = {agency["org_id"] for agency in answer["items"]}
    missing = [agency for agency in agencies_at(node, scale=scale) if agency.org_id not in there]
    for agency in missing:
        body = agency.model_dump(exclude={"node", "level"})
        await reviewer.post("/catalog/v1/agencies", body)
    if missing:
        stage.line(
            reviewer.person,
            node,
            "登记机构 agencies registered",
            detail=f"{len(missing)} 家",
            article="第六条",
        )


async def import_entries(stage: Stage, node: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Import entries from a file: rows become drafts of the node's agencies."""
    reviewer = stage.actor(at_authority(node, "reviewer"))
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    file = (f"{node}.jsonl", text.encode(), "application/x-ndjson")
    answer = await reviewer.upload("/catalog/v1/imports", files={"file": file})
    report = answer["report"]
    if report["complete"] != len(entries):
        raise StoryError(f"{node}: {len(entries)} rows were imported, but {report}")
    stage.line(
        reviewer.person,
        node,
        "导入目录 catalogue imported",
        detail=f"{report['drafts']} 条草稿 drafts，{report['complete']} 条要素齐全 complete",
        article="第十一条第二款",
    )


async def entries_of(stage: Stage, node: str) -> dict[str, Mapping[str, Any]]:
    """Return all entries of a node by title."""
    reviewer = stage.actor(at_authority(node, "reviewer"))
    found: dict[str, Mapping[str, Any]] = {}
    cursor: str | None = None
    while True:
        page = await reviewer.get("/catalog/v1/entries", limit=PAGE, cursor=cursor)
        found |= {entry["title"]: entry for entry in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return found


async def _walk(stage: Stage, node: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Take entries from draft to published: each agency submits its own, the authority decides."""
    drafts: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry["state"] in {"draft", "returned"}:
            drafts[entry["providing_org"]].append(entry["entry_id"])
    for org, ids in drafts.items():
        await _batch(stage, f"{org}.clerk", "submit", ids)
    if drafts:
        detail = f"{len(drafts)} 家机构 {sum(map(len, drafts.values()))} 条"
        stage.line(
            "各机构 agencies", node, "提交审定 submitted", detail=detail, article="第十一条第二款"
        )
    decider = at_authority(node, "decider")
    current = (await entries_of(stage, node)).values()
    done = 0
    for act, state in (("accept", "submitted"), ("approve", "in_review"), ("publish", "approved")):
        ids = [entry["entry_id"] for entry in current if entry["state"] == state]
        await _batch(stage, decider, act, ids)
        done = len(ids)
        current = (await entries_of(stage, node)).values()
    if done:
        stage.line(
            decider, node, "审定并发布 published", detail=f"{done} 条", article="第十一条第三款"
        )


async def _batch(stage: Stage, person: str, act: str, ids: Sequence[str]) -> None:
    actor = stage.actor(person)
    for start in range(0, len(ids), PAGE):
        chunk = list(ids[start : start + PAGE])
        answer = await actor.post("/catalog/v1/entries/batch", {"act": act, "ids": chunk})
        if answer["refused"]:
            raise StoryError(f"{act} by {person}: {answer['reasons']}")


async def entry_of(stage: Stage, cast: Cast) -> str:
    """Return the id of the entry that will be asked for."""
    entries = await entries_of(stage, cast.there)
    return str(entries[cast.wanted]["entry_id"])
