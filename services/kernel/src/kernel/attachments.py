"""Attachments (basis documents): content-addressed files of a node.

The name of a file is the SHA-256 of its content, never anything that a caller sent.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A stored file: hexadecimal SHA-256 and size in bytes."""

    digest: str
    size: int


class ObjectStore:
    """Content-addressed files in one directory (``<root>/<space>/<ab>/<digest>``)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, chunks: AsyncIterator[bytes], *, space: str, limit: int) -> StoredObject:
        """Store a stream; raise ``BodyTooLarge`` past ``limit`` bytes, leaving nothing."""
        raise NotImplementedError

    async def put_bytes(self, content: bytes, *, space: str) -> StoredObject:
        """Store bytes."""
        raise NotImplementedError

    def path(self, digest: str, *, space: str) -> Path:
        """Return the file of a digest (64 hex digits); raise ``NotFound`` when it is not there."""
        raise NotImplementedError

    async def read(self, digest: str, *, space: str) -> bytes:
        """Return a whole file."""
        raise NotImplementedError


async def require_attachment(tx: "Transaction", digest: str, *, organisation: str) -> None:
    """Raise ``AttachmentUnknown`` unless the organisation has uploaded this document."""
    raise NotImplementedError
