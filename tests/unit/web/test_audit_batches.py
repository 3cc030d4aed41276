"""The chain of audit batches holds, and each way of breaking it is seen."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from kernel.audit_batches import GENESIS, RESTORED, BrokenLink, Head, broken, compose
from kernel.audit_rows import audit_row, leaf
from kernel.ports import AuditEntry
from kernel.principal import Principal

START = Head(node="441521", service="sharing", number=0, hash=GENESIS)
AT = datetime(2026, 1, 12, 1, 30, 0, 123456, tzinfo=UTC)
WHO = Principal(
    subject="p1", name="甲", organisation="org-1", node="441521", roles=frozenset({"b", "a"})
)


def row(number: int, **changed: Any) -> dict[str, Any]:
    entry = AuditEntry(
        act="request.submit",
        object_kind="request",
        object_id=f"r{number}",
        principal=WHO,
        article="第二十条",
        details={"b": 1, "a": [2]},
    )
    made = audit_row(
        entry,
        row_id=UUID(int=number),
        at=AT,
        node="441521",
        service="sharing",
        traceparent="00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    )
    return {**made, **changed}


def batch_of(rows: list[dict[str, Any]], last: Head = START, **more: Any) -> dict[str, Any]:
    return compose(rows, last=last, sealed_at=AT, key_id="441521-1", **more)


def head_of(batch: dict[str, Any]) -> Head:
    return Head(node="441521", service="sharing", number=batch["number"], hash=batch["hash"])


def test_the_leaf_of_a_row_never_changes() -> None:
    assert leaf(row(1)).hex() == LEAF


# computed once from the encoding that the docstring of ``leaf`` defines
LEAF = "c440286a967bd2f9ee2438edf78202e6d23e7f16fce360dcf5c081f544d77f55"


def test_an_untouched_chain_holds() -> None:
    first = batch_of([row(1), row(2)])
    second = batch_of([row(3)], head_of(first))
    assert broken(first, [row(2), row(1)], before=START) is None
    assert broken(second, [row(3)], before=head_of(first)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"act": "request.reply"},
        {"name": "乙"},
        {"details": "{}"},
        {"at": AT.replace(microsecond=123457)},
        {"outcome": "refused"},
        {"object_id": "r9"},
    ],
)
def test_a_changed_row_is_named(change: dict[str, Any]) -> None:
    batch = batch_of([row(1), row(2), row(3)])
    found = broken(batch, [row(1), row(2, **change), row(3)], before=START)
    assert found == BrokenLink(number=1, reason="row_changed", row=str(UUID(int=2)))


def test_moving_a_letter_from_one_field_to_the_next_changes_the_leaf() -> None:
    assert leaf(row(1, node="44152", service="1sharing")) != leaf(row(1))


def test_a_missing_row_is_named() -> None:
    batch = batch_of([row(1), row(2)])
    found = broken(batch, [row(1)], before=START)
    assert found == BrokenLink(number=1, reason="row_missing", row=str(UUID(int=2)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"previous": b"\x01" * 32}, "previous_hash_differs"),
        ({"sealed_at": AT.replace(year=2025)}, "batch_changed"),
        ({"root": b"\x01" * 32}, "batch_changed"),
        ({"ids": [UUID(int=1), UUID(int=9)]}, "batch_changed"),
        ({"key_id": "441581-1"}, "batch_changed"),
        ({"number": 2}, "batch_missing"),
        ({"leaves": b"\x01" * 64}, "leaves_changed"),
        ({"leaves": b"\x01" * 33}, "leaves_changed"),
        ({"kind": RESTORED}, "restored_batch_does_not_follow_its_head"),
    ],
)
def test_a_changed_batch_is_named(change: dict[str, Any], reason: str) -> None:
    batch = {**batch_of([row(1), row(2)]), **change}
    found = broken(batch, [row(1), row(2)], before=START)
    assert found is not None
    assert found.reason == reason


def test_a_batch_of_another_service_does_not_fit_into_the_chain() -> None:
    batch = batch_of([row(1)], Head(node="441521", service="notify", number=0, hash=GENESIS))
    found = broken(batch, [row(1)], before=START)
    assert found is not None
    assert found.reason == "batch_changed"


def test_a_restored_batch_continues_after_the_head_that_peers_returned() -> None:
    lost = Head(node="441521", service="sharing", number=7, hash=b"\x07" * 32)
    batch = batch_of([row(1)], lost, kind=RESTORED, restored_from=f"7:{lost.hash.hex()}")
    assert batch["number"] == 8
    assert broken(batch, [row(1)], before=START) is None
    assert broken(batch_of([row(2)], head_of(batch)), [row(2)], before=head_of(batch)) is None


def test_an_ordinary_batch_cannot_leave_numbers_out() -> None:
    lost = Head(node="441521", service="sharing", number=7, hash=b"\x07" * 32)
    found = broken(batch_of([row(1)], lost), [row(1)], before=START)
    assert found is not None
    assert found.reason == "batch_missing"
