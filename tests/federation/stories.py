"""Told stories for the tests of this folder."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from federation.clocks import shift_to
from federation.plan import Plan
from federation.story import Facts, Line, tell_story
from federation.story.catalogs import Scale
from federation.story.stage import open_stage
from tests.support.federations import running_federation


@dataclass(frozen=True)
class Told:
    """A federation that still runs, what came out of its story, and its timeline."""

    plan: Plan
    facts: Facts
    lines: list[Line]


@contextmanager
def told(*, at: datetime | None = None, scale: Scale = Scale.SMALL, **options) -> Iterator[Told]:
    """Run a federation whose clocks begin at ``at``, tell the story, and keep it running."""
    shift = shift_to(at) if at else 0.0
    with running_federation(clock_shift=shift, **options) as plan:
        lines: list[Line] = []

        async def tell() -> Facts:
            async with open_stage(plan, tell=lines.append, patience=60) as stage:
                return await tell_story(stage, scale=scale)

        try:
            facts = asyncio.run(tell())
        except BaseException:
            print(*lines, sep="\n")
            raise
        yield Told(plan, facts, lines)
