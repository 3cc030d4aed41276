"""A repeated command has no second effect: Idempotency-Key, digest of the body, first answer.

A key belongs to organisation, method and route. It is bound to a digest over caller, path, query,
version condition and body, and kept with the answer for seven days. A refused command keeps
nothing: it changed nothing and may be tried again.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from starlette.datastructures import FormData, UploadFile

from kernel.db import Database, Transaction
from kernel.edge_tables import idempotency
from kernel.problems import IdempotencyKeyMissing, IdempotencyKeyReused

KEPT = timedelta(days=7)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A command's key with the scope and the content that it is bound to."""

    organisation: str
    route: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """The answer to the first use of a key."""

    status: int
    media_type: str | None
    body: bytes


def checked_key(key: str | None) -> str:
    """Return the key; raises ``IdempotencyKeyMissing``."""
    if key is None or not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(field="Idempotency-Key")
    return key


def command_digest(*parts: bytes) -> bytes:
    """Return SHA-256 over length-prefixed parts."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def form_digest(form: FormData) -> bytes:
    """Return a digest of a form's fields and files, whatever boundary separated them."""
    digest = sha256()
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            content = sha256()
            while chunk := await value.read(_CHUNK):
                content.update(chunk)
            await value.seek(0)
            value_digest = content.digest() + (value.filename or "").encode()
        else:
            value_digest = value.encode("utf-8", "surrogatepass")
        digest.update(command_digest(name.encode("utf-8", "surrogatepass"), value_digest))
    return digest.digest()


def claim_row(claim: Claim, *, now: datetime, answer: StoredAnswer | None) -> dict[str, Any]:
    """Return the row of a claim, with its answer when it is known already (hot routes)."""
    return {
        "organisation": claim.organisation,
        "route": claim.route,
        "key": claim.key,
        "digest": claim.digest,
        "status": answer.status if answer else None,
        "media_type": answer.media_type if answer else None,
        "body": answer.body if answer else None,
        "created_at": now,
    }


async def take(tx: Transaction, claim: Claim) -> StoredAnswer | None:
    """Take a key in this transaction; return the first answer when it was used before.

    Waits while another transaction holds the same key. Raises ``IdempotencyKeyReused``.
    """
    row = claim_row(claim, now=tx.clock.now(), answer=None)
    statement = (
        upsert(idempotency).values(row).on_conflict_do_nothing().returning(idempotency.c.key)
    )
    if (await tx.connection.execute(statement)).first() is not None:
        return None
    found = (await tx.connection.execute(_stored(claim))).mappings().one()
    return _checked(claim, found)


async def keep(tx: Transaction, claim: Claim, answer: StoredAnswer) -> None:
    """Keep the answer beside the key."""
    table = idempotency.c
    await tx.connection.execute(
        update(idempotency)
        .where(
            table.organisation == claim.organisation,
            table.route == claim.route,
            table.key == claim.key,
        )
        .values(status=answer.status, media_type=answer.media_type, body=answer.body)
    )


async def first_answer(database: Database, claim: Claim) -> StoredAnswer:
    """Return the answer of a key that a hot route found taken; raises ``IdempotencyKeyReused``."""
    async with database.transaction(read_only=True) as tx:
        found = (await tx.connection.execute(_stored(claim))).mappings().one()
    return _checked(claim, found)


async def known_answer(database: Database, claim: Claim) -> StoredAnswer | None:
    """Return the answer of a key that was used before, else ``None``.

    A hot route that refuses asks this first: what was refused now may be the repetition of a
    command that was taken. Raises ``IdempotencyKeyReused``.
    """
    async with database.transaction(read_only=True) as tx:
        found = (await tx.connection.execute(_stored(claim))).mappings().one_or_none()
    return None if found is None else _checked(claim, found)


async def prune(database: Database) -> int:
    """Forget keys older than seven days; return how many."""
    async with database.transaction() as tx:
        limit = tx.clock.now() - KEPT
        gone = await tx.connection.execute(
            delete(idempotency).where(idempotency.c.created_at < limit)
        )
        return gone.rowcount


def _stored(claim: Claim) -> Any:
    table = idempotency.c
    return select(table.digest, table.status, table.media_type, table.body).where(
        table.organisation == claim.organisation,
        table.route == claim.route,
        table.key == claim.key,
    )


def _checked(claim: Claim, found: Any) -> StoredAnswer:
    if found["digest"] != claim.digest:
        raise IdempotencyKeyReused(field="Idempotency-Key")
    return StoredAnswer(
        status=found["status"], media_type=found["media_type"], body=found["body"] or b""
    )
