"""The city's signed working-day table, as this node keeps it: verified, versioned, in its database.

A file holds ``{"document": …, "key_id": …, "signature": base64url}``; the signature is of the
city's node over the document's canonical bytes. Nodes compute from the table, without any library.
"""

import asyncio
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contracts.calendar import Calendar
from contracts.calendar_document import canonical_bytes, from_document
from contracts.encoding import from_base64url, to_base64url
from kernel.clock import Clock
from kernel.db import Database, Transaction
from kernel.edge_tables import calendar_versions
from kernel.registry import Registry
from kernel.signing import Keyring, NodeKey, Trust


class CalendarRefused(ValueError):  # noqa: N818 - named for what happened
    """A calendar document is unsigned, forged, not the city's, or not readable."""


class CalendarMissing(RuntimeError):  # noqa: N818 - named for what is so
    """The node has no calendar yet: no due date can be computed."""


def sign_calendar(document: dict[str, Any], key: NodeKey) -> bytes:
    """Return the file content of a calendar signed with the city's key."""
    signature = key.sign(canonical_bytes(document))
    return orjson.dumps(
        {"document": document, "key_id": key.id, "signature": to_base64url(signature)}
    )


class CalendarStore:
    """The newest verified calendar, in memory; versions in ``kernel.calendar_versions``."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._keyring = Keyring(registry)
        self._clock = clock
        self._current: Calendar | None = None

    def current(self) -> Calendar:
        """Return the calendar in force; raises ``CalendarMissing``."""
        if self._current is None:
            raise CalendarMissing("no verified calendar: name one in calendar_file")
        return self._current

    async def start(self, database: Database, file: Path | None) -> None:
        """Take the file's calendar into the table and the newest one of the table into use."""
        content = await asyncio.to_thread(file.read_bytes) if file is not None else None
        async with database.transaction() as tx:
            if content is not None:
                await self.take(tx, content)
            await self.reload(tx)

    async def take(self, tx: Transaction, content: bytes) -> str:
        """Verify a signed document and keep it; return its version. Raises ``CalendarRefused``."""
        calendar = self.verified(content)
        document, key_id, signature = _parsed(content)
        row = {
            "version": calendar.version,
            "document": canonical_bytes(document),
            "key_id": key_id,
            "signature": signature,
            "loaded_at": self._clock.now(),
        }
        statement = insert(calendar_versions).values(row).on_conflict_do_nothing()
        await tx.connection.execute(statement)
        return calendar.version

    def verified(self, content: bytes) -> Calendar:
        """Return the calendar of a signed document; raises ``CalendarRefused``."""
        document, key_id, signature = _parsed(content)
        self._verify(document, key_id, signature)
        return _calendar(document)

    async def refresh(self, database: Database) -> None:
        """Use a newer version that another process has put into the table."""
        async with database.transaction(read_only=True) as tx:
            versions = (await tx.connection.execute(select(calendar_versions.c.version))).scalars()
            newest = max(versions, key=version_order, default=None)
            if newest is not None and newest != self.current().version:
                await self.reload(tx)

    async def reload(self, tx: Transaction) -> None:
        """Use the newest version of the table whose signature holds today."""
        rows = (await tx.connection.execute(select(calendar_versions))).mappings().all()
        for row in sorted(rows, key=lambda row: version_order(row["version"]), reverse=True):
            document = orjson.loads(row["document"])
            try:
                self._verify(document, row["key_id"], row["signature"])
            except CalendarRefused:
                continue
            self._current = _calendar(document)
            return

    def _verify(self, document: dict[str, Any], key_id: str, signature: bytes) -> None:
        now = self._clock.now().astimezone(UTC).isoformat()
        trust = self._keyring.check_key(key_id, self._registry.city, now)
        if trust is not Trust.VALID:
            raise CalendarRefused(f"the calendar's key is not the city's: {trust}")
        if not self._keyring.verify_bytes(key_id, signature, canonical_bytes(document)):
            raise CalendarRefused("the calendar's signature does not hold")


def version_order(version: str) -> tuple[tuple[int, str], ...]:
    """Return the sort key of a version: ``cn-2026.9`` before ``cn-2026.10`` before ``cn-2027.1``."""
    parts = re.findall(r"\d+|\D+", version)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def _parsed(content: bytes) -> tuple[dict[str, Any], str, bytes]:
    try:
        signed = orjson.loads(content)
        return signed["document"], signed["key_id"], from_base64url(signed["signature"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CalendarRefused("the calendar is not a signed document") from None


def _calendar(document: dict[str, Any]) -> Calendar:
    try:
        return from_document(document)
    except ValidationError:
        raise CalendarRefused("the calendar document is not valid") from None
