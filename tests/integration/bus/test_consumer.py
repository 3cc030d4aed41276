"""The consumer on PostgreSQL: each rule of a receiver, one sentence each."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from contracts.envelope import Signature, event_leaf, read_signed
from contracts.events.base import OrganisationRef
from contracts.events.sharing import RequestDispatched, UsingSystem
from contracts.stream import Missing, StreamKey
from kernel import organisations
from kernel.consumer import NotYet, Poison, UnavailableError
from kernel.consuming import CaseKey
from kernel.ports import ReceivedEvent
from kernel.signing import Keyring, Trust
from tests.integration.bus.parts import CONFIRMED, WITHDRAWN, Receiver, note, receiver
from tests.support.buskit import (
    CITY,
    HAIFENG,
    LUFENG,
    RECEIVED,
    Keys,
    Source,
    agency,
    agency_record,
    confirmed,
)

pytestmark = pytest.mark.postgres
CASE = "01940000-0000-7000-8000-00000000ca5e"
TOPIC = "sharing.441581.v1"


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def source(keys: Keys) -> Source:
    return Source(keys)


@pytest.fixture(scope="module")
def url(postgres_url: Callable[..., str]) -> str:
    return postgres_url("kernel")


@pytest.fixture
async def lufeng(url: str, keys: Keys) -> AsyncIterator[Receiver]:
    async with receiver(url, keys) as made:
        yield made


def request(org_id: str, node: str) -> RequestDispatched:
    return RequestDispatched(
        request_id=CASE,
        request_no="1",
        kind="unconditional",
        requester=OrganisationRef(org_id=org_id, name="甲", node=node),
        source=OrganisationRef(org_id="org-s", name="乙", node=LUFENG),
        relation="cross_region",
        entry_id="e-1",
        resource_code="1",
        entry_version=1,
        title="表",
        items=(),
        purpose="p",
        basis=(),
        scene="s",
        scope="s",
        mode="api",
        term_days=30,
        system=UsingSystem(system_id="s", name="s", public_jwk="{}"),
        submitted_by="u",
        submitted_at="2026-02-13T08:30:00Z",
        rule_version="1",
    )


async def note_requester(tx: Any, event: ReceivedEvent) -> None:
    payload: Any = event.payload
    await tx.connection.execute(
        text("INSERT INTO seen (what) VALUES (:what)"), {"what": payload.requester.org_id}
    )


def case(source: Source, key: str = CASE) -> CaseKey:
    return CaseKey(f"/nodes/{source.node}/{source.service}", TOPIC, key)


def events(source: Source, *names: str, key: str = CASE) -> list[Any]:
    return [source.send(confirmed(key, name), key=key) for name in names]


# -- once and in order ----------------------------------------------------------------------------


async def test_events_are_applied_in_the_order_of_their_numbers(
    lufeng: Receiver, source: Source
) -> None:
    result = await lufeng.process(*events(source, "a", "b", "c"))
    assert result.applied == 3
    assert await lufeng.seen() == ["a", "b", "c"]


async def test_a_batch_that_comes_again_has_no_effect(lufeng: Receiver, source: Source) -> None:
    batch = events(source, "a", "b")
    await lufeng.process(*batch)
    again = await lufeng.process(*batch)
    assert (again.applied, again.duplicates) == (0, 2)
    assert await lufeng.seen() == ["a", "b"]


async def test_the_same_event_in_a_new_epoch_has_no_effect(
    lufeng: Receiver, source: Source
) -> None:
    event = source.event(confirmed(CASE, "a"), key=CASE)
    first = source.row(event)
    await lufeng.process(*source.seal(first))
    source.new_epoch()
    again = source.row(event, event_id=first.event_id)
    result = await lufeng.process(*source.seal(again))
    assert (result.applied, result.duplicates) == (0, 1)
    assert await lufeng.seen() == ["a"]
    (later,) = events(source, "b")
    assert (await lufeng.process(later)).applied == 1


async def test_a_copy_within_one_batch_has_no_effect(lufeng: Receiver, source: Source) -> None:
    (record,) = events(source, "a")
    await lufeng.process(record, record)
    assert await lufeng.seen() == ["a"]


async def test_a_gap_parks_what_follows_and_says_what_is_missing(
    lufeng: Receiver, source: Source
) -> None:
    first, second, third, fourth = events(source, "a", "b", "c", "d")
    result = await lufeng.process(first, third, fourth)
    assert (result.applied, result.parked) == (1, 2)
    stream = StreamKey("/nodes/441521/sharing", TOPIC, first.partition)
    assert result.missing == {stream: Missing(source.epoch, 2, 2)}
    assert await lufeng.seen() == ["a"]
    assert await lufeng.consumer.resume() == {stream: Missing(source.epoch, 2, 2)}
    filled = await lufeng.process(second)
    assert filled.applied == 3
    assert await lufeng.seen() == ["a", "b", "c", "d"]
    assert await lufeng.scalar("SELECT count(*) FROM kernel.parked_events") == 0
    assert await lufeng.consumer.resume() == {}


async def test_parked_events_survive_a_restart(
    lufeng: Receiver, source: Source, keys: Keys
) -> None:
    first, second, third = events(source, "a", "b", "c")
    await lufeng.process(first, third)
    lufeng.use(keys)  # nothing is remembered but the database
    await lufeng.process(second)
    assert await lufeng.seen() == ["a", "b", "c"]


async def test_a_batch_may_hold_a_gap_and_what_fills_it(lufeng: Receiver, source: Source) -> None:
    first, second, third = events(source, "a", "b", "c")
    await lufeng.process(third, second, first)
    assert await lufeng.seen() == ["a", "b", "c"]


async def test_the_lost_tail_of_an_epoch_is_missed_when_the_next_begins(
    lufeng: Receiver, source: Source
) -> None:
    first, second = events(source, "a", "b")
    await lufeng.process(first)
    old = source.epoch
    source.new_epoch()
    third, fourth = events(source, "c", "d")
    result = await lufeng.process(third, fourth)
    assert result.parked == 2
    assert list(result.missing.values()) == [Missing(old, 2, 2)]
    await lufeng.process(second)
    assert await lufeng.seen() == ["a", "b", "c", "d"]


async def test_a_sender_that_forgot_numbers_is_parked_and_named(
    lufeng: Receiver, source: Source
) -> None:
    restored = dict(source.counters)
    first, second = events(source, "a", "b")
    await lufeng.process(first, second)
    stream = (TOPIC, first.partition)
    source.counters = {**restored, stream: source.counters[stream]._replace(last=1)}
    source.new_epoch()
    (after,) = events(source, "c")
    result = await lufeng.process(after)
    assert (result.applied, result.parked) == (0, 1)
    assert [number.previous_last for _, number in result.forgotten] == [1]
    assert result.missing == {}


async def test_an_operator_may_give_up_what_nobody_can_send_again(
    lufeng: Receiver, source: Source
) -> None:
    first, _, third, fourth = events(source, "a", "b", "c", "d")
    await lufeng.process(first, third, fourth)
    stream = StreamKey("/nodes/441521/sharing", TOPIC, first.partition)
    assert await lufeng.consumer.skip_gap(stream, reason="lost with the disk")
    assert await lufeng.seen() == ["a", "c", "d"]
    assert await lufeng.scalar("SELECT reason FROM kernel.audit") == "lost with the disk"
    assert not await lufeng.consumer.skip_gap(stream, reason="again")


async def test_numbers_count_also_for_types_that_nobody_handles(
    lufeng: Receiver, source: Source
) -> None:
    proved = {"type": "yiwang.filing.received.v1"}
    from contracts.events.filing import FilingReceived  # noqa: PLC0415

    filing = FilingReceived(
        filing_id=CASE,
        filing_no="1",
        receiver_node=HAIFENG,
        received_at="2026-02-13",
        state="received",
    )
    desk = Source(lufeng.keys, service="notify")
    ignored = desk.send(filing, key=CASE, **proved)
    result = await lufeng.process(ignored)
    assert (result.ignored, result.applied) == (1, 0)
    assert (await lufeng.process(ignored)).duplicates == 1


async def test_a_void_number_lets_the_stream_go_on(lufeng: Receiver, source: Source) -> None:
    from kernel.relaying import as_void  # noqa: PLC0415

    first = source.row(source.event(confirmed(CASE, "a"), key=CASE))
    void = as_void(source.row(source.event(confirmed(CASE, "b"), key=CASE)))
    third = source.row(source.event(confirmed(CASE, "c"), key=CASE))
    await lufeng.process(*source.seal(first, void, third))
    assert await lufeng.seen() == ["a", "c"]


async def test_two_workers_with_the_same_batch_apply_it_once(
    lufeng: Receiver, source: Source
) -> None:
    batch = events(source, *(f"e{n}" for n in range(20)))
    results = await asyncio.gather(*(lufeng.process(*batch) for _ in range(4)))
    assert sum(result.applied for result in results) == 20
    assert await lufeng.seen() == [f"e{n}" for n in range(20)]


async def test_a_first_contact_by_two_workers_at_once_applies_each_event_once(
    lufeng: Receiver, keys: Keys
) -> None:
    sources = [Source(keys, service="sharing") for _ in range(1)]
    batch = events(sources[0], "a", "b", "c")
    await asyncio.gather(lufeng.process(*batch[:1]), lufeng.process(*batch))
    assert await lufeng.seen() == ["a", "b", "c"]


# -- failures of handlers -------------------------------------------------------------------------


def poisonous(lufeng: Receiver, *names: str) -> set[str]:
    """Let the handler refuse events of these names as long as they are in the set returned."""
    refused = set(names)

    @lufeng.handlers.on(CONFIRMED)
    async def refuse(tx: Any, event: ReceivedEvent) -> None:
        payload: Any = event.payload
        if payload.confirmed_by in refused:
            raise Poison("refused_by_test")

    return refused


async def test_a_dead_letter_holds_its_key_and_no_other(lufeng: Receiver, source: Source) -> None:
    poisonous(lufeng, "b")
    first, second, third = events(source, "a", "b", "c")
    (other,) = events(source, "x", key="01940000-0000-7000-8000-00000000ffff")
    result = await lufeng.process(first, second, third, other)
    assert (result.applied, result.dead, result.held) == (2, 1, 2)
    assert sorted(await lufeng.seen()) == ["a", "x"]
    (later,) = events(source, "d")
    await lufeng.process(later)
    assert sorted(await lufeng.seen()) == ["a", "x"]


async def test_a_dead_letter_is_copied_for_operators_once_and_without_content(
    lufeng: Receiver, source: Source
) -> None:
    poisonous(lufeng, "990000190001010016")
    await lufeng.process(*events(source, "990000190001010016"))
    await lufeng.consumer.replay(case(source))
    rows = await lufeng.rows(
        "SELECT transport, topic, type, convert_from(payload, 'UTF8') FROM kernel.outbox"
    )
    assert [row[:3] for row in rows] == [
        ("kafka", "dlq.441581.v1", "yiwang.bus.deadletter.copied.v1")
    ]
    assert '"reason":"refused_by_test"' in rows[0][3]
    assert "990000190001010016" not in rows[0][3]


async def test_a_failed_event_leaves_no_trace_of_its_own_effects(
    lufeng: Receiver, source: Source
) -> None:
    poisonous(lufeng, "b")  # runs after the handler that writes the row
    await lufeng.process(*events(source, "b"))
    assert await lufeng.seen() == []
    assert await lufeng.scalar("SELECT count(*) FROM kernel.dead_letters") == 1


async def test_a_replay_runs_the_event_and_what_waits_behind_it_in_order(
    lufeng: Receiver, source: Source
) -> None:
    refused = poisonous(lufeng, "b")
    await lufeng.process(*events(source, "a", "b", "c", "d"))
    assert await lufeng.consumer.replay(case(source)) == 0
    assert await lufeng.scalar("SELECT attempts FROM kernel.dead_letters") == 2
    refused.clear()
    assert await lufeng.consumer.replay(case(source)) == 3
    assert await lufeng.seen() == ["a", "b", "c", "d"]
    assert await lufeng.scalar("SELECT state FROM kernel.dead_letters") == "replayed"
    assert await lufeng.scalar("SELECT count(*) FROM kernel.held_keys") == 0
    await lufeng.process(*events(source, "e"))
    assert (await lufeng.seen())[-1] == "e"


async def test_a_replay_stops_at_the_next_event_that_fails(
    lufeng: Receiver, source: Source
) -> None:
    refused = poisonous(lufeng, "a", "c")
    await lufeng.process(*events(source, "a", "b", "c", "d"))
    refused.discard("a")
    assert await lufeng.consumer.replay(case(source)) == 2
    assert await lufeng.seen() == ["a", "b"]
    states = await lufeng.rows("SELECT state FROM kernel.dead_letters ORDER BY id")
    assert [row[0] for row in states] == ["replayed", "open"]


async def test_a_discarded_event_lets_the_others_go_on(lufeng: Receiver, source: Source) -> None:
    poisonous(lufeng, "b")
    await lufeng.process(*events(source, "a", "b", "c"))
    await lufeng.consumer.replay(case(source), discard_first=True, reason="sent by mistake")
    assert await lufeng.seen() == ["a", "c"]
    assert await lufeng.scalar("SELECT state FROM kernel.dead_letters") == "discarded"
    assert await lufeng.rows("SELECT act, reason FROM kernel.audit") == [
        ("deadletter.discarded", "sent by mistake")
    ]


async def test_a_long_queue_behind_a_key_is_released_in_order(
    lufeng: Receiver, source: Source
) -> None:
    refused = poisonous(lufeng, "e0")
    names = [f"e{n}" for n in range(250)]
    await lufeng.process(*events(source, *names))
    refused.clear()
    assert await lufeng.consumer.replay(case(source)) == 250
    assert await lufeng.seen() == names
    assert await lufeng.scalar("SELECT count(*) FROM kernel.held_keys") == 0


async def test_an_event_before_its_cause_waits_behind_its_key_and_is_no_dead_letter(
    lufeng: Receiver, source: Source
) -> None:
    known: set[str] = set()

    @lufeng.handlers.on(CONFIRMED)
    async def needs_cause(tx: Any, event: ReceivedEvent) -> None:
        if "cause" not in known:
            raise NotYet("cause_unknown")

    result = await lufeng.process(*events(source, "a", "b"))
    assert (result.applied, result.held, result.dead) == (0, 2, 0)
    assert await lufeng.consumer.retry_due() == 0  # not due yet
    lufeng.clock.move(seconds=1)
    assert await lufeng.consumer.retry_due() == 0  # due, and the cause is still unknown
    known.add("cause")
    lufeng.clock.move(minutes=2)
    assert await lufeng.consumer.retry_due() == 2
    assert await lufeng.seen() == ["a", "b"]
    assert await lufeng.scalar("SELECT count(*) FROM kernel.dead_letters") == 0


async def test_a_missing_row_that_a_foreign_key_names_waits_too(
    lufeng: Receiver, source: Source
) -> None:
    await lufeng.execute("DROP TABLE IF EXISTS effect, cause")
    await lufeng.execute("CREATE TABLE cause (id text PRIMARY KEY)")
    await lufeng.execute(
        "CREATE TABLE effect (id text REFERENCES cause DEFERRABLE INITIALLY DEFERRED)"
    )

    @lufeng.handlers.on(CONFIRMED)
    async def refer(tx: Any, event: ReceivedEvent) -> None:
        await tx.connection.execute(text("INSERT INTO effect VALUES (:k)"), {"k": event.key})

    result = await lufeng.process(*events(source, "a"))
    assert (result.applied, result.held) == (0, 1)
    await lufeng.execute("INSERT INTO cause VALUES (:k)", k=CASE)
    lufeng.clock.move(seconds=5)
    assert await lufeng.consumer.retry_due() == 1
    assert await lufeng.seen() == ["a"]


@pytest.mark.parametrize("statement", ["INSERT INTO seen VALUES (1, NULL)", "SELECT 1/0"])
async def test_what_the_database_refuses_of_an_event_is_a_dead_letter_without_values(
    lufeng: Receiver, source: Source, statement: str
) -> None:
    @lufeng.handlers.on(CONFIRMED)
    async def fail(tx: Any, event: ReceivedEvent) -> None:
        payload: Any = event.payload
        if payload.confirmed_by == "990000190001010016":
            await tx.connection.execute(text(statement))

    await lufeng.process(*events(source, "a", "990000190001010016"))
    assert await lufeng.seen() == ["a"]
    letters = await lufeng.rows("SELECT * FROM kernel.dead_letters")
    assert len(letters) == 1
    assert letters[0].sqlstate in {"23502", "22012"}
    assert "990000190001010016" not in repr(letters)


async def test_while_the_database_cannot_answer_nothing_happens_and_the_batch_may_come_again(
    lufeng: Receiver, source: Source
) -> None:
    away = True

    @lufeng.handlers.on(CONFIRMED)
    async def fail(tx: Any, event: ReceivedEvent) -> None:
        if away:
            await tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    batch = events(source, "a", "b")
    with pytest.raises(UnavailableError):
        await lufeng.process(*batch)
    away = False
    result = await lufeng.process(*batch)
    assert (result.applied, result.dead) == (2, 0)
    assert await lufeng.seen() == ["a", "b"]


async def test_a_deadlock_is_nobodys_fault(lufeng: Receiver, source: Source) -> None:
    @lufeng.handlers.on(CONFIRMED)
    async def fail(tx: Any, event: ReceivedEvent) -> None:
        await tx.connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    with pytest.raises(UnavailableError):
        await lufeng.process(*events(source, "a"))
    assert await lufeng.scalar("SELECT count(*) FROM kernel.dead_letters") == 0


async def test_a_type_of_a_newer_version_waits_for_the_upgrade(
    lufeng: Receiver, source: Source, keys: Keys
) -> None:
    newer = replace(
        source.row(source.event(confirmed(CASE, "a"), key=CASE)), type="yiwang.sharing.novelty.v1"
    )
    (later,) = events(source, "b")
    result = await lufeng.process(*source.seal(newer), later)
    assert (result.applied, result.held, result.dead) == (0, 2, 0)
    assert await lufeng.scalar("SELECT hold FROM kernel.held_keys") == "not_understood"
    # the upgrade: contracts that know the type
    topics = lufeng.consumer.gate.topics
    known = topics.types[CONFIRMED]
    novelty = known.model_copy(update={"type": "yiwang.sharing.novelty.v1"})
    sharing = topics.topics["sharing"]
    upgraded = topics.model_copy(
        update={
            "types": {**topics.types, novelty.type: novelty},
            "topics": {
                **topics.topics,
                "sharing": sharing.model_copy(update={"events": (*sharing.events, novelty)}),
            },
        }
    )
    lufeng.consumer.gate.topics = upgraded
    lufeng.consumer.gate._known.clear()
    lufeng.handlers.on(novelty.type)(note)
    lufeng.clock.move(minutes=11)
    assert await lufeng.consumer.retry_due() == 2
    assert await lufeng.seen() == ["a", "b"]


async def test_too_many_dead_letters_park_their_source_and_no_other(
    url: str, keys: Keys, source: Source
) -> None:
    async with receiver(url, keys, dead_letter_limit=3) as lufeng:
        refused = poisonous(lufeng, "bad")
        bad = [events(source, "bad", key=str(source.ids.uuid7()))[0] for _ in range(3)]
        await lufeng.process(*bad)
        late = [source.send(confirmed(k, "late"), key=k) for k in map(str, [source.ids.uuid7()])]
        assert (await lufeng.process(*late)).parked == 1
        city = Source(keys, node=CITY)
        other = city.send(confirmed(CASE, "from the city"), key=CASE)
        assert (await lufeng.process(other)).applied == 1
        assert await lufeng.seen() == ["from the city"]
        refused.clear()
        await lufeng.consumer.resume()
        assert await lufeng.seen() == ["from the city"]  # still over the limit
        for record in bad:
            await lufeng.consumer.replay(case(source, record.key.decode()))
        await lufeng.consumer.resume()
        assert (await lufeng.seen())[-1] == "late"


# -- trust ----------------------------------------------------------------------------------------


async def test_what_is_not_authentic_changes_no_state_and_is_counted(
    lufeng: Receiver, source: Source
) -> None:
    first, second = events(source, "a", "b")
    forged = [second._replace(value=second.value + b" " * n) for n in range(1, 40)]
    result = await lufeng.process(first, *forged)
    assert (result.applied, result.refused) == (1, 39)
    assert (await lufeng.process(second)).applied == 1
    assert await lufeng.rows("SELECT reason, records FROM kernel.refused_records") == [
        ("signature_invalid", 39)
    ]
    assert await lufeng.scalar("SELECT count(*) FROM kernel.dead_letters") <= 20
    assert await lufeng.scalar("SELECT count(*) FROM kernel.inbox") == 2


async def test_refused_records_alone_still_move_the_position(
    lufeng: Receiver, source: Source
) -> None:
    (record,) = events(source, "a")
    await lufeng.process(record._replace(value=b"{}"))
    assert await lufeng.store.positions() == {(TOPIC, record.partition): record.offset + 1}


async def test_an_event_under_an_unknown_key_waits_until_the_registry_names_it(
    url: str, keys: Keys, source: Source
) -> None:
    async with receiver(url, keys) as lufeng:
        lufeng.consumer.gate.keyring = Keyring(keys.registry(without=(HAIFENG,)))
        await lufeng.process(*events(source, "a", "b"))
        assert await lufeng.seen() == []
        assert await lufeng.consumer.retry_trust() == 0
        lufeng.consumer.gate.keyring = Keyring(keys.registry())
        assert await lufeng.consumer.retry_trust() == 2
        assert await lufeng.seen() == ["a", "b"]
        assert await lufeng.scalar("SELECT count(*) FROM kernel.parked_events") == 0


async def test_an_organisation_must_be_the_sending_nodes_and_may_be_announced_later(
    lufeng: Receiver, keys: Keys, source: Source
) -> None:
    organisations.add_to(lufeng.handlers)
    dispatched = source.send(
        request("org-1", HAIFENG), key=CASE, type="yiwang.sharing.request.dispatched.v1"
    )
    lufeng.handlers.on("yiwang.sharing.request.dispatched.v1")(note_requester)
    assert (await lufeng.process(dispatched)).held == 1
    catalog = Source(keys, service="catalog")
    await lufeng.process(agency_record(catalog, agency("org-1", HAIFENG)))
    lufeng.clock.move(seconds=5)
    assert await lufeng.consumer.retry_due() == 1
    assert await lufeng.seen() == ["org-1"]


async def test_an_organisation_of_another_node_changes_no_state(
    lufeng: Receiver, keys: Keys, source: Source
) -> None:
    organisations.add_to(lufeng.handlers)
    city = Source(keys, node=CITY, service="catalog")
    await lufeng.process(agency_record(city, agency("org-1", CITY)))
    dispatched = source.send(
        request("org-1", HAIFENG), key=CASE, type="yiwang.sharing.request.dispatched.v1"
    )
    lufeng.handlers.on("yiwang.sharing.request.dispatched.v1")(note_requester)
    result = await lufeng.process(dispatched)
    assert (result.refused, result.applied, result.held) == (1, 0, 0)
    assert await lufeng.scalar("SELECT count(*) FROM kernel.inbox") == 0


async def test_a_node_cannot_take_over_an_organisation_until_its_owner_ends_it(
    lufeng: Receiver, keys: Keys
) -> None:
    organisations.add_to(lufeng.handlers)
    city, haifeng = (Source(keys, node=node, service="catalog") for node in (CITY, HAIFENG))
    await lufeng.process(agency_record(city, agency("org-1", CITY)))
    result = await lufeng.process(agency_record(haifeng, agency("org-1", HAIFENG, version=9)))
    assert result.dead == 1
    await lufeng.process(agency_record(city, agency("org-1", CITY, version=2, state="ended")))
    held = CaseKey("/nodes/441521/catalog", "agencies.441521.v1", "org-1")
    assert await lufeng.consumer.replay(held) == 1
    assert await lufeng.scalar("SELECT node FROM kernel.organisations") == HAIFENG


async def test_an_older_broadcast_does_not_undo_a_newer_one(lufeng: Receiver, keys: Keys) -> None:
    organisations.add_to(lufeng.handlers)
    catalog = Source(keys, service="catalog")
    await lufeng.process(agency_record(catalog, agency("org-1", HAIFENG, version=5)))
    catalog.new_epoch()
    older = agency("org-1", HAIFENG, version=4, state="ended")
    await lufeng.process(agency_record(catalog, older))
    assert await lufeng.rows("SELECT state, record_version FROM kernel.organisations") == [
        ("active", 5)
    ]


async def test_a_compacted_broadcast_has_no_gaps_to_wait_for(lufeng: Receiver, keys: Keys) -> None:
    organisations.add_to(lufeng.handlers)
    catalog = Source(keys, service="catalog")
    records = [agency_record(catalog, agency(f"org-{n}", HAIFENG)) for n in range(5)]
    result = await lufeng.process(records[2], records[4])
    assert (result.applied, result.parked) == (2, 0)
    assert await lufeng.scalar("SELECT count(*) FROM kernel.inbox") == 0


# -- evidence, receipts, positions ----------------------------------------------------------------


async def test_the_exact_signed_bytes_are_kept_and_prove_the_event(
    lufeng: Receiver, source: Source, keys: Keys
) -> None:
    batch = source.seal(
        *(source.row(source.event(confirmed(CASE, n), key=CASE)) for n in ("a", "b", "c"))
    )
    await lufeng.process(*batch)
    rows = await lufeng.rows("SELECT signed, signature, payload FROM kernel.evidence")
    assert len(rows) == 3
    ring = Keyring(keys.registry())
    for signed, signature, payload in rows:
        told = read_signed(signed)
        verdict = ring.verify(
            Signature.parse(signature),
            event_leaf(signed),
            key_id=told.envelope.key_id,
            node=HAIFENG,
            time=told.envelope.time,
        )
        assert verdict is Trust.VALID
        assert payload in {record.value for record in batch}


async def test_a_receipt_is_owed_once_for_a_type_that_asks_for_it(
    lufeng: Receiver, source: Source
) -> None:
    withdrawal = source.send_withdrawal(CASE)
    plain = events(source, "a")
    await lufeng.process(withdrawal, *plain)
    await lufeng.process(withdrawal, *plain)
    rows = await lufeng.rows(
        "SELECT transport, topic, key, type, convert_from(payload, 'UTF8') FROM kernel.outbox"
    )
    assert [row[:4] for row in rows] == [
        ("kafka", "sharing.441521.v1", CASE, "yiwang.receipt.stored.v1")
    ]
    assert '"received_at":"2026-02-13T08:30:00.000000Z"' in rows[0][4]


async def test_the_receipt_tells_when_the_event_was_first_stored_although_it_was_parked(
    lufeng: Receiver, source: Source
) -> None:
    (first,) = events(source, "a")
    withdrawal = source.send_withdrawal(CASE)
    await lufeng.consumer.process([withdrawal], RECEIVED)
    assert await lufeng.scalar("SELECT count(*) FROM kernel.outbox") == 1
    seen: list[str] = []

    @lufeng.handlers.on(WITHDRAWN)
    async def keep(tx: Any, event: ReceivedEvent) -> None:
        seen.append(event.received_at)

    lufeng.clock.move(days=2)
    await lufeng.process(first)
    assert seen == [RECEIVED]
    assert await lufeng.scalar("SELECT count(*) FROM kernel.outbox") == 1
    payload = await lufeng.scalar("SELECT convert_from(payload, 'UTF8') FROM kernel.outbox")
    assert f'"received_at":"{RECEIVED}"' in payload


async def test_a_receipt_is_written_with_the_event_or_not_at_all(
    lufeng: Receiver, source: Source
) -> None:
    @lufeng.handlers.on(WITHDRAWN)
    async def fail(tx: Any, event: ReceivedEvent) -> None:
        await tx.connection.execute(text("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$"))

    with pytest.raises(UnavailableError):
        await lufeng.process(source.send_withdrawal(CASE))
    for table in ("outbox", "inbox", "evidence"):
        assert await lufeng.scalar(f"SELECT count(*) FROM kernel.{table}") == 0


async def test_events_of_handlers_carry_the_senders_trace_on(
    lufeng: Receiver, source: Source
) -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    row = replace(source.row(source.event(confirmed(CASE, "a"), key=CASE)), traceparent=trace)

    @lufeng.handlers.on(CONFIRMED)
    async def answer(tx: Any, event: ReceivedEvent) -> None:
        await tx.emit(
            Source(lufeng.keys).event(
                confirmed(CASE), key=CASE, topic="sharing.441500.v1", destination=CITY
            )
        )

    await lufeng.process(*source.seal(row))
    assert await lufeng.scalar("SELECT traceparent FROM kernel.outbox") == trace


async def test_positions_are_committed_with_the_effects(lufeng: Receiver, source: Source) -> None:
    records = [
        source.send(confirmed(k), key=k) for k in (str(source.ids.uuid7()) for _ in range(9))
    ]
    await lufeng.process(*records)
    expected: dict[tuple[str, int], int] = {}
    for record in records:
        expected[(TOPIC, record.partition)] = record.offset + 1
    assert await lufeng.store.positions() == expected
