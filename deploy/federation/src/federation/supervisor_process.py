"""The supervisor of a run directory as a process."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from federation import state
from federation.errors import SetupError
from federation.plan import load_plan
from federation.supervisor import alone, supervise
from federation.units import build_units


def main(arguments: Sequence[str]) -> int:
    home = Path(arguments[0])
    # until the loop takes the signals over, they end preparations such as initdb in order
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with alone(home):
            state.write(home, state.State(supervisor=os.getpid()))
            asyncio.run(supervise(build_units(load_plan(home)), home=home))
    except SetupError as error:
        state.write(home, state.State(error=str(error)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
