"""The OpenAPI documents of the services, made by FastAPI from their routes.

``python -m federation.openapi <directory>`` writes one file a service; a test keeps the committed ones
in step. ``delivery.yaml`` beside them is the sharing service's own contract between nodes.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from pydantic import SecretStr

from federation.plan import CITY, SERVICES
from kernel.app import create_app
from kernel.runtime import ServiceDefinition, open_runtime
from kernel.settings import ServiceSettings

_REGISTRY = {
    "city": CITY,
    "nodes": [{"node": CITY, "name": "city", "level": "city", "kind": "city", "regions": [CITY]}],
}


def document(service: str, directory: Path) -> dict[str, Any]:
    """Return the document of one service; ``directory`` takes the files that settings name."""
    registry = directory / "registry.json"
    registry.write_bytes(orjson.dumps(_REGISTRY))
    runtime = open_runtime(
        ServiceSettings(
            node=CITY,
            service=service,
            database_url=SecretStr("postgresql+asyncpg://localhost/none"),
            registry_file=registry,
            objects_dir=directory / "objects",
        )
    )
    definition: ServiceDefinition = importlib.import_module(f"{service}.bootstrap").define(runtime)
    return create_app(definition, runtime).openapi()


def documents() -> Iterator[tuple[str, bytes]]:
    """Yield file name and content of every service's document."""
    with TemporaryDirectory() as directory:
        for service in SERVICES:
            made = document(service, Path(directory))
            yield f"{service}.json", orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n"


def write(directory: Path) -> None:
    """Write the documents into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in documents():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
