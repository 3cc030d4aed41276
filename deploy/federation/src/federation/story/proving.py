"""What anybody can prove afterwards: the audit chains, and the deadlines as the city sees them."""

from collections.abc import Mapping
from typing import Any

from federation.plan import CITY, SERVICES
from federation.story.cast import COUNTY_A, COUNTY_B, at_authority
from federation.story.stage import Stage, StoryError

REPLY = "share.reply"
STORYS = 2  # requests that the story answers


async def verify_audit(stage: Stage) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Walk the audit chain of every service of every node."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for node in stage.plan.nodes:
        auditor = stage.actor(at_authority(node.code, "auditor"))
        for service in SERVICES:
            answer = await auditor.get(f"/{service}/v1/audit/verify")
            if not answer["whole"]:
                raise StoryError(f"the audit of {service} at {node.code} is broken")
            found[node.code, service] = answer
        rows = sum(found[node.code, service]["rows"] for service in SERVICES)
        stage.line(auditor.person, node.code, "审计链核验 audit verified", detail=f"{rows} 条 rows")
    return found


async def digests(stage: Stage) -> dict[str, Mapping[str, Any]]:
    """The city sees both counties' signed figures of their deadlines."""
    supervisor = stage.actor(at_authority(CITY, "supervisor"))

    async def arrived() -> dict[str, Mapping[str, Any]] | None:
        answer = await supervisor.get("/notify/v1/digests")
        shown = {each["node"]: each for each in answer["items"]}
        replies = [
            line for line in shown.get(COUNTY_B, {}).get("lines", ()) if line["rule"] == REPLY
        ]
        # both requests of the story are answered, and the county's figures say so
        told = any(line["open"] == 0 and line["ended_on_time"] >= STORYS for line in replies)
        return shown if told and shown.get(COUNTY_A, {}).get("as_of") else None

    shown = await stage.until(arrived, "the digests of both counties at the city")
    ended = sum(line["ended_on_time"] for line in shown[COUNTY_B]["lines"])
    stage.line(
        supervisor.person,
        CITY,
        "各县时限汇总 digests",
        detail=f"{COUNTY_B}: {ended} 件按时办结 on time",
        article="第六条",
    )
    return shown
