"""What runs in a run directory, written by the supervisor and read by every other command."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FILE = "state.json"


class UnitState(BaseModel):
    """One process: its id, how it is and how often it was started."""

    model_config = ConfigDict(frozen=True)

    pid: int
    status: str
    starts: int = 0


class State(BaseModel):
    """The supervisor and its units; ``error`` is why a start failed, in one sentence."""

    model_config = ConfigDict(frozen=True)

    supervisor: int = 0
    units: dict[str, UnitState] = Field(default_factory=dict)
    error: str = ""

    @property
    def ready(self) -> bool:
        return bool(self.units) and all(unit.status == "ready" for unit in self.units.values())


def write(home: Path, state: State) -> None:
    """Replace the state file as a whole, so that no reader sees half of it."""
    draft = home / f".{FILE}.{os.getpid()}"
    draft.write_text(state.model_dump_json(indent=1), encoding="utf-8")
    draft.replace(home / FILE)


def read(home: Path) -> State:
    """Return the last state written, or an empty one."""
    try:
        return State.model_validate_json((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State()
