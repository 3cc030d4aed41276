"""Writes what is generated from the models: ``python -m contracts.generate``.

JSON Schemas are written anew. Golden examples are written where missing and kept where they are:
they show what was sent once; ``--rewrite`` makes them anew. ``--release`` copies the schemas to
``released/``, where the compatibility gate finds them. ``--check`` writes nothing and fails when a
committed file differs.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from contracts.golden.messages import all_samples, full_value, message, minimal_value
from contracts.resources import data_path
from contracts.topics import EventSpec, load_topics

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def to_json(document: object) -> bytes:
    """Return a document as our generated files are written."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def schema_of(spec: EventSpec) -> dict[str, Any]:
    """Return the JSON Schema of an event type's value, as receivers validate it."""
    schema = spec.model.model_json_schema(mode="validation")
    families = load_topics().families_of_type[spec.type]
    return {
        "$schema": DIALECT,
        "$id": spec.schema_url,
        **schema,
        "x-yiwang": {
            "title": {"zh": spec.title_zh, "en": spec.title_en},
            "topics": list(families),
            "article": spec.article,
            "sender": spec.sender,
            "receipt": spec.receipt,
        },
    }


def schemas() -> Iterator[tuple[str, bytes]]:
    """Yield file name and content of every event type's schema."""
    for event_type, spec in sorted(load_topics().types.items()):
        yield f"{event_type}.schema.json", to_json(schema_of(spec))


def examples() -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every example: all fields, and required fields only."""
    for sample in all_samples():
        full, minimal = full_value(sample), minimal_value(sample)
        yield f"{sample.type}/full.json", to_json(message(sample, "full", full))
        if minimal != full:
            yield f"{sample.type}/minimal.json", to_json(message(sample, "minimal", minimal))


def differing(directory: Path, files: Iterator[tuple[str, bytes]]) -> list[str]:
    """Return the names of files that are missing or differ from what would be generated."""
    return [
        name
        for name, content in files
        if not (directory / name).exists() or (directory / name).read_bytes() != content
    ]


def write(directory: Path, files: Iterator[tuple[str, bytes]], *, keep: bool = False) -> list[str]:
    """Write files; with ``keep``, only those that are missing. Return the names written."""
    written = []
    for name, content in files:
        path = directory / name
        if path.exists() and (keep or path.read_bytes() == content):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(name)
    return written


def remove_strangers(directory: Path, names: set[str]) -> list[str]:
    """Remove schemas of types that no longer exist; the gate still holds their released copy."""
    strangers = [path for path in directory.glob("*.schema.json") if path.name not in names]
    for path in strangers:
        path.unlink()
    return [path.name for path in strangers]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on differences")
    parser.add_argument("--rewrite", action="store_true", help="make existing examples anew")
    parser.add_argument("--release", action="store_true", help="copy the schemas to released/")
    options = parser.parse_args(arguments)
    if options.check:
        changed = differing(data_path("schemas"), schemas())
        sys.stdout.writelines(f"differs: {name}\n" for name in changed)
        return 1 if changed else 0
    written = write(data_path("schemas"), schemas())
    written += remove_strangers(data_path("schemas"), {name for name, _ in schemas()})
    written += write(data_path("examples"), examples(), keep=not options.rewrite)
    if options.release:
        written += write(data_path("released"), schemas())
    sys.stdout.writelines(f"{name}\n" for name in written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
