"""Run seeded worlds: ``python -m tests.simulation --seeds 200 [--mutant NAME] [--seed N]``.

Without ``--mutant`` the system as it is must survive every seed, and then each mutant must be
found within 200 of them. A failing world is printed with its seed and a shrunk schedule.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from functools import partial

from tests.simulation.mutants import MUTANTS, switched
from tests.simulation.nemesis import Trouble
from tests.simulation.shrinking import shrink
from tests.simulation.world import Outcome, run_world

MUTANT_SEEDS = 200
SHOWN = 6


def brief(seed: int, mutant: str | None) -> tuple[int, tuple[str, ...]]:
    """Run one world; return its seed and the broken rules."""
    with switched(mutant):
        outcome = run_world(seed)
    return seed, tuple(violation.rule for violation in outcome.violations)


def failing(seeds: range, mutant: str | None, jobs: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the seeds whose worlds fail, in order, as they are known."""
    if jobs == 1:
        results: Iterator[tuple[int, tuple[str, ...]]] = (brief(seed, mutant) for seed in seeds)
        yield from (result for result in results if result[1])
        return
    with multiprocessing.Pool(jobs) as pool:
        for result in pool.imap(partial(brief, mutant=mutant), seeds, chunksize=2):
            if result[1]:
                yield result


def explain(seed: int, mutant: str | None, *, history: bool) -> None:
    """Print a failing world: its broken rules and the fewest troubles that still break them."""
    with switched(mutant):
        outcome = run_world(seed)
        fewest, small = shrink(outcome)
    print(f"\nseed {seed}" + (f" with mutant {mutant}" if mutant else ""))
    _print_violations(small)
    print(f"  schedule, {len(outcome.schedule)} troubles shrunk to {len(fewest)}:")
    _print_schedule(fewest)
    if history:
        for moment in small.history.moments:
            print("   ", moment.line())
    again = f"python -m tests.simulation --seed {seed}"
    print(f"  again: {again}" + (f" --mutant {mutant}" if mutant else "") + " --history")


def _print_violations(outcome: Outcome) -> None:
    for violation in outcome.violations[:SHOWN]:
        print(f"  {violation.rule}: {violation.text}")
    more = len(outcome.violations) - SHOWN
    if more > 0:
        print(f"  … and {more} more")


def _print_schedule(schedule: tuple[Trouble, ...]) -> None:
    for trouble in schedule:
        print(f"    {trouble.line()}")


def survive(seeds: range, jobs: int) -> bool:
    """The system as it is; true when every world holds."""
    started = time.monotonic()
    found = []
    for seed, rules in failing(seeds, None, jobs):
        found.append((seed, rules))
        print(f"  seed {seed} fails: {', '.join(sorted(set(rules)))}", flush=True)
    took = time.monotonic() - started
    rate = len(seeds) / took
    print(f"{len(seeds)} worlds, {len(found)} failing, {took:.1f} s, {rate:.1f} worlds/s")
    for seed, _ in found[:3]:
        explain(seed, None, history=False)
    if len(found) > 3:
        print("failing seeds:", " ".join(str(seed) for seed, _ in found))
    return not found


def find(mutant: str, seeds: range, jobs: int, *, shown: bool) -> bool:
    """One planted bug; true when some world finds it."""
    started = time.monotonic()
    first = next(failing(seeds, mutant, jobs), None)
    took = time.monotonic() - started
    if first is None:
        print(f"  {mutant:<36} NOT FOUND in {len(seeds)} seeds, {took:.1f} s")
        return False
    seed, rules = first
    print(f"  {mutant:<36} seed {seed:>3}  {took:5.1f} s  {', '.join(sorted(set(rules)))}")
    if shown:
        explain(seed, mutant, history=False)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one world, shrunk and explained")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="plant this bug")
    parser.add_argument("--history", action="store_true", help="with --seed: print the history")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    if given.seed is not None:
        if not brief(given.seed, given.mutant)[1]:
            print(f"seed {given.seed}: the world holds")
            return 0
        explain(given.seed, given.mutant, history=given.history)
        return 1
    seeds = range(given.first, given.first + given.seeds)
    if given.mutant:
        return 0 if find(given.mutant, seeds, given.jobs, shown=True) else 1
    held = survive(seeds, given.jobs)
    print(f"planted bugs, each to be found within {MUTANT_SEEDS} seeds:")
    found = [find(name, range(MUTANT_SEEDS), given.jobs, shown=False) for name in MUTANTS]
    return 0 if held and all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
