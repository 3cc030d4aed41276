"""What a request brings along, read in one pass over its headers."""

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from starlette.requests import ClientDisconnect, Request

from kernel.problems import BodyTooLarge, BodyUnreadable

_WANTED = frozenset(
    {
        b"authorization",
        b"accept-language",
        b"content-length",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"traceparent",
    }
)


class Arrival:
    """The headers that the edge looks at; a header sent twice counts once, the first."""

    __slots__ = ("_headers", "source")

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _WANTED:
                found.setdefault(name, value)
        self._headers = found
        client = scope.get("client")
        self.source: str = client[0] if client else "local"

    def text(self, name: bytes) -> str | None:
        """Return a header's text."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def language(self) -> str:
        """``zh`` or ``en`` by Accept-Language; Chinese unless English is preferred."""
        value = self._headers.get(b"accept-language")
        return "zh" if value is None else preferred_language(value.decode("latin-1"))

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case."""
        value = self._headers.get(b"content-type", b"")
        return value.split(b";", 1)[0].strip().lower().decode("latin-1")

    def check_length(self, limit: int) -> None:
        """Raise ``BodyTooLarge`` when the announced length exceeds the limit already."""
        value = self._headers.get(b"content-length")
        if value is None:
            return
        if not value.isdigit():
            raise BodyUnreadable
        if int(value) > limit:
            raise BodyTooLarge(limit=limit)


@lru_cache(maxsize=256)
def preferred_language(header: str) -> str:
    """Return the better of ``zh`` and ``en`` in an Accept-Language header."""
    best, chosen = 0.0, "zh"
    for part in header[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.split("-", 1)[0].lower()
        if language not in ("zh", "en"):
            continue
        try:
            quality = float(parameter.partition("q=")[2] or 1)
        except ValueError:
            continue
        if quality > best:
            best, chosen = quality, language
    return chosen


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body and leave it with the request; raises ``BodyTooLarge`` while reading."""
    receive, chunks, size = request.receive, [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit=limit)
        chunks.append(chunk)
        if not message.get("more_body"):
            break
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    request._body = body  # noqa: SLF001 - where Starlette itself keeps a body that was read
    return body


def limit_upload(request: Request, limit: int) -> None:
    """Make reading an upload raise ``BodyTooLarge`` past the limit, however it was announced."""
    receive, size = request.receive, 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise BodyTooLarge(limit=limit)
        return message

    request._receive = counted  # noqa: SLF001 - Starlette offers no other place for a limit
