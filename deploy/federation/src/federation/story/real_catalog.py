"""An existing catalogue file of one's own (``YIWANG_REAL_CATALOG``), from file to published.

What the file lacks a completion profile fills, which a second person has confirmed; every filled
value is marked as assumed, never counted as declared.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from federation.agencies import authority_of, data_file
from federation.plan import CITY
from federation.story.cast import at_authority
from federation.story.catalogs import Scale, agencies_at
from federation.story.stage import Actor, Stage

PROFILE = "completion-profile.json"
DECISIONS = ("accept", "approve", "publish")


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the rows: how many came how far, and what stood against the others."""

    rows: int = 0
    drafts: int = 0
    complete_as_read: int = 0
    complete: int = 0
    published: int = 0
    matched: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)


async def load(stage: Stage, file: Path) -> Report:
    """Import the file at the city's node, complete it, submit, review and publish it."""
    reviewer = stage.actor(at_authority(CITY, "reviewer"))
    content = await asyncio.to_thread(file.read_bytes)
    answer = await reviewer.upload(
        "/catalog/v1/imports",
        files={"file": (file.name, content, "application/octet-stream")},
        fields={"default_org": authority_of(CITY).org_id},
    )
    read = answer["report"]
    report = Report(
        rows=read["rows"],
        drafts=read["drafts"],
        complete_as_read=read["complete"],
        matched=read["matched"],
        refused=read["refused"],
    )
    stage.line(
        reviewer.person,
        CITY,
        "导入现有目录 imported",
        detail=f"{report.rows} 行 rows → {report.drafts} 条草稿 drafts",
        article="第十一条第二款",
    )
    import_id = answer["import_id"]
    completed = await _complete(stage, reviewer, import_id)
    report.complete, report.missing = completed["complete"], completed["report"]["incomplete"]
    for agency in agencies_at(CITY, scale=Scale.FULL):
        await _all(stage.actor(f"{agency.org_id}.clerk"), "submit", import_id, report)
    decider = stage.actor(at_authority(CITY, "decider"))
    for act in DECISIONS:
        report.published = await _all(decider, act, import_id, report)
    stage.line(
        decider.person,
        CITY,
        "审定并发布 published",
        detail=f"{report.published} 条",
        article="第十一条第三款",
    )
    return report


async def _complete(stage: Stage, reviewer: Actor, import_id: str) -> Mapping[str, Any]:
    """Fill what the drafts lack from a profile that another person has confirmed."""
    document = json.loads(data_file(PROFILE).read_text(encoding="utf-8"))
    profile = await reviewer.post("/catalog/v1/profiles", document)
    decider = stage.actor(at_authority(CITY, "decider"))
    await decider.post(f"/catalog/v1/profiles/{profile['profile_id']}/confirm")
    completed: Mapping[str, Any] = await reviewer.post(
        f"/catalog/v1/imports/{import_id}/complete", {"profile_id": profile["profile_id"]}
    )
    stage.line(
        decider.person,
        CITY,
        "确认补全方案 profile confirmed",
        detail=f"{completed['complete']} 条要素齐全（推定值已标记）complete",
        article="第十一条第四款",
    )
    return completed


async def _all(actor: Actor, act: str, import_id: str, report: Report) -> int:
    """Run an act over everything of the import that is complete; return how many passed."""
    done = 0
    while True:
        wanted = {"import_id": import_id, "complete": True}
        answer = await actor.post("/catalog/v1/entries/batch", {"act": act, "filter": wanted})
        done += int(answer["done"])
        report.reasons.update(answer["reasons"])
        if not answer["more"] or not answer["done"]:
            return done
