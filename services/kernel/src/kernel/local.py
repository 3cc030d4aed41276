"""Inside a node: the same events go from outbox to inbox without Kafka (protocol §6).

The relay posts batches to the sibling service's internal door; envelope, numbers and handlers are
those of the bus. A service's events to itself take no door at all.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from contracts.stream import Missing, StreamKey
from kernel.clock import Clock
from kernel.consuming import BatchResult, Record, UnavailableError
from kernel.http import HttpClient, HttpUnreachable
from kernel.outbox import instant
from kernel.relaying import Ack, Message, PublishError

DOOR = "/internal/events"
POST_BYTES = 1_000_000
"""Payload bytes of one post; a single larger event goes alone."""
DOOR_LIMIT = 4 * POST_BYTES
_OK = 200

Deliver = Callable[[Sequence[Record]], Awaitable[BatchResult]]
"""Hands records to a service's consumer; raises ``UnavailableError``."""

TellMissing = Callable[[Mapping[StreamKey, Missing]], None]
"""Hears what a receiver misses: the answer to a post says it, so no control topic is needed."""


def sibling_address(service: str) -> str:
    """Return the address under which a service of the same process is attached."""
    return f"http://{service}.sibling"


def to_records(messages: Sequence[Message], entered_at: str) -> list[Record]:
    """Return messages as the records that a consumer gets; they have no offset."""
    return [
        Record(
            topic=message.topic,
            partition=message.partition,
            offset=-1,
            key=message.key,
            headers=message.headers,
            value=message.value,
            entered_at=entered_at,
        )
        for message in messages
    ]


def encode(records: Sequence[Record]) -> bytes:
    """Return the body of a post."""
    return orjson.dumps(
        [
            {
                "topic": record.topic,
                "partition": record.partition,
                "key": record.key.decode(),
                "headers": [[name, content.decode()] for name, content in record.headers],
                "value": b64encode(record.value).decode(),
                "entered_at": record.entered_at,
            }
            for record in records
        ]
    )


def decode(body: bytes) -> list[Record]:
    """Read what :func:`encode` wrote; raises ``ValueError``."""
    try:
        return [
            Record(
                topic=str(item["topic"]),
                partition=int(item["partition"]),
                offset=-1,
                key=item["key"].encode(),
                headers=[(str(name), content.encode()) for name, content in item["headers"]],
                value=b64decode(item["value"], validate=True),
                entered_at=str(item["entered_at"]),
            )
            for item in orjson.loads(body)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a batch of records") from error


class DirectPublisher:
    """Delivers a service's events to the service itself."""

    def __init__(self, deliver: Deliver, clock: Clock, tell: TellMissing) -> None:
        self._deliver = deliver
        self._clock = clock
        self._tell = tell

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        at = instant(self._clock.now())
        try:
            result = await self._deliver(to_records(messages, at))
        except UnavailableError as error:
            raise PublishError(str(error)) from None
        self._tell(result.missing)
        return [Ack(at)] * len(messages)


class LocalPublisher:
    """Posts events to a sibling's internal door."""

    def __init__(
        self,
        http: HttpClient,
        address: str,
        service: str,
        *,
        token: str,
        clock: Clock,
        tell: TellMissing,
    ) -> None:
        self._http = http
        self._url = f"{address.rstrip('/')}/{service}{DOOR}"
        self._token = token
        self._clock = clock
        self._tell = tell

    async def publish(self, messages: Sequence[Message]) -> Sequence[Ack]:
        """Post in order; raises ``PublishError`` when the sibling did not store everything."""
        at = instant(self._clock.now())
        for part in _parts(to_records(messages, at)):
            await self._post(encode(part))
        return [Ack(at)] * len(messages)

    async def _post(self, body: bytes) -> None:
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json",
        }
        try:
            answer = await self._http.request(
                "POST", self._url, headers=headers, content=body, timeout=30
            )
        except HttpUnreachable as error:
            raise PublishError(str(error)) from None
        if answer.status != _OK:
            raise PublishError(f"status {answer.status}")
        self._tell({StreamKey(*line[:3]): Missing(*line[3:]) for line in answer.json()["missing"]})


def _parts(records: Sequence[Record]) -> list[list[Record]]:
    parts: list[list[Record]] = []
    room = 0
    for record in records:
        if room < len(record.value) or not parts:
            parts.append([])
            room = POST_BYTES
        parts[-1].append(record)
        room -= len(record.value)
    return parts


def door(deliver: Deliver, token: Callable[[], str]) -> APIRouter:
    """Return the internal door of a service: ``POST /internal/events`` with the service token."""
    router = APIRouter(include_in_schema=False)

    @router.post(DOOR)
    async def events(request: Request) -> Response:
        expected = token()
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            return Response(status_code=401)
        body = await _read(request)
        if body is None:
            return Response(status_code=413)
        try:
            records = decode(body)
        except ValueError:
            return Response(status_code=400)
        try:
            result = await deliver(records)
        except UnavailableError:
            return Response(status_code=503)
        missing = [[*stream, *gap] for stream, gap in result.missing.items()]
        answer = orjson.dumps({"stored": len(records), "missing": missing})
        return Response(answer, media_type="application/json")

    return router


async def _read(request: Request) -> bytes | None:
    chunks: list[Any] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > DOOR_LIMIT:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
