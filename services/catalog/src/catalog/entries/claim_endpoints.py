"""HTTP doors of claims on collected facts (Article 15)."""

from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from catalog.desk import desk_of
from catalog.entries import claims, repository, takedown
from catalog.entries.acts import in_force
from catalog.errors import ClaimUnknown
from catalog.schemas import Command, View
from kernel.pagination import Page, PageDep, make_page
from kernel.policies import sees_whole_node
from kernel.ports import AuditEntry
from kernel.web import EdgeDep, ServiceRouter

router = ServiceRouter(prefix="/claims", tags=["claims"])


class ClaimView(View):
    """A claim on a fact: data element, kind of subject and jurisdiction."""

    fact: str
    org_id: str
    entry_id: str
    item: str
    function_basis: str
    state: str
    decision: str


class DecideClaim(Command):
    """For whom a contested fact is decided, and by which document."""

    fact: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    org_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    document: Annotated[str, StringConstraints(min_length=1, max_length=200)]


@router.get("", summary="数源主张 / Claims on collected facts")
async def list_claims(
    edge: EdgeDep, page: PageDep, state: Annotated[str | None, Query(max_length=20)] = None
) -> Page[ClaimView]:
    """List claims by fact; an agency sees its own."""
    edge.allow("entry.read", node=edge.runtime.node)
    after = page.after(str, str) or ("", "")
    whole = sees_whole_node(edge.principal, "entry.read")
    rows = await claims.page(
        edge.tx.connection,
        state=state,
        own_org=None if whole else edge.principal.organisation,
        after=(after[0], after[1]),
        limit=page.limit + 1,
    )
    return make_page(
        rows,
        page,
        item=lambda row: ClaimView(**{name: row[name] for name in ClaimView.model_fields}),
        key=lambda row: (row["fact"], row["org_id"]),
    )


@router.post("/decide", summary="数源认定 / Decide a contested fact")
async def decide(command: DecideClaim, edge: EdgeDep) -> ClaimView:
    """Decide which department is the fact's source; its entries are no longer pending."""
    edge.allow("entry.approve", node=edge.runtime.node)
    desk = desk_of(edge.runtime, edge.principal)
    connection = edge.tx.connection
    # entries first, as a publication does: the two would wait for each other otherwise
    touched = await claims.entries_of(connection, command.fact)
    held = await repository.lock(connection, touched)
    before = await claims.decide(
        connection, command.fact, command.org_id, document=command.document, desk=desk
    )
    if not before:
        raise ClaimUnknown(field="org_id")
    await edge.tx.record(
        AuditEntry(
            act="entry.approve",
            object_kind="source_claim",
            object_id=command.fact,
            principal=edge.principal,
            article="第六条第五项",
            details={"org_id": command.org_id, "document": command.document},
        )
    )
    pending = await claims.still_pending(connection, touched)
    changed = [
        entry.at(entry.position, source_pending=entry.entry_id in pending)
        for entry in held
        if in_force(entry) and entry.source_pending != (entry.entry_id in pending)
    ]
    await takedown.announce_again(edge.tx, changed, desk)
    decided = next(row for row in before if row["org_id"] == command.org_id)
    shown = {name: decided[name] for name in ClaimView.model_fields}
    return ClaimView(**{**shown, "state": "decided", "decision": command.document})
