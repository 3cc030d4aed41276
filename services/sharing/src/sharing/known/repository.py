"""Every query of what is known of the federation: newest wins, every version is kept."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.catalog import AgencyState, EntryState
from sharing.instants import from_text
from sharing.known.models import known_entries, known_organisations, known_versions
from sharing.requests.ports import Facts

FACTS = """
SELECT
  (SELECT body::text FROM known_entries WHERE entry_id = $1) AS entry,
  (SELECT body::text FROM known_organisations WHERE org_id = $2) AS requester,
  (SELECT o.body::text FROM known_entries AS e JOIN known_organisations AS o
    ON o.org_id = e.providing_org WHERE e.entry_id = $1) AS source
"""


def facts_of(row: Any) -> Facts:
    """Return the facts that a row of ``FACTS`` holds; documents are JSON text."""
    entry, requester, source = row["entry"], row["requester"], row["source"]
    return Facts(
        entry=None if entry is None else _entry(entry),
        requester=None if requester is None else _agency(requester),
        source=None if source is None else _agency(source),
    )


# The text is the key: a newer state of the same entry is another text, so nothing goes stale.
@lru_cache(maxsize=1024)
def _entry(text: str) -> EntryState:
    return EntryState.model_validate_json(text)


@lru_cache(maxsize=1024)
def _agency(text: str) -> AgencyState:
    return AgencyState.model_validate_json(text)


async def facts(connection: AsyncConnection, entry_id: str, requester_org: str) -> Facts:
    """Return the entry in force, the requester and the providing organisation."""
    result = await connection.exec_driver_sql(FACTS, (entry_id, requester_org))
    return facts_of(result.mappings().one())


async def entry_version(
    connection: AsyncConnection, entry_id: str, version: int
) -> EntryState | None:
    """Return an entry as one version of it was published."""
    query = select(known_versions.c.body).where(
        known_versions.c.entry_id == entry_id, known_versions.c.version == version
    )
    body = (await connection.execute(query)).scalar_one_or_none()
    return None if body is None else EntryState.model_validate(body)


async def entry(connection: AsyncConnection, entry_id: str) -> EntryState | None:
    """Return the newest state of an entry."""
    query = select(known_entries.c.body).where(known_entries.c.entry_id == entry_id)
    body = (await connection.execute(query)).scalar_one_or_none()
    return None if body is None else EntryState.model_validate(body)


async def keep_entry(connection: AsyncConnection, state: EntryState, *, seen_at: datetime) -> bool:
    """Keep a broadcast state when it is newer than what is held; return whether it was."""
    body = state.model_dump()
    values = {
        "entry_id": state.entry_id,
        "node": state.node,
        "providing_org": state.providing_org.org_id,
        "state": state.state,
        "share_type": state.share_type,
        "version": state.version,
        "record_version": state.record_version,
        "body": body,
        "changed_at": from_text(state.changed_at),
    }
    statement = insert(known_entries).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=["entry_id"],
        set_={name: statement.excluded[name] for name in values if name != "entry_id"},
        where=known_entries.c.record_version < statement.excluded.record_version,
    )
    newer = (await connection.execute(statement)).rowcount == 1
    if state.state == "published":
        await _keep_version(connection, state, body, seen_at=seen_at)
    return newer


async def _keep_version(
    connection: AsyncConnection, state: EntryState, body: dict[str, Any], *, seen_at: datetime
) -> None:
    version = insert(known_versions).values(
        entry_id=state.entry_id,
        version=state.version,
        record_version=state.record_version,
        body=body,
        seen_at=seen_at,
    )
    await connection.execute(
        version.on_conflict_do_update(
            index_elements=["entry_id", "version"],
            set_={"record_version": version.excluded.record_version, "body": version.excluded.body},
            where=known_versions.c.record_version < version.excluded.record_version,
        )
    )


async def keep_organisation(connection: AsyncConnection, state: AgencyState) -> None:
    """Keep a broadcast agency when it is newer than what is held."""
    statement = insert(known_organisations).values(
        org_id=state.org_id,
        node=state.node,
        state=state.state,
        record_version=state.record_version,
        body=state.model_dump(),
    )
    names = ("node", "state", "record_version", "body")
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id"],
            set_={name: statement.excluded[name] for name in names},
            where=known_organisations.c.record_version < statement.excluded.record_version,
        )
    )
