"""Ten planted bugs, each a switch that replaces one behaviour for as long as it is on.

Production code knows nothing of them. A suite of worlds that cannot find one of them within 200
seeds proves nothing about the system without them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.simulation.mutants import receiving, sending, sharing

Switch = Callable[[], AbstractContextManager[None]]

MUTANTS: dict[str, Switch] = {
    "no_inbox": receiving.no_inbox,
    "numbering_after_publishing": sending.numbering_after_publishing,
    "commit_before_inbox": receiving.commit_before_inbox,
    "id_before_row_lock": sending.id_before_row_lock,
    "ack_before_commit": receiving.ack_before_commit,
    "skipped_gap": receiving.skipped_gap,
    "dead_letter_does_not_hold_its_key": receiving.dead_letter_does_not_hold_its_key,
    "receipt_before_store": receiving.receipt_before_store,
    "revocation_ignored": sharing.revocation_ignored,
    "audit_sealed_out_of_order": sharing.audit_sealed_out_of_order,
}


@contextmanager
def switched(name: str | None) -> Iterator[None]:
    """Run with a mutant on; ``None`` is the system as it is."""
    if name is None:
        yield
        return
    with MUTANTS[name]():
        yield
