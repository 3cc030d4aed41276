"""Audit rows as they are written, and the bytes that a leaf hashes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from contracts.stream import leaf_hash
from kernel.ports import AuditEntry

# the order of the canonical encoding; never changed, a new order is a new VERSION
FIELDS = (
    "node",
    "service",
    "subject",
    "name",
    "organisation",
    "principal_kind",
    "roles",
    "token_id",
    "trace_id",
    "act",
    "object_kind",
    "object_id",
    "article",
    "rule_version",
    "outcome",
    "reason",
    "details",
)
VERSION = b"yiwang-audit-1"


def audit_row(
    entry: AuditEntry,
    *,
    row_id: UUID,
    at: datetime,
    node: str,
    service: str,
    traceparent: str | None,
) -> dict[str, Any]:
    """Turn an entry into a row of ``kernel.audit``."""
    who = entry.principal
    return {
        "id": row_id,
        "at": at,
        "node": node,
        "service": service,
        "subject": who.subject,
        "name": who.name,
        "organisation": who.organisation,
        "principal_kind": who.kind,
        "roles": " ".join(sorted(who.roles)),
        "token_id": who.token_id,
        "trace_id": traceparent[3:35] if traceparent else "",
        "act": entry.act,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "article": entry.article,
        "rule_version": entry.rule_version,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "details": orjson.dumps(entry.details, option=orjson.OPT_SORT_KEYS).decode(),
    }


def pending_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row's line in ``kernel.audit_pending``."""
    return {"id": row["id"]}


def leaf(row: Mapping[str, Any]) -> bytes:
    """Return the leaf hash over the row's canonical encoding.

    Version, id (16 bytes), instant (microseconds since 1970, 8 bytes), then each field as a
    4-byte length and its UTF-8 bytes, in the order of ``FIELDS``.
    """
    parts = [VERSION, row["id"].bytes, instant_bytes(row["at"])]
    for name in FIELDS:
        value = str(row[name]).encode()
        parts += [len(value).to_bytes(4, "big"), value]
    return leaf_hash(b"".join(parts))


def instant_bytes(at: datetime) -> bytes:
    """Return an instant as microseconds since 1970, 8 bytes."""
    # int(timestamp() * 1e6) would lose the last digits to floating point
    return (int(at.timestamp()) * 1_000_000 + at.microsecond).to_bytes(8, "big")
