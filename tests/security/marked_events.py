"""Events that carry the marked number: forged, unreadable, and authentic ones that our code refuses.

The authentic ones are signed by a county's key, so that they pass the gate and fail later: in the
payload's model, in a handler, or in the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from contracts.events.base import DueDate, OrganisationRef, Payload
from contracts.events.clock import ClockDigest, ClockEnded, ClockStarted, Notice
from contracts.golden.messages import all_samples
from contracts.topics import event_spec, parse_topic
from kernel.consuming import Record
from tests.security.cast import AUTHORITY, Walk
from tests.security.federation_corner import LUFENG
from tests.security.marked import WORD
from tests.security.whole_node import NODE
from tests.support.buskit import Source

#: the city's desk writes nothing to itself, so that the numbers of this stream are ours
PROBE = "notify"
READERS = {
    "sharing": ("sharing",),
    "catalog-mail": ("catalog",),
    "filings": ("notify",),
    "catalog": ("catalog", "sharing"),
    "agencies": ("catalog", "sharing", "notify"),
    "federation.documents": ("catalog", "sharing", "notify"),
}
Sent = tuple[str, Record]


def with_word(value: Any) -> Any:
    """Return a payload whose free texts are the number, and whose codes stay as they are."""
    if isinstance(value, dict):
        return {name: _changed(name, item) for name, item in value.items()}
    return [with_word(item) for item in value] if isinstance(value, list) else value


_KEPT = ("_id", "node", "rule", "kind", "state", "reply_to", "level", "type", "outcome")


def _changed(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if name.endswith(_KEPT) else WORD
    return with_word(value)


def with_nul(value: Any) -> Any:
    """Return a payload that no column can hold: NUL characters beside the number."""
    changed = with_word(value)
    return orjson.loads(orjson.dumps(changed).replace(WORD.encode(), b"\\u0000" + WORD.encode()))


def with_wrong_types(value: Any) -> Any:
    """Return a payload in which every number and flag is the word."""
    if isinstance(value, dict):
        return {name: with_wrong_types(item) for name, item in value.items()}
    if isinstance(value, list):
        return [{WORD: WORD}]
    return value if isinstance(value, str) else WORD


MUTATIONS: dict[str, Callable[[Any], Any]] = {
    "words": with_word,
    "nul": with_nul,
    "types": with_wrong_types,
    "list": lambda _: [WORD],
    "text": lambda _: WORD,
}


def authentic(walk: Walk) -> Iterator[Sent]:
    """Yield (service, record): every event type of the contracts, signed, with changed payloads."""
    for sample in all_samples():
        topic = parse_topic(sample.topic)
        if topic.family not in READERS or topic.node is None:
            continue
        broadcast = topic.family in ("catalog", "agencies")
        name = f"{topic.family}.{LUFENG if broadcast else NODE}.v1"
        source = walk.source(LUFENG, sample.source.rsplit("/", 1)[-1])
        for mutate in MUTATIONS.values():
            payload, key = _of_its_own_case(sample.payload, sample.type, str(source.ids.uuid7()))
            event = source.event(
                payload,
                key=key,
                type=sample.type,
                topic=name,
                destination="*" if broadcast else NODE,
            )
            changed = orjson.dumps(mutate(payload.model_dump(mode="json")))
            record = source.seal(replace(source.row(event), payload=changed))[0]
            yield from ((service, record) for service in READERS[topic.family])


def _of_its_own_case(payload: Payload, kind: str, fresh: str) -> tuple[Payload, str]:
    """Return the payload under a key that nothing holds yet; a node's figures keep its node."""
    key_field = event_spec(kind).key_field
    if key_field == "node":
        return payload.model_copy(update={"node": LUFENG}), LUFENG
    if key_field is None:
        return payload, fresh
    return payload.model_copy(update={key_field: fresh}), fresh


def failing_in_handlers(walk: Walk) -> Iterator[Sent]:
    """Yield events that are authentic and well formed, and whose values a handler cannot use."""
    probe = walk.source(NODE, PROBE)
    bound = OrganisationRef(org_id=AUTHORITY, name=WORD, node=NODE)
    due = DueDate(
        rule="share.reply", rule_version=WORD, kind="law", article=WORD, start_event=WORD,
        start_basis="text", starts_on=WORD, length=5, due_on=WORD, remind_on=WORD,
        provisional=False, calendar_version=WORD,
    )  # fmt: skip
    started = ClockStarted(
        clock_id="c:share.reply:1", case_kind="share_request", case_id="c", case_no=WORD,
        title=WORD, due=due, bound=bound, escalate_to=WORD, started_at=WORD,
    )  # fmt: skip
    ended = ClockEnded(clock_id="c", case_id="c", ended_at=WORD, end_event=WORD, on_time=True)
    notice = Notice(
        notice_id="n", org_id=AUTHORITY, title_zh=WORD, title_en=WORD, case_kind=WORD,
        case_id="c", at=WORD,
    )  # fmt: skip
    yield _to_desk(probe, "yiwang.clock.started.v1", started)
    yield _to_desk(probe, "yiwang.clock.ended.v1", ended)
    yield _to_desk(probe, "yiwang.notice.posted.v1", notice)
    digest = ClockDigest(node=LUFENG, as_of=WORD, lines=())
    yield _to_desk(walk.source(LUFENG, PROBE), "yiwang.clock.digest.v1", digest)


def _to_desk(source: Source, kind: str, payload: Any) -> Sent:
    payload, key = _of_its_own_case(payload, kind, str(source.ids.uuid7()))
    topic = f"filings.{NODE}.v1"
    return "notify", source.send(payload, key=key, type=kind, topic=topic, destination=NODE)


def forged(walk: Walk) -> Iterator[Sent]:
    """Yield records that are not trusted: the number in each header, in key, topic and value."""
    source = Source(walk.keys, node=LUFENG, service="sharing")
    good = source.send_withdrawal("k-1", topic=f"sharing.{NODE}.v1", destination=NODE)
    for place in range(len(good.headers)):
        name = good.headers[place][0]
        headers = list(good.headers)
        headers[place] = (name, WORD.encode())
        yield "sharing", good._replace(headers=headers)
        headers[place] = (WORD, good.headers[place][1])
        yield "sharing", good._replace(headers=headers)
    yield "sharing", good._replace(headers=[*good.headers, (WORD, WORD.encode())])
    yield "sharing", good._replace(headers=[])
    claimed = [("ce_source", f"/nodes/{WORD}/sharing".encode()), ("ce_type", WORD.encode())]
    yield "sharing", good._replace(headers=claimed)
    yield "sharing", good._replace(key=WORD.encode())
    yield "sharing", good._replace(topic=WORD)
    yield "sharing", good._replace(topic=f"sharing.{WORD}.v1")
    yield "sharing", good._replace(value=WORD.encode())
    yield "sharing", good._replace(entered_at=WORD)


def unknown(walk: Walk) -> Iterator[Sent]:
    """Yield signed events of types that nobody knows yet."""
    source = walk.source(LUFENG, "sharing")
    for kind in ("yiwang.sharing.request.dreamt.v1", f"yiwang.{WORD}.v1", WORD):
        event = source.event(type="yiwang.sharing.request.confirmed.v1", topic=f"sharing.{NODE}.v1",
                             destination=NODE, subject=WORD)  # fmt: skip
        row = replace(source.row(event), type=kind, payload=orjson.dumps({WORD: WORD}))
        yield "sharing", source.seal(row)[0]
