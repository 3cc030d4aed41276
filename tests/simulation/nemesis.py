from dataclasses import dataclass, field
from typing import Any
@dataclass(frozen=True)
class Trouble:
    at: float
    kind: str
    args: tuple = ()
class Nemesis:
    def __init__(self, world): self.world=world
    def strike(self, t): pass
    def heal(self): pass
def draw_schedule(seed): return ()
