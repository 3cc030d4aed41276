"""``/attachments``: add a basis document, look at it, fetch it."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import File, Path, UploadFile
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from starlette.responses import FileResponse

from kernel.attachments import BASIS_DOCUMENTS
from kernel.edge import EdgeDep
from kernel.edge_tables import attachments
from kernel.policies import sees_whole_node
from kernel.ports import AuditEntry
from kernel.problems import FieldInvalid, Invalid, NotFound, UnsupportedType
from kernel.routes import ServiceRouter

router = ServiceRouter(prefix="/attachments", tags=["attachments"])

_CHUNK = 1 << 20
_HEAD = 4096
_UNSAFE = re.compile(r"[^\w.()（）《》〔〕\[\]\- ]+")
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    # OOXML and OFD documents are ZIP files; they are kept as they are and never unpacked
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
)
ACCEPTED = ", ".join(dict.fromkeys([*(kind for _, kind in _SIGNATURES), "text/plain"]))
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256")]


class AttachmentOut(BaseModel):
    """An attached document; other commands name it by ``digest``."""

    digest: str
    size: int
    media_type: str
    name: str
    uploaded_at: datetime


@router.post("", status_code=201)
async def add_attachment(
    file: Annotated[UploadFile, File(description="PDF、图片、办公文档或文本")], edge: EdgeDep
) -> AttachmentOut:
    """Add a document; the same content of the same organisation is the same attachment."""
    edge.allow("attachment.add")
    head = await file.read(_HEAD)
    await file.seek(0)
    media_type = sniffed(head)
    limit = edge.runtime.settings.attachment_limit
    stored = await edge.runtime.objects.put(_chunks(file), space=BASIS_DOCUMENTS, limit=limit)
    row = {
        "digest": stored.digest,
        "organisation": edge.principal.organisation,
        "media_type": media_type,
        "name": safe_name(file.filename or ""),
        "size": stored.size,
        "uploaded_by": edge.principal.subject,
        "uploaded_at": edge.clock.now(),
    }
    await edge.tx.connection.execute(insert(attachments).values(row).on_conflict_do_nothing())
    await edge.tx.record(
        AuditEntry(
            act="attachment.add",
            object_kind="attachment",
            object_id=stored.digest,
            principal=edge.principal,
            details={"size": stored.size, "media_type": media_type},
        )
    )
    return AttachmentOut.model_validate(row)


@router.get("/{digest}")
async def show_attachment(digest: Digest, edge: EdgeDep) -> AttachmentOut:
    """Describe a document."""
    return AttachmentOut.model_validate(await _visible(digest, edge))


@router.get("/{digest}/content", response_class=FileResponse)
async def fetch_attachment(digest: Digest, edge: EdgeDep) -> FileResponse:
    """Fetch a document; browsers store it, they never show it inside the platform."""
    row = await _visible(digest, edge)
    return FileResponse(
        edge.runtime.objects.path(digest, space=BASIS_DOCUMENTS),
        media_type=row["media_type"],
        filename=row["name"] or digest,
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
    )


async def _visible(digest: str, edge: EdgeDep) -> dict[str, Any]:
    edge.allow("attachment.read")
    query = select(attachments).where(attachments.c.digest == digest).limit(1)
    if not sees_whole_node(edge.principal, "attachment.read"):
        query = query.where(attachments.c.organisation == edge.principal.organisation)
    found = (await edge.tx.connection.execute(query)).mappings().first()
    if found is None:
        raise NotFound
    return dict(found)


def sniffed(head: bytes) -> str:
    """Return the type that the content itself shows; raises ``UnsupportedType`` or ``Invalid``."""
    if not head:
        zh, en = "文件为空。", "The file is empty."
        raise Invalid([FieldInvalid(field="file", reason_zh=zh, reason_en=en)])
    for start, media_type in _SIGNATURES:
        if head.startswith(start):
            return media_type
    if _is_text(head):
        return "text/plain"
    raise UnsupportedType(accepted=ACCEPTED)


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            head[: _HEAD - 4].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4 and error.reason != "unexpected end of data":
                continue
        return head.lstrip()[:1] != b"<"
    return False


def safe_name(name: str) -> str:
    """Return a file name fit for showing: no path, no control characters, 120 characters."""
    return _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1])[-120:]


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk
