"""Finds the fewest troubles that still make a world fail in the same way."""

from tests.simulation.nemesis import Trouble
from tests.simulation.world import Outcome, run_world


def shrink(outcome: Outcome) -> tuple[tuple[Trouble, ...], Outcome]:
    """Drop troubles one by one while a rule that was broken stays broken."""
    rules = {violation.rule for violation in outcome.violations}
    schedule, smallest = list(outcome.schedule), outcome
    for trouble in outcome.schedule:
        without = [each for each in schedule if each is not trouble]
        tried = run_world(outcome.seed, without)
        if rules & {violation.rule for violation in tried.violations}:
            schedule, smallest = without, tried
    return tuple(schedule), smallest
