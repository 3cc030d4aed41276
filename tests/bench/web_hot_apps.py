"""The two servers that ``web_hot`` compares."""

import cProfile
import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from contracts.events.base import Basis, OrganisationRef
from contracts.events.filing import FilingSubmitted
from contracts.events.sharing import RequestDispatched, UsingSystem
from contracts.topics import topic_name
from kernel.handlers import Handlers
from kernel.listening import bind, listen
from kernel.ports import AuditEntry, OutgoingEvent
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.serve import node_app, serve
from kernel.web import EdgeDep, ServiceRouter, options
from tests.support.http import NodeFiles

COMMAND = {
    "entry_id": "0199f3b2-0000-7000-8000-000000000001",
    "items": ["town_code", "town_name", "village_code", "village_name"],
    "purpose": "核对本县行政区划信息，用于办理村级事项",
    "scene": "一件事一次办",
    "scope": "本县所辖镇、街道与村（社区）",
    "mode": "api",
    "term_days": 180,
    "basis": [
        {"level": "local_regulation", "title": "公共数据管理实施细则", "article": "第十九条"}
    ],
    "system": {"system_id": "sys-1", "name": "办事系统", "public_jwk": "{}"},
}
metadata = MetaData()
requests = Table(
    "bench_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_no", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False),
)
filings = Table(
    "bench_filings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, nullable=False),
    Column("rule", Text, nullable=False),
    Column("receiver_node", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
)
TABLES = """
CREATE TABLE IF NOT EXISTS bench_bare (id uuid PRIMARY KEY, purpose text NOT NULL, at timestamptz);
CREATE TABLE IF NOT EXISTS bench_requests (id uuid PRIMARY KEY, request_no text NOT NULL,
  organisation text NOT NULL, entry_id uuid NOT NULL, state text NOT NULL, purpose text NOT NULL,
  command jsonb NOT NULL, submitted_by text NOT NULL, submitted_at timestamptz NOT NULL,
  version integer NOT NULL);
CREATE TABLE IF NOT EXISTS bench_filings (id uuid PRIMARY KEY, request_id uuid NOT NULL,
  rule text NOT NULL, receiver_node text NOT NULL, state text NOT NULL,
  submitted_at timestamptz NOT NULL);
"""


class SubmitRequest(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    entry_id: UUID
    items: list[str] = Field(min_length=1, max_length=200)
    purpose: str = Field(min_length=1, max_length=2000)
    scene: str = Field(min_length=1, max_length=500)
    scope: str = Field(min_length=1, max_length=500)
    mode: str
    term_days: int = Field(ge=1, le=3650)
    basis: list[Basis] = Field(min_length=1)
    system: UsingSystem


class RequestOut(BaseModel):
    id: UUID
    request_no: str
    state: str
    filings: list[UUID]


router = ServiceRouter(prefix="/requests")


@router.post("", status_code=201, response_model=RequestOut)
@options(hot=True)
async def submit(command: SubmitRequest, edge: EdgeDep) -> Response:
    edge.allow("request.submit", organisation=edge.principal.organisation)
    now, request_id = edge.clock.now(), edge.ids.uuid7()
    filing_ids = [edge.ids.uuid7(), edge.ids.uuid7()]
    request_no = f"441521-{request_id.hex[:12]}"
    answer = RequestOut(id=request_id, request_no=request_no, state="sent", filings=filing_ids)
    row = {
        "id": request_id,
        "request_no": request_no,
        "organisation": edge.principal.organisation,
        "entry_id": command.entry_id,
        "state": "sent",
        "purpose": command.purpose,
        "command": command.model_dump(mode="json"),
        "submitted_by": edge.principal.subject,
        "submitted_at": now,
        "version": 1,
    }
    filed = [
        {
            "id": filing_id,
            "request_id": request_id,
            "rule": rule,
            "receiver_node": node,
            "state": "queued",
            "submitted_at": now,
        }
        for filing_id, rule, node in zip(
            filing_ids, ("F2a", "F2b"), ("441521", "441500"), strict=True
        )
    ]
    return await edge.once(
        answer,
        rows={requests: [row], filings: filed},
        events=_events(command, row, filed, now.isoformat()),
        audit=[
            AuditEntry(
                act="request.submit",
                object_kind="request",
                object_id=str(request_id),
                principal=edge.principal,
                article="第二十条",
                rule_version="shanwei-2025-draft",
                details={"filings": [str(found) for found in filing_ids]},
            )
        ],
    )


def _events(
    command: SubmitRequest, row: dict[str, Any], filed: list[dict[str, Any]], at: str
) -> list[OutgoingEvent]:
    requester = OrganisationRef(org_id="org-1", name="海丰县某局", node="441521")
    source = OrganisationRef(org_id="org-2", name="陆丰市某局", node="441581")
    dispatched = RequestDispatched(
        request_id=str(row["id"]),
        request_no=row["request_no"],
        kind="conditional",
        requester=requester,
        source=source,
        relation="cross_region",
        entry_id=str(command.entry_id),
        resource_code="441581-1",
        entry_version=1,
        title="乡镇街道与村（社区）名录",
        items=tuple(command.items),
        purpose=command.purpose,
        basis=tuple(command.basis),
        scene=command.scene,
        scope=command.scope,
        mode=command.mode,
        term_days=command.term_days,
        system=command.system,
        submitted_by=row["submitted_by"],
        submitted_at=at,
        rule_version="shanwei-2025-draft",
        filings=tuple(str(filing["id"]) for filing in filed),
    )
    events = [
        OutgoingEvent(
            type="yiwang.sharing.request.dispatched.v1",
            topic=topic_name("sharing", "441581"),
            key=str(row["id"]),
            case_version=1,
            subject=str(row["id"]),
            payload=dispatched,
            destination="441581",
        )
    ]
    for filing, level in zip(filed, ("same", "upper"), strict=True):
        submitted = FilingSubmitted(
            filing_id=str(filing["id"]),
            rule=filing["rule"],
            article="第二十条第二款",
            filer=requester,
            receiver_node=filing["receiver_node"],
            receiver_level=level,
            subject_kind="share_request",
            subject_id=str(row["id"]),
            subject_no=row["request_no"],
            subject_title=dispatched.title,
            summary=command.purpose,
            counterpart=source,
            relation="cross_region",
            basis=tuple(command.basis),
            submitted_by=row["submitted_by"],
            submitted_at=at,
            rule_version="shanwei-2025-draft",
            reply_to="sharing",
        )
        events.append(
            OutgoingEvent(
                type="yiwang.filing.submitted.v1",
                topic=topic_name("filings", filing["receiver_node"]),
                key=str(filing["id"]),
                case_version=1,
                subject=str(filing["id"]),
                payload=submitted,
                destination=filing["receiver_node"],
            )
        )
    return events


def define(runtime: Runtime) -> ServiceDefinition:
    return ServiceDefinition(name="sample", runtime=runtime, routers=(router,), handlers=Handlers())


def serve_hot(url: str, root: str, ports: Any, profile: str) -> None:
    files = NodeFiles(root=Path(root), keys={}, issuer_key=None)  # type: ignore[arg-type]
    settings = files.settings("sample", url, hot_pool_size=8)

    async def run() -> None:
        runtime = open_runtime(settings)
        definition = define(runtime)
        app = node_app([definition], workers=False, migrate=False)
        await serve(app, host="127.0.0.1", port=0, ready=lambda port: ports.put(("hot", port)))

    _run(run, profile)


def serve_bare(url: str, ports: Any) -> None:
    app = FastAPI()
    pools: list[asyncpg.Pool] = []

    @app.post("/sample/v1/requests", status_code=201)
    async def submit(command: SubmitRequest) -> dict[str, str]:
        made = uuid4()
        await pools[0].execute(
            "INSERT INTO bench_bare VALUES ($1, $2, now())", made, command.purpose
        )
        return {"id": str(made)}

    async def run() -> None:
        pools.append(await asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=8, max_size=8))
        config = uvicorn.Config(app, log_config=None, access_log=False)
        with bind("127.0.0.1", 0) as found:
            ports.put(("bare", listen(found)))
            await uvicorn.Server(config).serve(sockets=[found])

    _run(run, "")


def _run(run: Any, profile: str) -> None:
    import uvloop  # noqa: PLC0415

    profiler = cProfile.Profile() if profile else None

    def ended(*_: Any) -> None:
        if profiler:
            profiler.disable()
            profiler.dump_stats(profile)
        os._exit(0)

    signal.signal(signal.SIGTERM, ended)
    if profiler:
        profiler.enable()
    uvloop.run(run())
