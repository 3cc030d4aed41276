"""What an event's outbox rows are, before any database."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from contracts.stream import partition_of
from contracts.topics import UnknownTopicError, topic_name
from kernel.outbox import EventTooLarge, instant, outbox_values
from kernel.ports import OutgoingEvent
from tests.support.buskit import CITY, HAIFENG, LUFENG, Keys, Source, agency, confirmed

EVENT_ID = UUID(int=7)
NOW = datetime(2026, 2, 13, 8, 30, tzinfo=UTC)


def values(event: OutgoingEvent, *, node: str = HAIFENG, service: str = "sharing") -> list[dict]:
    return outbox_values(event, node=node, service=service, event_id=EVENT_ID, now=NOW)


def to(node: str, key: str = "case-1", **changed: object) -> OutgoingEvent:
    event = Source(Keys()).event(confirmed(key), key=key)
    return OutgoingEvent(
        **{
            **{name: getattr(event, name) for name in event.__slots__},
            "topic": topic_name("sharing", node),
            "destination": node,
            **changed,
        }
    )


def test_an_event_for_another_node_takes_the_bus() -> None:
    (row,) = values(to(LUFENG))
    assert row["transport"] == "kafka"
    assert row["partition"] == partition_of("case-1", 4)
    assert row["time"] == "2026-02-13T08:30:00.000000Z"


def test_an_event_for_the_own_node_never_leaves_it() -> None:
    (row,) = values(to(HAIFENG))
    assert row["transport"] == "local:sharing"


def test_a_broadcast_takes_the_bus_and_the_doors_of_the_siblings() -> None:
    event = to(
        LUFENG,
        type="yiwang.catalog.agency.announced.v1",
        topic=topic_name("agencies", HAIFENG),
        destination="*",
        key="org-1",
        payload=agency("org-1", HAIFENG),
    )
    found = {row["transport"] for row in values(event, service="catalog")}
    assert found == {"kafka", "local:sharing", "local:notify"}


def test_the_size_is_checked_when_the_event_is_made() -> None:
    with pytest.raises(EventTooLarge) as refused:
        values(to(LUFENG, payload=confirmed("case-1", "x" * 600_000)))
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "change",
    [
        {"destination": CITY},
        {"type": "yiwang.clock.digest.v1"},
        {"topic": "unheard.of.441581.v1"},
    ],
)
def test_an_event_that_does_not_fit_its_topic_is_our_own_mistake(change: dict[str, str]) -> None:
    with pytest.raises(UnknownTopicError):
        values(to(LUFENG, **change))


def test_the_record_key_is_the_root_of_the_case() -> None:
    with pytest.raises(ValueError, match="record key"):
        values(to(LUFENG, key="case-1", payload=confirmed("case-2")))


def test_an_instant_has_one_form() -> None:
    shanghai = datetime(2026, 2, 13, 16, 30, tzinfo=timezone(timedelta(hours=8)))
    assert instant(shanghai) == "2026-02-13T08:30:00.000000Z"
