"""``python -m <service> api|worker|run|migrate|check``: the same commands for every service."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kernel.calendars import CalendarMissing, CalendarRefused
from kernel.check import explain_invalid, findings
from kernel.listening import AddressTaken
from kernel.logs import capture_libraries
from kernel.migrate import upgrade
from kernel.registry import RegistryError
from kernel.runtime import ServiceDefinition, open_runtime
from kernel.serve import Define, node_app, run_worker, serve
from kernel.settings import ServiceSettings, load_settings
from kernel.signing import SigningError

COMMANDS = ("api", "worker", "run", "migrate", "check")
_REFUSED = (RegistryError, SigningError, CalendarRefused, CalendarMissing, AddressTaken)


def service_main(service: str, define: Define, arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code (2: the configuration is wrong, said in one sentence).

    ``api`` serves HTTP, ``worker`` the bus and the jobs, ``run`` both in one process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {service}")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--env-file", type=Path, default=None)
    asked = parser.parse_args(arguments)
    try:
        settings = load_settings(service, env_file=asked.env_file)
    except ValidationError as error:
        return _complain(explain_invalid(error, service))
    except OSError as error:
        return _complain([f"a settings file cannot be read: {error.strerror}"])
    if asked.command == "check":
        return _complain(asyncio.run(findings(settings)))
    try:
        return _run(asked.command, settings, define)
    except _REFUSED as error:
        return _complain([str(error)])


def _run(command: str, settings: ServiceSettings, define: Define) -> int:
    runners: dict[str, Callable[[ServiceDefinition], Coroutine[Any, Any, None]]] = {
        "api": lambda definition: _serve(definition, workers=False),
        "run": lambda definition: _serve(definition, workers=True),
        "worker": run_worker,
    }
    if command == "migrate":
        asyncio.run(upgrade(settings.database_url.get_secret_value(), settings.service))
        return 0
    runtime = open_runtime(settings)
    capture_libraries(runtime.logger)
    definition = define(runtime)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(runners[command](definition))
    return 0


async def _serve(definition: ServiceDefinition, *, workers: bool) -> None:
    settings = definition.runtime.settings
    await serve(node_app([definition], workers=workers), host=settings.host, port=settings.port)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop


def _complain(sentences: Sequence[str]) -> int:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    return 2 if sentences else 0
