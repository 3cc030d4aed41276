"""The end of the story: rows by grant token, proof, revocation, and a refusal."""

from collections.abc import Mapping
from typing import Any

from federation.client import NodeClient, RefusedError
from federation.story.cast import REFUSAL_BASIS, TOO_LOW_BASIS
from federation.story.requesting import Case
from federation.story.stage import Stage, StoryError, traceparent_of

PAGE = 200


async def fetch_page(stage: Stage, case: Case, cursor: str | None) -> Mapping[str, Any]:
    """Fetch one page with a token of its own, signed by the using system."""

    async def attempt() -> Mapping[str, Any]:
        client = NodeClient(
            url=stage.plan.node(case.cast.there).url,
            http=stage.http,
            token=case.system.grant_token(case.grant_id, case.cast.there, clock=stage.clock),
            traceparent=traceparent_of(case.trace),
        )
        page: Mapping[str, Any] = await client.get(
            f"/sharing/v1/delivery/{case.grant_id}/rows", cursor=cursor, limit=PAGE
        )
        return page

    return await stage.patiently(attempt)


async def fetch_rows(stage: Stage, case: Case) -> list[Mapping[str, Any]]:
    """The using system fetches everything, page by page; the first call proves the delivery."""
    rows: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await fetch_page(stage, case, cursor)
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    case.rows = len(rows)
    stage.line(
        case.system.name,
        case.cast.here,
        "凭令牌取数 rows fetched",
        detail=f"{len(rows)} 行 rows，{rows[0]['name']} … {rows[-1]['name']}",
        article="第十九条第三款",
        trace=case.trace,
    )
    return rows


async def confirm(stage: Stage, case: Case) -> Mapping[str, Any]:
    """The proof is back at the requester, who confirms that the data arrived."""
    clerk = case.actor(stage, case.cast.clerk)

    async def proved() -> Mapping[str, Any] | None:
        shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
        return shown if shown["proved_at"] else None

    await stage.until(proved, "the proof of delivery at the requester")
    answer = await clerk.post(f"/sharing/v1/requests/{case.request_id}/confirm")
    stage.line(clerk.person, case.cast.here, "确认收到 confirmed", trace=case.trace)
    found: Mapping[str, Any] = answer
    return found


async def revoke(stage: Stage, case: Case) -> RefusedError:
    """The source revokes; from that moment every call is refused. Returns the refusal."""
    approver = case.actor(stage, case.cast.approver)
    await approver.post(
        f"/sharing/v1/grants/{case.grant_id}/revoke",
        {"explanation": "区划代码年度调整，原版本停止使用。", "basis": [REFUSAL_BASIS]},
    )
    try:
        await fetch_page(stage, case, None)
    except RefusedError as refusal:
        stage.line(
            approver.person,
            case.cast.there,
            "撤销授权，取数即止 revoked",
            detail=str(refusal),
            article="第三十条第三款",
            trace=case.trace,
        )
        clerk = case.actor(stage, case.cast.clerk)

        async def ended() -> bool:
            shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
            return bool(shown["state"] == "ended")

        await stage.until(ended, "the end of the grant at the requester")
        return refusal
    raise StoryError("a revoked grant still delivered")


async def refuse_without_ground(stage: Stage, case: Case) -> RefusedError:
    """A refusal on an internal document is refused itself (G7). Returns that refusal."""
    handler = case.actor(stage, case.cast.handler)
    try:
        await handler.post(f"/sharing/v1/requests/{case.request_id}/reply", _refusal(TOO_LOW_BASIS))
    except RefusedError as refusal:
        stage.line(
            handler.person,
            case.cast.there,
            "依据不足，拒绝无效 refusal refused",
            detail=str(refusal),
            article=str(refusal.problem.get("article", "第十九条第三款")),
            trace=case.trace,
        )
        return refusal
    raise StoryError("an internal document carried a refusal")


async def refuse(stage: Stage, case: Case) -> Mapping[str, Any]:
    """A refusal with a law reaches the requester with its ground."""
    handler = case.actor(stage, case.cast.handler)
    await handler.post(f"/sharing/v1/requests/{case.request_id}/reply", _refusal(REFUSAL_BASIS))
    clerk = case.actor(stage, case.cast.clerk)

    async def refused() -> Mapping[str, Any] | None:
        shown = await clerk.get(f"/sharing/v1/requests/{case.request_id}")
        return shown if shown["state"] == "refused" else None

    shown = await stage.until(refused, "the refusal at the requester")
    stage.line(
        handler.person,
        case.cast.there,
        "依法拒绝 refused",
        detail=REFUSAL_BASIS["title"],
        article="第十九条第三款",
        trace=case.trace,
    )
    return shown


def _refusal(basis: Mapping[str, str]) -> dict[str, Any]:
    reason = "申请用途与所列职责不符。"
    part = {"part": "all", "reason": reason, "basis": [basis]}
    return {"outcome": "refused", "reason": reason, "refused": [part]}
