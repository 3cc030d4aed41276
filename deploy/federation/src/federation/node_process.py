"""One node as a process: all of its services under one address."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from federation.plan import SERVICES
from kernel.runtime import Runtime, ServiceDefinition, open_runtime
from kernel.serve import run_node
from kernel.settings import ServiceSettings, load_settings

Define = Callable[[Runtime], ServiceDefinition]


def read_settings(settings_file: Path) -> list[ServiceSettings]:
    """Read the settings of a node's services; raises pydantic's ``ValidationError``."""
    return [load_settings(service, env_file=settings_file) for service in SERVICES]


def define(settings: ServiceSettings) -> ServiceDefinition:
    """Wire one service as its own package says."""
    wiring: Define = importlib.import_module(f"{settings.service}.bootstrap").define
    return wiring(open_runtime(settings))


async def serve(settings_file: Path) -> None:
    """Serve a node until SIGTERM or SIGINT."""
    settings = read_settings(settings_file)
    await run_node(
        [define(each) for each in settings], host=settings[0].host, port=settings[0].port
    )


def main(arguments: Sequence[str]) -> None:
    asyncio.run(serve(Path(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
