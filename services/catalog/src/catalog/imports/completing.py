"""Use cases of completion profiles: create, have another person confirm, complete drafts."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from catalog.desk import Desk
from catalog.entries import repository as entries
from catalog.entries.acts import moved
from catalog.entries.checks import CheckContext, violations
from catalog.entries.domain import Act, may
from catalog.entries.records import Entry
from catalog.entries.repository import EntryFilter
from catalog.entries.storing import context_of
from catalog.errors import ProfileDecided, ProfileUnconfirmed
from catalog.imports import repository
from catalog.imports.profiles import ProfileRules, complete
from catalog.imports.repository import Row
from catalog.imports.schemas import CompletionView, CreateProfile
from kernel.db import Transaction
from kernel.ports import AuditEntry

PORTION = 1000


async def create_profile(tx: Transaction, command: CreateProfile, desk: Desk) -> str:
    """Keep a profile; another person confirms it before it completes anything."""
    profile_id = str(desk.ids.uuid7())
    rules = ProfileRules(rules=command.rules, items_from_abstract=command.items_from_abstract)
    await repository.add_profile(
        tx.connection,
        {
            "profile_id": profile_id,
            "name": command.name,
            "organisation": desk.principal.organisation,
            "rules": rules.model_dump(mode="json"),
            "confirmed": False,
            "created_by": desk.principal.subject,
            "created_at": desk.now,
            "confirmed_by": None,
            "confirmed_at": None,
            "note": command.note,
        },
    )
    await _audit_profile(tx, "entry.profile", profile_id, desk)
    return profile_id


async def confirm_profile(tx: Transaction, row: Row, note: str, desk: Desk) -> None:
    """Confirm a locked profile; raises ``ProfileDecided`` when it was before."""
    if row["confirmed"]:
        raise ProfileDecided(state="confirmed", act="entry.confirm_profile")
    values = {
        "confirmed": True,
        "confirmed_by": desk.principal.subject,
        "confirmed_at": desk.now,
        "note": note or row["note"],
    }
    await repository.confirm_profile(tx.connection, row["profile_id"], values)
    await _audit_profile(tx, "entry.confirm_profile", row["profile_id"], desk)


async def _audit_profile(tx: Transaction, act: str, profile_id: str, desk: Desk) -> None:
    await tx.record(
        AuditEntry(
            act=act,
            object_kind="profile",
            object_id=profile_id,
            principal=desk.principal,
            article="第十一条第二款",
        )
    )


@dataclass(slots=True, kw_only=True)
class _Completion:
    """What a profile did: drafts looked at, changed, ready; what is assumed, what is lacking."""

    looked_at: int = 0
    changed: int = 0
    ready: int = 0
    assumed: Counter[str] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)

    def add(self, before: Entry, after: Entry, lacks: list[str]) -> None:
        """Count one draft."""
        self.looked_at += 1
        self.changed += after is not before
        self.ready += after.complete
        self.assumed.update(after.content.assumed)
        self.lacking.update(lacks)


async def complete_import(
    tx: Transaction, held: Row, profile: Row, *, own_org: str | None, desk: Desk
) -> CompletionView:
    """Fill what an import's drafts lack from a confirmed profile; raises ``ProfileUnconfirmed``."""
    if not profile["confirmed"]:
        raise ProfileUnconfirmed(field="profile_id")
    rules = ProfileRules.model_validate(profile["rules"])
    wanted = EntryFilter(own_org=own_org, import_id=held["import_id"])
    ids = await entries.ids_of(tx.connection, wanted, limit=desk.rules.integer("import.max_rows"))
    done = _Completion()
    for start in range(0, len(ids), PORTION):
        portion = await entries.lock(tx.connection, ids[start : start + PORTION])
        editable = [entry for entry in portion if may(entry.position, Act.EDIT)]
        context = await context_of(tx, [entry.content for entry in editable], desk)
        after = await asyncio.to_thread(_completed, editable, rules, context, desk, profile)
        for before, (entry, lacks) in zip(editable, after, strict=True):
            done.add(before, entry, lacks)
        kept = {id(entry) for entry in editable}
        await entries.save(tx.connection, [entry for entry, _ in after if id(entry) not in kept])
    report = {
        **dict(held["report"]),
        "complete": done.ready,
        "incomplete": dict(done.lacking.most_common()),
        "assumed": dict(done.assumed.most_common()),
    }
    await repository.keep_report(tx.connection, held["import_id"], report)
    await _audit_completion(tx, held, profile, done.changed, desk)
    return CompletionView(
        import_id=held["import_id"],
        profile_id=profile["profile_id"],
        looked_at=done.looked_at,
        changed=done.changed,
        complete=done.ready,
        report=report,
    )


async def _audit_completion(
    tx: Transaction, held: Row, profile: Row, changed: int, desk: Desk
) -> None:
    await tx.record(
        AuditEntry(
            act="entry.draft",
            object_kind="import",
            object_id=held["import_id"],
            principal=desk.principal,
            article="第十一条第二款",
            rule_version=desk.rules.version,
            details={"profile_id": profile["profile_id"], "changed": changed},
        )
    )


def _completed(
    drafts: list[Entry], rules: ProfileRules, context: CheckContext, desk: Desk, profile: Row
) -> list[tuple[Entry, list[str]]]:
    """Return each draft as completed (the same object when nothing changed) and what it lacks."""
    found = []
    for entry in drafts:
        content = complete(entry.content, rules)
        lacks = [f"{each.code}:{each.field}" for each in violations(content, context)]
        if content is entry.content and entry.complete == (not lacks):
            found.append((entry, lacks))
            continue
        provenance = {**dict(entry.provenance or {}), "profile_id": profile["profile_id"]}
        after = moved(
            entry,
            Act.EDIT,
            desk,
            document=content.stored(),
            complete=not lacks,
            provenance=provenance,
        )
        found.append((after, lacks))
    return found
