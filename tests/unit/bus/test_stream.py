"""Pure rules of streams: partitions, Merkle batches, what a number means."""

from hashlib import sha256

import pytest
from aiokafka.partitioner import murmur2 as client_murmur2
from hypothesis import given
from hypothesis import strategies as st

from contracts.stream import (
    APPLICABLE,
    PAST_EPOCHS,
    Missing,
    Number,
    StreamState,
    Verdict,
    advance,
    classify,
    leaf_hash,
    merkle_paths,
    merkle_root,
    missing_before,
    murmur2,
    partition_of,
    root_of_path,
    skip_to,
)

E1 = "01940000-0000-7000-8000-000000000001"
E2 = "01940000-0000-7000-8000-000000000002"
E3 = "01940000-0000-7000-8000-000000000003"


@given(st.binary(max_size=80))
def test_murmur2_is_that_of_every_kafka_client(data: bytes) -> None:
    assert murmur2(data) & 0x7FFFFFFF == client_murmur2(data) & 0x7FFFFFFF


def test_partitions_of_known_keys_never_change() -> None:
    assert [partition_of(key, 4) for key in ("a", "R-1", "备案-42", "")] == [0, 1, 2, 1]


def rfc6962_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1 over leaf hashes, taken literally."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    left, right = rfc6962_root(leaves[:split]), rfc6962_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", [*range(1, 35), 100, 255, 256, 257])
def test_every_path_of_a_batch_leads_to_the_root_of_the_standard(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    root, paths = merkle_paths(leaves)
    assert root == rfc6962_root(leaves) == merkle_root(leaves)
    for position, (leaf, path) in enumerate(zip(leaves, paths, strict=True)):
        assert root_of_path(leaf, position, size, path) == root


def test_a_path_does_not_serve_another_leaf_position_or_size() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(7)]
    root, paths = merkle_paths(leaves)
    assert root_of_path(leaves[1], 0, 7, paths[0]) != root
    assert root_of_path(leaves[0], 1, 7, paths[0]) != root
    assert root_of_path(leaves[0], 0, 20, paths[0]) is None
    assert root_of_path(leaves[0], 0, 7, paths[0][:-1]) is None
    assert root_of_path(leaves[0], 0, 7, paths[0][:-32]) is None
    assert root_of_path(leaves[0], 0, 7, paths[0] + b"\x00" * 32) is None
    assert root_of_path(leaves[0], 7, 7, paths[0]) is None
    assert root_of_path(leaves[0], -1, 7, paths[0]) is None


def test_an_empty_batch_has_the_root_of_nothing() -> None:
    assert merkle_paths([]) == (sha256(b"").digest(), [])


KNOWN = StreamState(E1, 5)


@pytest.mark.parametrize(
    ("state", "number", "verdict"),
    [
        (None, Number(E1, 1), Verdict.FIRST),
        (None, Number(E1, 2), Verdict.GAP),
        (None, Number(E2, 1, E1, 7), Verdict.GAP),
        (KNOWN, Number(E1, 6), Verdict.NEXT),
        (KNOWN, Number(E1, 5), Verdict.DUPLICATE),
        (KNOWN, Number(E1, 1), Verdict.DUPLICATE),
        (KNOWN, Number(E1, 7), Verdict.GAP),
        (KNOWN, Number(E2, 1, E1, 5), Verdict.NEW_EPOCH),
        (KNOWN, Number(E2, 1, E1, 6), Verdict.GAP),
        (KNOWN, Number(E2, 1, E1, 4), Verdict.FORGOTTEN),
        (KNOWN, Number(E2, 2), Verdict.GAP),
        (KNOWN, Number(E3, 1, E2, 0), Verdict.GAP),
        (StreamState(E2, 1, ((E1, 5),)), Number(E1, 5), Verdict.DUPLICATE),
        (StreamState(E2, 1, ((E1, 5),)), Number(E1, 9), Verdict.DUPLICATE),
    ],
)
def test_what_a_number_means(state: StreamState | None, number: Number, verdict: Verdict) -> None:
    assert classify(state, number) is verdict


@pytest.mark.parametrize(
    ("state", "number", "missing"),
    [
        (None, Number(E1, 4), Missing(E1, 1, 3)),
        (None, Number(E2, 1, E1, 7), Missing(E1, 1, 7)),
        (KNOWN, Number(E1, 9), Missing(E1, 6, 8)),
        (KNOWN, Number(E2, 3), Missing(E2, 1, 2)),
        (KNOWN, Number(E2, 1, E1, 8), Missing(E1, 6, 8)),
        (KNOWN, Number(E3, 1, E2, 4), Missing(E2, 1, 4)),
    ],
)
def test_what_is_missing_before_a_number(
    state: StreamState | None, number: Number, missing: Missing
) -> None:
    assert missing_before(state, number) == missing


def test_a_new_epoch_keeps_the_last_number_of_the_one_before() -> None:
    after = advance(KNOWN, Number(E2, 1, E1, 5))
    assert after == StreamState(E2, 1, ((E1, 5),))


def test_epochs_older_than_the_memory_count_as_settled() -> None:
    state = StreamState("e-0000", 1)
    for step in range(1, PAST_EPOCHS + 2):
        number = Number(f"e-{step:04}", 1, state.epoch, state.watermark)
        assert classify(state, number) is Verdict.NEW_EPOCH
        state = advance(state, number)
    assert len(state.past) == PAST_EPOCHS
    assert classify(state, Number("e-0000", 1)) is Verdict.DUPLICATE


def test_what_an_operator_gives_up_is_not_asked_for_again() -> None:
    number = Number(E1, 9)
    assert classify(skip_to(KNOWN, number), number) is Verdict.NEXT
    later = Number(E3, 4)
    skipped = skip_to(KNOWN, later)
    assert classify(skipped, later) is Verdict.NEXT
    assert classify(skipped, Number(E1, 6)) is Verdict.DUPLICATE
    assert classify(skip_to(None, number), number) is Verdict.NEXT


@given(
    st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_in_any_order_with_copies_every_number_is_settled_once_and_in_order(
    lengths: list[int], random: object
) -> None:
    """A model of a receiver that parks what it cannot settle yet."""
    sent: list[Number] = []
    previous, last = "", 0
    for epoch, length in enumerate(lengths):
        name = f"epoch-{epoch}"
        for sequence in range(1, length + 1):
            first = sequence == 1
            sent.append(Number(name, sequence, previous if first else "", last if first else 0))
        previous, last = name, length
    arriving = sent * 2
    random.shuffle(arriving)  # type: ignore[attr-defined]
    state: StreamState | None = None
    settled: list[Number] = []
    parked: set[Number] = set()
    for number in arriving:
        parked.add(number)
        moved = True
        while moved:
            moved = False
            for waiting in sorted(parked):
                verdict = classify(state, waiting)
                if verdict in APPLICABLE:
                    state = advance(state, waiting)
                    settled.append(waiting)
                    moved = True
                if verdict in APPLICABLE or verdict is Verdict.DUPLICATE:
                    parked.discard(waiting)
    assert settled == sent
    assert not parked
