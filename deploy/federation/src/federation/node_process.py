"""One node as a process: all of its services under one address."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from federation.clocks import clock_of
from federation.plan import SERVICES
from kernel.calendars import CalendarMissing, CalendarRefused
from kernel.clock import Clock
from kernel.listening import AddressTaken
from kernel.logs import capture_libraries
from kernel.registry import RegistryError
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.serve import run_node
from kernel.settings import ServiceSettings, load_settings
from kernel.signing import SigningError

Define = Callable[[Runtime], ServiceDefinition]
#: what a node refuses to start with; each says so in one sentence
REFUSED = (RegistryError, SigningError, CalendarRefused, CalendarMissing, AddressTaken)


def read_settings(settings_file: Path | None) -> list[ServiceSettings]:
    """Read the settings of a node's services; raises pydantic's ``ValidationError``."""
    return [load_settings(service, env_file=settings_file) for service in SERVICES]


def define(settings: ServiceSettings, *, clock: Clock | None = None) -> ServiceDefinition:
    """Wire one service as its own package says."""
    wiring: Define = importlib.import_module(f"{settings.service}.bootstrap").define
    runtime = open_runtime(settings, clock=clock)
    capture_libraries(runtime.logger)
    return wiring(runtime)


def serve(settings_file: Path | None, *, clock: Clock | None = None) -> None:
    """Serve a node until SIGTERM or SIGINT."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings_file, clock))


async def _serve(settings_file: Path | None, clock: Clock | None) -> None:
    settings = read_settings(settings_file)
    definitions = [define(each, clock=clock) for each in settings]
    await run_node(definitions, host=settings[0].host, port=settings[0].port)


def main(arguments: Sequence[str]) -> int:
    try:
        serve(Path(arguments[0]), clock=clock_of(float(arguments[1])))
    except REFUSED as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
