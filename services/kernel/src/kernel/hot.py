"""The hot command path: everything a command writes in one statement, one round trip, one commit.

How a service uses it (``POST /sharing/v1/requests``)::

    @router.post("/requests", status_code=201, response_model=RequestOut)
    @options(hot=True)
    async def submit(command: SubmitRequest, edge: EdgeDep) -> Response:
        edge.allow("request.submit", organisation=edge.principal.organisation)
        known = await edge.fetch(ENTRY_IN_FORCE, command.entry_id)      # at most one read
        plan = plan_request(command, known, ids=edge.ids, now=edge.clock.now(), rules=edge.rules)
        return await edge.once(
            plan.answer,
            rows={requests: [plan.request], filings: plan.filings},     # Core tables, plain dicts
            events=plan.events,
            audit=[plan.audit],
        )

Ids and instants are drawn before the write, so that rows, events and answer agree and nothing has
to be read back; the ``plan_…`` function stays pure. A refusal is raised before ``once``: nothing
has been written then. There is no transaction to lock a case in, so a hot route may only *make*
cases; whatever changes one takes the transactional route.
"""

from collections.abc import Sequence

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import Table

from kernel.audit_rows import audit_row, pending_row
from kernel.bus_tables import outbox
from kernel.db import Database
from kernel.edge_tables import audit as audit_table
from kernel.edge_tables import audit_pending, idempotency
from kernel.idempotency import Claim, StoredAnswer, claim_row, first_answer
from kernel.inserts import Row, Rows
from kernel.outbox import outbox_values
from kernel.ports import AuditEntry, OutgoingEvent

JSON = "application/json"
REPLAYED = {"Idempotency-Replayed": "true"}


async def write_once(
    database: Database,
    answer: BaseModel,
    *,
    rows: Rows,
    events: Sequence[OutgoingEvent],
    audit: Sequence[AuditEntry],
    status: int,
    claim: Claim | None,
    traceparent: str,
) -> Response:
    """Write a command's rows and return its answer, or the first answer of a repeated one."""
    body = answer.__pydantic_serializer__.to_json(answer)
    everything = dict(rows)
    if events:
        everything[outbox] = _outbox_rows(database, events, traceparent)
    if audit:
        everything |= _audit_rows(database, audit, traceparent)
    taken = None
    if claim is not None:
        first = StoredAnswer(status=status, media_type=JSON, body=body)
        taken = (idempotency, claim_row(claim, now=database.clock.now(), answer=first))
    text, arguments = database.inserts.build(everything, claim=taken)
    found = await database.hot.fetch(text, arguments)
    if claim is not None and not found[0]["claimed"]:
        return replay(await first_answer(database, claim))
    if events:
        database.emitted()
    return Response(body, status_code=status, media_type=JSON)


def replay(answer: StoredAnswer) -> Response:
    """Give the first answer again, marked as such."""
    return Response(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=REPLAYED
    )


def _outbox_rows(
    database: Database, events: Sequence[OutgoingEvent], traceparent: str
) -> list[Row]:
    now = database.clock.now()
    return [
        row
        for event in events
        for row in outbox_values(
            event,
            node=database.node,
            service=database.service,
            event_id=database.ids.uuid7(),
            now=now,
            traceparent=traceparent,
        )
    ]


def _audit_rows(
    database: Database, entries: Sequence[AuditEntry], traceparent: str
) -> dict[Table, list[Row]]:
    now = database.clock.now()
    rows: list[Row] = [
        audit_row(
            entry,
            row_id=database.ids.uuid7(),
            at=now,
            node=database.node,
            service=database.service,
            traceparent=traceparent,
        )
        for entry in entries
    ]
    return {audit_table: rows, audit_pending: [pending_row(row) for row in rows]}
