"""Pure rules of numbered streams: partition, Merkle batches, and what a number means to a receiver.

Used by the kernel and by the departments' client alike (protocol §1 to §3); nothing here does I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

PAST_EPOCHS = 64
"""How many finished epochs a receiver remembers of a stream; older ones count as duplicates."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """Return Kafka's murmur2 of ``data`` as an unsigned 32-bit number."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a record key, as every Kafka client's default partitioner does."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962 §2.1)."""
    return sha256(b"\x00" + data).digest()


def _join(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return all levels of the tree, leaves first; an odd last node moves up unchanged."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        level = levels[-1]
        above = [_join(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        levels.append(above)
    return levels


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; of none it is the hash of nothing (RFC 6962 §2.1)."""
    return _levels(leaves)[-1][0] if leaves else sha256(b"").digest()


def merkle_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the root and, per leaf, its inclusion path as concatenated 32-byte hashes."""
    if not leaves:
        return merkle_root(leaves), []
    levels = _levels(leaves)
    # each level's paths end in those of the level above, so they are made once, from the top
    above = [b""]
    for level in reversed(levels[:-1]):
        last = len(level) - 1
        here = []
        for index in range(len(level)):
            sibling = index ^ 1
            rest = above[index >> 1]
            here.append(level[sibling] + rest if sibling <= last else rest)
        above = here
    return levels[-1][0], above


def root_of_path(leaf: bytes, index: int, size: int, path: bytes) -> bytes | None:
    """Return the root that ``path`` leads to, or ``None`` when it does not fit index and size."""
    if not 0 <= index < size or len(path) % 32:
        return None
    node, at, last = leaf, index, size - 1
    for start in range(0, len(path), 32):
        step = path[start : start + 32]
        if last == 0:
            return None
        if at & 1 or at == last:
            node = _join(step, node)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            node = _join(node, step)
        at >>= 1
        last >>= 1
    return node if last == 0 else None


class StreamKey(NamedTuple):
    """What a stream is before its epoch: ``source`` writes to ``partition`` of ``topic``."""

    source: str
    topic: str
    partition: int


class Number(NamedTuple):
    """The place of an event in its stream; number 1 names the epoch before and its last number."""

    epoch: str
    sequence: int
    previous_epoch: str = ""
    previous_last: int = 0


@dataclass(frozen=True, slots=True)
class StreamState:
    """How far a receiver is: every number up to ``watermark`` of ``epoch`` is settled.

    ``past`` lists finished epochs with their last number, newest first.
    """

    epoch: str
    watermark: int
    past: tuple[tuple[str, int], ...] = ()


class Verdict(StrEnum):
    """What a number means to a receiver."""

    FIRST = "first"
    NEXT = "next"
    NEW_EPOCH = "new_epoch"
    DUPLICATE = "duplicate"
    GAP = "gap"
    FORGOTTEN = "forgotten"
    """The new epoch names fewer numbers of the old one than were received: a restored sender."""


APPLICABLE = frozenset({Verdict.FIRST, Verdict.NEXT, Verdict.NEW_EPOCH})


def classify(state: StreamState | None, number: Number) -> Verdict:
    """Say what ``number`` means to a receiver in ``state`` (``None``: never heard of the source)."""
    if state is None:
        begins = number.sequence == 1 and not number.previous_epoch
        return Verdict.FIRST if begins else Verdict.GAP
    if number.epoch == state.epoch and number.sequence > state.watermark:
        return Verdict.NEXT if number.sequence == state.watermark + 1 else Verdict.GAP
    if number.epoch == state.epoch or _is_past(state, number.epoch):
        return Verdict.DUPLICATE
    if number.sequence != 1 or number.previous_epoch != state.epoch:
        return Verdict.GAP
    if number.previous_last < state.watermark:
        return Verdict.FORGOTTEN
    return Verdict.NEW_EPOCH if number.previous_last == state.watermark else Verdict.GAP


def _is_past(state: StreamState, epoch: str) -> bool:
    if any(epoch == known for known, _ in state.past):
        return True
    # epochs of one source are UUIDv7 in rising order, so what lies before the memory is settled
    return len(state.past) >= PAST_EPOCHS and epoch < state.past[-1][0]


def advance(state: StreamState | None, number: Number) -> StreamState:
    """Return the state after ``number`` has been settled; the caller has classified it."""
    if state is None:
        return StreamState(number.epoch, number.sequence)
    if number.epoch == state.epoch:
        return StreamState(state.epoch, max(state.watermark, number.sequence), state.past)
    past = ((state.epoch, state.watermark), *state.past)[:PAST_EPOCHS]
    return StreamState(number.epoch, number.sequence, past)


def skip_to(state: StreamState | None, number: Number) -> StreamState:
    """Return the state in which ``number`` comes next: an operator gives up what lies before it."""
    if state is None:
        return StreamState(number.epoch, number.sequence - 1)
    if number.epoch == state.epoch:
        return StreamState(state.epoch, max(state.watermark, number.sequence - 1), state.past)
    past = ((state.epoch, state.watermark), *state.past)[:PAST_EPOCHS]
    return StreamState(number.epoch, number.sequence - 1, past)


class Missing(NamedTuple):
    """A range of numbers that a receiver asks for; ``epoch`` empty means "send your head"."""

    epoch: str
    first: int
    last: int


def missing_before(state: StreamState | None, number: Number) -> Missing:
    """Return what lies between ``state`` and ``number``, as far as the two tell."""
    if state is None:
        if number.sequence > 1:
            return Missing(number.epoch, 1, number.sequence - 1)
        return Missing(number.previous_epoch, 1, number.previous_last)
    if number.epoch == state.epoch:
        return Missing(state.epoch, state.watermark + 1, number.sequence - 1)
    if number.sequence > 1:
        return Missing(number.epoch, 1, number.sequence - 1)
    if number.previous_epoch == state.epoch:
        return Missing(state.epoch, state.watermark + 1, number.previous_last)
    return Missing(number.previous_epoch, 1, number.previous_last)
