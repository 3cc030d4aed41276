"""Publishing (发布, Article 11 ¶3): codes, versions, edition, broadcast, filings, search.

One transaction for one entry or for a whole batch: everything below is a few bulk statements.
The edition is published with the entries that it lists, so that D2 ends at the same moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.agencies import repository as agencies
from catalog.desk import Desk
from catalog.editions import service as editions
from catalog.editions.domain import MAX_LISTED, Listed
from catalog.entries import claims, clocks, repository
from catalog.entries.acts import Change, Parties, audited, moved
from catalog.entries.checks import newly_not_shared
from catalog.entries.content import EntryContent
from catalog.entries.diff import field_diff
from catalog.entries.domain import Act, Standing
from catalog.entries.events import broadcast, state_of_entry
from catalog.entries.records import REVIEW, UPDATE, Entry
from catalog.errors import BatchTooLarge
from catalog.filings import service as filings
from catalog.filings.events import TRIGGER, filing_of
from catalog.search import replica
from contracts.events.catalog import EntryState
from contracts.identifiers import resource_code
from kernel.db import Transaction
from kernel.ports import OutgoingEvent

EDITION_EVENT = "catalog.edition.published"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    entry: Entry
    before: EntryContent | None
    first: bool


async def publish(
    tx: Transaction, chosen: Sequence[Entry], desk: Desk, parties: Parties
) -> list[Change]:
    """Publish approved entries in one new edition; they are locked and the caller may do it."""
    if not chosen:
        return []
    if len(chosen) > MAX_LISTED:
        raise BatchTooLarge(limit=MAX_LISTED)
    number = await editions.next_number(tx, desk)
    published = await _with_versions(tx, chosen, desk)
    published = await _with_claims(tx, published, desk)
    states = [
        state_of_entry(each.entry, each.entry.content, edition=number, desk=desk, parties=parties)
        for each in published
    ]
    await _keep_versions(tx, published, number, desk)
    filed = await _file(tx, published, desk, parties)
    await editions.publish(
        tx,
        desk,
        added=_listed(each for each in published if each.first),
        changed=_listed(each for each in published if not each.first),
    )
    await replica.keep(tx.connection, states, at=desk.now)
    return [
        _change(each, state, filed.get(each.entry.entry_id, ()), number, desk)
        for each, state in zip(published, states, strict=True)
    ]


def _change(
    each: _Published, state: EntryState, filed: Sequence[OutgoingEvent], edition: int, desk: Desk
) -> Change:
    entry, ended = clocks.end(each.entry, REVIEW, event=EDITION_EVENT, desk=desk)
    entry = entry.with_clock(REVIEW, None).with_clock(UPDATE, None)
    audit = audited(
        entry,
        Act.PUBLISH,
        desk,
        edition=edition,
        resource_code=entry.resource_code,
        filings=len(filed),
    )
    return Change(entry=entry, audit=audit, events=(broadcast(state), *filed, *ended))


async def _with_versions(tx: Transaction, chosen: Sequence[Entry], desk: Desk) -> list[_Published]:
    """Give each entry its next version and, the first time, its resource code."""
    known = [entry.entry_id for entry in chosen if entry.version]
    contents = await repository.latest_contents(tx.connection, known) if known else {}
    codes = await _codes(tx, [entry for entry in chosen if entry.resource_code is None], desk)
    found = []
    for entry in chosen:
        held = contents.get(entry.entry_id)
        after = moved(
            entry,
            Act.PUBLISH,
            desk,
            version=entry.version + 1,
            resource_code=entry.resource_code or codes[entry.entry_id],
            published_at=desk.now,
            trigger=None,
        )
        found.append(
            _Published(
                entry=after,
                before=None if held is None else EntryContent.model_validate(held),
                first=entry.standing in (Standing.NONE, Standing.OFFLINE),
            )
        )
    return found


async def _codes(tx: Transaction, new: Sequence[Entry], desk: Desk) -> Mapping[str, str]:
    """Assign resource codes: immutable, never used twice (domain §3.2)."""
    by_agency: dict[str, list[Entry]] = {}
    for entry in new:
        by_agency.setdefault(entry.providing_org, []).append(entry)
    codes = {}
    for org_id in sorted(by_agency):
        own = by_agency[org_id]
        agency = await agencies.take_codes(tx.connection, org_id, len(own))
        first = agency["last_code"] - len(own) + 1
        for serial, entry in enumerate(own, first):
            codes[entry.entry_id] = resource_code(
                agency["region_code"],
                item=desk.regions.resource_code_item,
                agency_serial=agency["serial"],
                serial=serial,
            )
    return codes


async def _with_claims(
    tx: Transaction, published: Sequence[_Published], desk: Desk
) -> list[_Published]:
    wanted = [
        (
            each.entry.entry_id,
            each.entry.providing_org,
            claims.facts_of(each.entry.content, each.entry.region_code),
        )
        for each in published
    ]
    pending = await claims.claim(tx.connection, wanted, desk)
    return [
        replace(each, entry=replace(each.entry, source_pending=each.entry.entry_id in pending))
        for each in published
    ]


async def _keep_versions(
    tx: Transaction, published: Sequence[_Published], edition: int, desk: Desk
) -> None:
    empty = EntryContent()
    rows: list[dict[str, Any]] = []
    for each in published:
        entry = each.entry
        changes = field_diff(each.before or empty, entry.content) if each.before else ()
        rows.append(
            {
                "entry_id": entry.entry_id,
                "version": entry.version,
                "content": dict(entry.document),
                "diff": [change.model_dump(mode="json") for change in changes],
                "edition": edition,
                "rule_version": entry.rule_version,
                "confidentiality": entry.confidentiality,
                "submitted_by": entry.submitted_by or "",
                "approved_by": entry.decided_by or "",
                "published_by": desk.principal.subject,
                "published_at": desk.now,
                "superseded_at": None,
            }
        )
    await repository.add_versions(tx.connection, rows)


async def _file(
    tx: Transaction, published: Sequence[_Published], desk: Desk, parties: Parties
) -> Mapping[str, Sequence[OutgoingEvent]]:
    """File what becomes 不予共享 (F1); the receipt comes later and blocks nothing."""
    made = []
    for each in published:
        entry = each.entry
        parts = newly_not_shared(each.before, entry.content)
        if not parts:
            continue
        for rule in desk.rules_of(entry.rule_version).filings_of(TRIGGER):
            filing = filing_of(
                entry,
                entry.content,
                parts,
                rule=rule,
                filer=parties.agency(entry.providing_org, desk.node),
                desk=desk,
            )
            row = filings.filing_row(filing, version=entry.version, parts=sorted(parts), desk=desk)
            made.append((filing, row))
    events = await filings.file(tx, made)
    found: dict[str, list[OutgoingEvent]] = {}
    for (filing, _), event in zip(made, events, strict=True):
        found.setdefault(filing.subject_id, []).append(event)
    return found


def _listed(published: Any) -> list[Listed]:
    return [Listed(each.entry.entry_id, each.entry.version) for each in published]
