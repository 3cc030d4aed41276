"""The story of one data request that crosses two counties; told by ``yiwang demo``, walked by tests.

It only uses the services' own HTTP interfaces, as clerks, reviewers and systems would. It is patient:
a command that meets a node that is away is sent again with the same Idempotency-Key.
"""

from federation.story.stage import Line, Stage
from federation.story.tale import Facts, tell_story

__all__ = ["Facts", "Line", "Stage", "tell_story"]
