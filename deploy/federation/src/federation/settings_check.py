"""Explains what is wrong with a node's settings before anything starts."""

from pathlib import Path

from pydantic import ValidationError

from contracts.rules import load_rule_sets
from federation.plan import SERVICES
from kernel.registry import Registry, RegistryError
from kernel.settings import ServiceSettings, load_settings
from kernel.signing import NodeKey, SigningError


def explain(settings_file: Path) -> list[str]:
    """Return one sentence for everything that would keep the node from starting."""
    if not settings_file.exists():
        return [f"There is no settings file {settings_file}."]
    found: list[str] = []
    for service in SERVICES:
        try:
            settings = load_settings(service, env_file=settings_file)
        except ValidationError as error:
            found += [_sentence(service, detail) for detail in error.errors()]
            continue
        except OSError as error:
            found.append(f"{service}: {error.filename} cannot be read ({error.strerror}).")
            continue
        found += [f"{service}: {problem}" for problem in _check(settings)]
    return list(dict.fromkeys(found))


def _sentence(service: str, detail: object) -> str:
    field = ".".join(str(part) for part in detail["loc"])  # type: ignore[index]
    name = f"YIWANG_{service.upper()}_{field.upper()} or YIWANG_{field.upper()}"
    return f"{service}: {name}: {detail['msg']}."  # type: ignore[index]


def _check(settings: ServiceSettings) -> list[str]:
    found: list[str] = []
    try:
        registry = Registry.load(settings.registry_file)
        if settings.node not in registry:
            found.append(f"the registry does not know the node {settings.node}.")
    except RegistryError as error:
        found.append(f"{error}.")
    if settings.node_key_file is not None:
        try:
            NodeKey.load(settings.node_key_file)
        except SigningError as error:
            found.append(f"{error}.")
    try:
        load_rule_sets(settings.rules_files)
    except (OSError, ValueError) as error:
        found.append(f"the rule sets cannot be used: {error}.")
    if not settings.objects_dir.is_dir():
        found.append(f"the directory for objects does not exist: {settings.objects_dir}.")
    return found
