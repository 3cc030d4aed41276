"""Held keys: trying the first event again, and running what waits behind it in order."""

from datetime import datetime

from contracts.stream import StreamKey
from kernel.applying import (
    APPLIED,
    Observe,
    Outcome,
    apply_carefully,
    hold,
    known_before,
)
from kernel.authenticity import Authentic, Gate
from kernel.consuming import (
    CaseKey,
    ConsumerStore,
    ConsumerTransaction,
    HeldKey,
    Hold,
    Stored,
    Waiting,
)
from kernel.outbox import instant

_PAGE = 100


async def release(
    store: ConsumerStore,
    case: CaseKey,
    *,
    gate: Gate,
    observe: Observe,
    now: datetime,
    discard_first: bool = False,
    reason: str = "",
) -> int:
    """Run the events behind a key in order until one fails again; return how many were applied.

    ``discard_first`` drops the event that holds the key: an operator's decision. Each page of
    events is a transaction of its own, and the key stays held until none waits.
    """
    applied = 0
    more = True
    while more:
        held = await store.held(case)
        if held is None:
            break
        async with store.transaction() as tx:
            done, more = await _release_page(
                tx,
                held,
                gate=gate,
                observe=observe,
                now=now,
                discard=reason if discard_first else None,
            )
        applied += done
        discard_first = False
    return applied


async def _release_page(
    tx: ConsumerTransaction,
    found: HeldKey,
    *,
    gate: Gate,
    observe: Observe,
    now: datetime,
    discard: str | None,
) -> tuple[int, bool]:
    """Run one page; return how many were applied and whether to go on."""
    # the stream's lock comes first everywhere, so that a batch and a release never cross
    case = found.case
    await tx.lock_streams([StreamKey(case.source, case.topic, found.partition)])
    held = await tx.lock_held(case)
    if held is None:
        return 0, False
    page = list(await tx.parked_behind(case, _PAGE))
    more = len(page) == _PAGE
    done: list[Stored] = []
    if discard is not None and page:
        done.append(page.pop(0))
        await tx.close_dead_letter(done[0], "discarded", discard)
    applied = 0
    for stored in page:
        item = gate.recall(stored)
        outcome = await _try(tx, item, gate=gate, observe=observe)
        if not outcome.applied:
            await hold(tx, item, outcome, attempts=1 if done else held.attempts + 1, now=now)
            await tx.unpark(done, Waiting.KEY)
            return applied, False
        if not done:
            await tx.close_dead_letter(stored, "replayed")
        applied += 1
        done.append(stored)
    await tx.unpark(done, Waiting.KEY)
    await _go_on_or_release(tx, found, more=more, now=now)
    return applied, more


async def _go_on_or_release(
    tx: ConsumerTransaction, found: HeldKey, *, more: bool, now: datetime
) -> None:
    if more:
        # a crash before the next page must not leave the key with nobody to come back to it
        waits = HeldKey(case=found.case, partition=found.partition, hold=Hold.NOT_YET)
        await tx.hold_key(waits, reason="releasing", retry_at=instant(now))
    else:
        await tx.release_key(found.case)


async def _try(
    tx: ConsumerTransaction, item: Authentic, *, gate: Gate, observe: Observe
) -> Outcome:
    if not item.handled and item.spec is not None:
        return APPLIED
    organisations = await tx.organisations(list(item.organisations)) if item.organisations else {}
    outcome = known_before(item, organisations)
    if outcome is not None:
        return outcome
    return await apply_carefully(tx, item, handlers=gate.handlers, observe=observe)
