"""Claims on collected facts (Article 15, gate G6): one fact, one statutory source department.

A fact is a data element about a kind of subject in a jurisdiction. An item that names a data
element and is collected here claims it; an item taken from another entry claims nothing. A second
claim never blocks: it opens a conflict on the authority's desk, and the entries publish meanwhile
marked 数源待定.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.desk import Desk
from catalog.entries.content import EntryContent
from catalog.entries.models import source_claims

Row = RowMapping


def facts_of(content: EntryContent, region: str) -> dict[str, tuple[str, str]]:
    """Return the claimed facts: fact to item name and function basis."""
    return {
        f"{item.data_element}|{item.subject_kind or '-'}|{region}": (
            item.name_cn,
            item.function_basis or content.function_basis,
        )
        for item in content.items
        if item.data_element and not item.taken_from
    }


async def claim(
    connection: AsyncConnection,
    wanted: Sequence[tuple[str, str, Mapping[str, tuple[str, str]]]],
    desk: Desk,
) -> frozenset[str]:
    """Enter the claims of entries (id, agency, facts); return the entries whose source is pending.

    A fact that the authority has decided for another department, or that several claim, is
    pending.
    """
    rows = [
        {
            "fact": fact,
            "org_id": org_id,
            "entry_id": entry_id,
            "item": item,
            "function_basis": basis,
            "state": "claimed",
            "decision": "",
            "decided_by": None,
            "claimed_at": desk.now,
            "decided_at": None,
        }
        for entry_id, org_id, facts in wanted
        for fact, (item, basis) in facts.items()
    ]
    if not rows:
        return frozenset()
    unique = {(str(row["fact"]), str(row["org_id"])): row for row in rows}
    facts = sorted({fact for fact, _ in unique})
    ordered = [unique[key] for key in sorted(unique)]
    await connection.execute(insert(source_claims).on_conflict_do_nothing(), ordered)
    contested = await _contested(connection, facts)
    pending = set()
    for entry_id, org_id, claimed in wanted:
        if any(org_id in contested.get(fact, ()) for fact in claimed):
            pending.add(entry_id)
    return frozenset(pending)


async def _contested(
    connection: AsyncConnection, facts: Sequence[str]
) -> Mapping[str, Collection[str]]:
    """Open a conflict where several claim a fact; return who claims each contested fact."""
    query = (
        select(source_claims.c.fact, source_claims.c.org_id, source_claims.c.state)
        .where(source_claims.c.fact.in_(facts), source_claims.c.state != "rejected")
        .order_by(source_claims.c.fact, source_claims.c.org_id)
        .with_for_update()
    )
    claims: dict[str, dict[str, str]] = {}
    for fact, org_id, state in await connection.execute(query):
        claims.setdefault(fact, {})[org_id] = state
    contested: dict[str, Collection[str]] = {}
    opened = []
    for fact, states in claims.items():
        open_claims = [org_id for org_id, state in states.items() if state != "decided"]
        if len(states) > 1 and open_claims:
            contested[fact] = open_claims
            opened.append(fact)
    if opened:
        await connection.execute(
            update(source_claims)
            .where(source_claims.c.fact.in_(opened), source_claims.c.state == "claimed")
            .values(state="conflict")
        )
    return contested


async def page(
    connection: AsyncConnection, *, state: str | None, own_org: str | None, after: tuple[str, str],
    limit: int,
) -> Sequence[Row]:  # fmt: skip
    """Return claims by fact and agency; an agency sees its own."""
    query = select(source_claims).where(
        (source_claims.c.fact > after[0])
        | ((source_claims.c.fact == after[0]) & (source_claims.c.org_id > after[1]))
    )
    if state is not None:
        query = query.where(source_claims.c.state == state)
    if own_org is not None:
        query = query.where(source_claims.c.org_id == own_org)
    ordered = query.order_by(source_claims.c.fact, source_claims.c.org_id)
    return (await connection.execute(ordered.limit(limit))).mappings().all()


async def entries_of(connection: AsyncConnection, fact: str) -> list[str]:
    """Return the entries that claim a fact, by id."""
    query = select(source_claims.c.entry_id).where(source_claims.c.fact == fact).distinct()
    return sorted((await connection.execute(query)).scalars())


async def decide(
    connection: AsyncConnection, fact: str, org_id: str, *, document: str, desk: Desk
) -> Sequence[Row]:
    """Decide a fact for one department with a document number; return all its claims, locked."""
    query = select(source_claims).where(source_claims.c.fact == fact)
    rows = (await connection.execute(query.with_for_update())).mappings().all()
    if not any(row["org_id"] == org_id for row in rows):
        return ()
    for chosen in (True, False):
        same = source_claims.c.org_id == org_id
        await connection.execute(
            update(source_claims)
            .where(source_claims.c.fact == fact, same if chosen else ~same)
            .values(
                state="decided" if chosen else "rejected",
                decision=document,
                decided_by=desk.principal.subject,
                decided_at=desk.now,
            )
        )
    return rows


async def still_pending(connection: AsyncConnection, entry_ids: Collection[str]) -> frozenset[str]:
    """Return which of these entries have a claim in conflict."""
    query = select(source_claims.c.entry_id).where(
        source_claims.c.entry_id.in_(list(entry_ids)), source_claims.c.state == "conflict"
    )
    return frozenset((await connection.execute(query)).scalars())
