"""The system as it is survives seeded worlds; with a bug planted, the same worlds find it."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, switched
from tests.simulation.shrinking import shrink
from tests.simulation.world import Outcome, run_world

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "30"))
MUTANT_SEEDS = 200


def told(outcome: Outcome) -> str:
    """Say what broke, and by which fewest troubles: ``python -m tests.simulation --seed N``."""
    schedule, small = shrink(outcome)
    rules = "\n".join(f"{v.rule}: {v.text}" for v in small.violations[:5])
    troubles = "\n".join(trouble.line() for trouble in schedule)
    return f"seed {outcome.seed}\n{rules}\nschedule:\n{troubles}"


@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_out_of_order_in_any_world() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(SEEDS):
        outcome = run_world(seed)
        assert not outcome.violations, told(outcome)
        kinds.update(moment.kind for moment in outcome.history.moments)
    # worlds in which nothing went wrong would prove nothing
    for kind in ("crash", "dead", "letter.replayed", "parked", "void", "page", "grant_ended"):
        assert kinds[kind] > 0, f"no world has seen {kind}"
    for kind in (
        "! crash_at",
        "! lost_records",
        "! half_open",
        "! slow_commits",
        "! carried_event",
    ):
        assert kinds[kind] > 0, f"no world has seen {kind}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_a_planted_bug_is_found(mutant: str) -> None:
    with switched(mutant):
        found = (seed for seed in range(MUTANT_SEEDS) if run_world(seed).violations)
        assert next(found, None) is not None


def test_a_switched_off_bug_leaves_no_trace() -> None:
    before = run_world(0)
    with switched("ack_before_commit"):
        assert run_world(0).violations
    assert run_world(0) == before or run_world(0).digest == before.digest


@pytest.mark.timeout(300)
def test_a_seed_replays_identically_in_any_process() -> None:
    program = (
        "from tests.simulation.world import run_world\n"
        "for seed in (3, 4): print(run_world(seed).digest)\n"
    )
    digests = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(run.stdout)
    digests.add("".join(f"{run_world(seed).digest}\n" for seed in (3, 4)))
    assert len(digests) == 1


def test_different_seeds_are_different_worlds() -> None:
    assert run_world(3).digest != run_world(4).digest


@pytest.mark.timeout(300)
def test_a_failing_schedule_is_shrunk_to_troubles_that_still_fail() -> None:
    with switched("audit_sealed_out_of_order"):
        failing = next(o for o in map(run_world, range(MUTANT_SEEDS)) if o.violations)
        schedule, smallest = shrink(failing)
        again = run_world(failing.seed, schedule)
    assert len(schedule) <= len(failing.schedule)
    assert again.digest == smallest.digest
    assert {v.rule for v in again.violations} & {v.rule for v in failing.violations}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_worlds_hold() -> None:
    for seed in range(SEEDS, 200):
        outcome = run_world(seed)
        assert not outcome.violations, told(outcome)
