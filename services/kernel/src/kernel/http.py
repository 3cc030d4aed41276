"""Outgoing HTTP: the only importer of httpx, so that a change of client is a change of this file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson


class HttpUnreachable(Exception):  # noqa: N818 - a state of the world, not a fault of the caller
    """No answer came; the text names the kind of failure, never address or content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer: status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the parsed body; raises ``ValueError`` when it is no JSON."""
        return orjson.loads(self.content)


class HttpClient:
    """A client without redirects, proxies or cookies; ``attach`` serves addresses in-process."""

    def __init__(self, *, timeout: float = 10.0, connections: int = 20) -> None:
        self._timeout = timeout
        self._limits = httpx.Limits(max_connections=connections)
        self._apps: dict[str, httpx.AsyncBaseTransport] = {}
        self._client: httpx.AsyncClient | None = None

    def attach(self, base_url: str, app: Any) -> None:
        """Answer requests below ``base_url`` by an ASGI application of this process."""
        self._apps[base_url.rstrip("/")] = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = None

    def serves(self, base_url: str) -> bool:
        """Tell whether ``base_url`` is answered by an application of this process."""
        return base_url.rstrip("/") in self._apps

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - handed to the client, seconds
    ) -> HttpAnswer:
        """Send a request; raises ``HttpUnreachable`` when no answer comes in time."""
        if self._client is None:
            self._client = self._open()
        try:
            answer = await self._client.request(
                method,
                url,
                headers=dict(headers or {}),
                content=content,
                data=dict(form) if form else None,
                timeout=timeout or self._timeout,
            )
        except httpx.HTTPError as error:
            raise HttpUnreachable(type(error).__name__) from None
        return HttpAnswer(
            status=answer.status_code, headers=dict(answer.headers), content=answer.content
        )

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=self._timeout,
            limits=self._limits,
            follow_redirects=False,
            trust_env=False,
            mounts=dict(self._apps),
        )
