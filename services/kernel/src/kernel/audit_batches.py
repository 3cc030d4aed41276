"""The chain of sealed audit batches as pure rules: what a batch hashes, and what breaks a chain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from contracts.stream import merkle_root
from kernel.audit_rows import instant_bytes, leaf

GENESIS = bytes(32)
SEALED = "batch"
RESTORED = "restored"
_MARK = b"yiwang-audit-batch-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest batch of a chain; what nodes tell each other."""

    node: str
    service: str
    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A sealed batch. ``restored_from`` is ``<number>:<hash>`` of the head that peers returned."""

    number: int
    kind: str
    ids: tuple[UUID, ...]
    leaves: bytes
    root: bytes
    previous: bytes
    restored_from: str
    sealed_at: datetime
    hash: bytes
    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenLink:
    """The first place where a chain does not hold; ``row`` is the audit row, where one is."""

    number: int
    reason: str
    row: str = ""


def batch_hash(batch: Mapping[str, Any], *, node: str, service: str) -> bytes:
    """Return SHA-256 over the batch's fixed encoding; the signature is over these 32 bytes."""
    texts = [node, service, batch["kind"], batch["restored_from"], batch["key_id"]]
    digest = sha256(_MARK)
    for text in texts:
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    digest.update(batch["number"].to_bytes(8, "big"))
    digest.update(len(batch["ids"]).to_bytes(8, "big"))
    for row_id in batch["ids"]:
        digest.update(row_id.bytes)
    digest.update(batch["root"] + batch["previous"] + instant_bytes(batch["sealed_at"]))
    return digest.digest()


def compose(
    rows: Sequence[Mapping[str, Any]],
    *,
    last: Head,
    sealed_at: datetime,
    key_id: str,
    kind: str = SEALED,
    restored_from: str = "",
) -> dict[str, Any]:
    """Return the next batch of a chain as a row without signature."""
    leaves = [leaf(row) for row in rows]
    batch: dict[str, Any] = {
        "number": last.number + 1,
        "kind": kind,
        "ids": [row["id"] for row in rows],
        "leaves": b"".join(leaves),
        "root": merkle_root(leaves),
        "previous": last.hash,
        "restored_from": restored_from,
        "sealed_at": sealed_at,
        "key_id": key_id,
    }
    batch["hash"] = batch_hash(batch, node=last.node, service=last.service)
    return batch


def broken(
    batch: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], *, before: Head
) -> BrokenLink | None:
    """Return what is wrong with a batch after ``before``, signature aside; ``None`` when it holds.

    A gap in the numbers is allowed to a ``restored`` batch alone, which names the head that it
    follows.
    """
    number = batch["number"]

    def link(reason: str, row: object = "") -> BrokenLink:
        return BrokenLink(number=number, reason=reason, row=str(row))

    if batch["kind"] == RESTORED:
        stated = f"{number - 1}:{batch['previous'].hex()}"
        if number <= before.number or batch["restored_from"] != stated:
            return link("restored_batch_does_not_follow_its_head")
    elif number != before.number + 1:
        return link("batch_missing")
    elif batch["previous"] != before.hash:
        return link("previous_hash_differs")
    if batch_hash(batch, node=before.node, service=before.service) != batch["hash"]:
        return link("batch_changed")
    return _broken_row(batch, {row["id"]: row for row in rows}, link)


def _broken_row(
    batch: Mapping[str, Any], rows: Mapping[UUID, Any], link: Callable[..., BrokenLink]
) -> BrokenLink | None:
    leaves = [batch["leaves"][at : at + 32] for at in range(0, len(batch["leaves"]), 32)]
    if len(leaves) != len(batch["ids"]) or merkle_root(leaves) != batch["root"]:
        return link("leaves_changed")
    for row_id, sealed in zip(batch["ids"], leaves, strict=True):
        row = rows.get(row_id)
        if row is None:
            return link("row_missing", row_id)
        if leaf(row) != sealed:
            return link("row_changed", row_id)
    return None
