"""HTTP calls to a node, as a person with a token."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from kernel.http import HttpAnswer, HttpClient, HttpUnreachable

FIRST_ERROR = 400


class RefusedError(Exception):
    """A node refused a command; ``problem`` is its problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(f"{status} {problem.get('detail') or problem.get('title') or ''}".strip())

    @property
    def slug(self) -> str:
        """The stable end of the problem's type."""
        return str(self.problem.get("type", "")).rpartition(":")[2]


class UnreachableError(Exception):
    """A node did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClient:
    """Calls one node with one person's token; ``traceparent`` joins the calls to a trace."""

    url: str
    http: HttpClient
    token: str = field(default="", repr=False)
    language: str = "zh"
    traceparent: str = ""

    async def get(self, path: str, **query: Any) -> Any:
        """Return the parsed answer of a GET; raises ``RefusedError`` or ``UnreachableError``."""
        answer = await self.send("GET", path, query=query)
        return answer.json()

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> Any:
        """Send a command with an Idempotency-Key of its own, or with ``key`` to repeat one."""
        content = orjson.dumps({} if body is None else body)
        named = {"Content-Type": "application/json", "Idempotency-Key": key or str(uuid.uuid4())}
        answer = await self.send("POST", path, content=content, headers=named | headers)
        return answer.json() if answer.content else None

    async def upload(
        self,
        path: str,
        *,
        files: Mapping[str, tuple[str, bytes, str]],
        fields: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """Send files as multipart/form-data; each is (file name, content, media type)."""
        content, media_type = multipart(files, fields or {})
        named = {"Content-Type": media_type, "Idempotency-Key": key or str(uuid.uuid4())}
        answer = await self.send("POST", path, content=content, headers=named, within=300.0)
        return answer.json()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = 60.0,
    ) -> HttpAnswer:
        """Send a request; raises ``RefusedError`` for any problem and ``UnreachableError``."""
        try:
            answer = await self.http.request(
                method,
                self.url + path + encode_query(query or {}),
                headers={**self._headers(), **(headers or {})},
                content=content,
                timeout=within,
            )
        except HttpUnreachable as error:
            raise UnreachableError(f"{self.url} does not answer ({error})") from None
        if answer.status >= FIRST_ERROR:
            raise RefusedError(answer.status, _problem(answer))
        return answer

    def _headers(self) -> dict[str, str]:
        found = {"Accept-Language": self.language}
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if self.traceparent:
            found["traceparent"] = self.traceparent
        return found


def encode_query(query: Mapping[str, Any]) -> str:
    """Return the query string of the values that are not None; sequences repeat their name."""
    present = {name: value for name, value in query.items() if value is not None}
    return "?" + urlencode(present, doseq=True) if present else ""


def multipart(
    files: Mapping[str, tuple[str, bytes, str]], fields: Mapping[str, str]
) -> tuple[bytes, str]:
    """Return the body and the media type of a form with files."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts.append(f"{head}{value}\r\n".encode())
    for name, (file_name, content, media_type) in files.items():
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{file_name}"\r\nContent-Type: {media_type}\r\n\r\n'
        )
        parts.append(head.encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def file_part(path: Path, media_type: str) -> tuple[str, bytes, str]:
    """Return a file as a part of a form."""
    return path.name, path.read_bytes(), media_type


def _problem(answer: HttpAnswer) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {"title": "no problem document"}
    return document if isinstance(document, dict) else {"title": str(document)}
