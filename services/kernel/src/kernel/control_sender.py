"""Sending control messages: signed, not numbered, past the outbox."""

from datetime import timedelta
from typing import Any

from pydantic_core import to_json

from contracts.envelope import (
    Envelope,
    digest,
    encoded_attributes,
    event_leaf,
    sign_list,
    to_headers,
)
from contracts.events.base import Payload
from contracts.topics import event_spec, topic_name
from kernel.clock import Clock
from kernel.ids import IdSource
from kernel.outbox import instant
from kernel.relaying import Message, Publisher, PublishError
from kernel.signing import Signer

ASK_AGAIN = timedelta(seconds=5)
"""The same question is asked, and the same answer given, at most this often; a policy."""


class Limiter:
    """Lets the same thing happen at most once in a while."""

    def __init__(self, clock: Clock, every: timedelta = ASK_AGAIN, size: int = 10_000) -> None:
        self._clock = clock
        self._every = every
        self._size = size
        self._last: dict[Any, Any] = {}

    def allows(self, what: Any) -> bool:
        """Tell whether ``what`` may happen now, and note it."""
        now = self._clock.now()
        last = self._last.get(what)
        # a clock that was set back must not silence anybody for as long
        if last is not None and last <= now < last + self._every:
            return False
        if len(self._last) >= self._size:
            self._last = {k: t for k, t in self._last.items() if now - t < self._every}
        self._last[what] = now
        return True


class ControlSender:
    """Signs control messages and sends them at once, past the outbox."""

    def __init__(
        self,
        *,
        node: str,
        source: str,
        signer: Signer,
        publisher: Publisher,
        ids: IdSource,
        clock: Clock,
    ) -> None:
        self.node = node
        self.source = source
        self._signer = signer
        self._publisher = publisher
        self._ids = ids
        self._clock = clock

    async def send(self, event_type: str, payload: Payload, *, to: str) -> bool:
        """Send to all services of another node; ``False`` when it failed.

        Inside the node the answer of the door says what is missing.
        """
        if to == self.node:
            return False
        try:
            await self._publisher.publish([self._message(event_type, payload, to)])
        except PublishError:
            return False
        return True

    def _message(self, event_type: str, payload: Payload, to: str) -> Message:
        topic, value = topic_name("control", to), to_json(payload)
        envelope = Envelope(
            id=str(self._ids.uuid7()),
            source=self.source,
            type=event_type,
            subject=to,
            time=instant(self._clock.now()),
            dataschema=event_spec(event_type).schema_url,
            epoch="",
            sequence=0,
            case_version=0,
            key_id=self._signer.key_id,
        )
        pairs = encoded_attributes(envelope)
        signed = sign_list(
            pairs,
            topic,
            partition=0,
            key=self.source.encode(),
            epoch=b"",
            sequence=b"0",
            payload_sha256=digest(value),
        )
        signature = self._signer.sign_batch([event_leaf(signed)])[0]
        return Message(topic, 0, self.source.encode(), to_headers(pairs, signature), value)
