"""Attachments (basis documents): content-addressed files of a node.

The name of a file is the SHA-256 of its content, never anything that a caller sent.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from sqlalchemy import select

from kernel.db import Transaction
from kernel.edge_tables import attachments
from kernel.ids import IdSource
from kernel.problems import AttachmentUnknown, BodyTooLarge, NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SPACE = re.compile(r"[a-z][a-z0-9_-]{0,40}")
BASIS_DOCUMENTS = "attachments"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A stored file: hexadecimal SHA-256 and size in bytes."""

    digest: str
    size: int


class ObjectStore:
    """Content-addressed files in one directory: ``<root>/<space>/<ab>/<digest>``.

    A file is written under a temporary name, synced and renamed: a digest's file is always whole.
    """

    def __init__(self, root: Path, ids: IdSource) -> None:
        self.root = root
        self._ids = ids

    async def put(self, chunks: AsyncIterator[bytes], *, space: str, limit: int) -> StoredObject:
        """Store a stream; raises ``BodyTooLarge`` past ``limit`` bytes and leaves nothing then."""
        folder = self._folder(space)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        part = folder / f".{self._ids.uuid7().hex}.part"
        digest, size = sha256(), 0
        try:
            file = await asyncio.to_thread(part.open, "xb")
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise BodyTooLarge(limit=limit)
                    await asyncio.to_thread(_append, file, chunk, digest.update)
                await asyncio.to_thread(_sync, file)
            finally:
                file.close()
            name = digest.hexdigest()
            await asyncio.to_thread(_rename, part, folder / name[:2] / name)
        finally:
            part.unlink(missing_ok=True)
        return StoredObject(digest=name, size=size)

    async def put_bytes(self, content: bytes, *, space: str) -> StoredObject:
        """Store bytes."""

        async def once() -> AsyncIterator[bytes]:
            yield content

        return await self.put(once(), space=space, limit=len(content))

    def path(self, digest: str, *, space: str) -> Path:
        """Return the file of a digest (64 hex digits); raises ``NotFound`` when it is not there."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound
        path = self._folder(space) / digest[:2] / digest
        if not path.is_file():
            raise NotFound
        return path

    async def read(self, digest: str, *, space: str) -> bytes:
        """Return a whole file."""
        return await asyncio.to_thread(self.path(digest, space=space).read_bytes)

    def _folder(self, space: str) -> Path:
        if not _SPACE.fullmatch(space):
            message = f"{space!r} is no name of an object space"
            raise ValueError(message)
        return self.root / space


def _append(file: IO[bytes], chunk: bytes, update: Callable[[bytes], None]) -> None:
    file.write(chunk)
    update(chunk)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _rename(part: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    part.replace(target)


async def require_attachment(tx: Transaction, digest: str, *, organisation: str) -> None:
    """Raise ``AttachmentUnknown`` unless the organisation has uploaded this document."""
    found = await tx.connection.execute(
        select(attachments.c.digest).where(
            attachments.c.digest == digest, attachments.c.organisation == organisation
        )
    )
    if found.first() is None:
        raise AttachmentUnknown(field="document")
