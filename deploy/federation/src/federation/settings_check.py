"""Explains what is wrong with a node's settings before anything starts."""

import asyncio
from pathlib import Path

from pydantic import ValidationError

from federation.plan import SERVICES
from kernel.check import explain_invalid, findings
from kernel.settings import load_settings

UNREACHABLE = "the database cannot be reached"


def explain(settings_file: Path | None, *, database: bool = True) -> list[str]:
    """Return one sentence for everything that would keep the node from starting.

    Without a file the settings are those of the environment. Without ``database`` a database that does not answer is no finding: it is not running yet.
    """
    if settings_file is not None and not settings_file.exists():
        return [f"There is no settings file {settings_file}."]
    found: list[str] = []
    for service in SERVICES:
        try:
            settings = load_settings(service, env_file=settings_file)
        except ValidationError as error:
            found += explain_invalid(error, service)
            continue
        except OSError as error:
            found.append(f"{service}: {error.filename} cannot be read: {error.strerror}.")
            continue
        sentences = asyncio.run(findings(settings))
        kept = [each for each in sentences if database or not each.startswith(UNREACHABLE)]
        found += [f"{service}: {sentence}" for sentence in kept]
    return found
