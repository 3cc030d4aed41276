"""Runs the benchmarks: ``python -m tests.bench [group…]``."""

import importlib
import sys
from pathlib import Path

from tests.bench.report import Figure, merge, show

NOT_GROUPS = {"report", "__init__", "__main__"}


def groups() -> list[str]:
    """Return the names of all groups: the modules that offer ``figures``."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [
        name
        for name in modules
        if name not in NOT_GROUPS
        and hasattr(importlib.import_module(f"tests.bench.{name}"), "figures")
    ]


def main(wanted: list[str]) -> int:
    measured: list[Figure] = []
    for name in wanted or groups():
        module = importlib.import_module(f"tests.bench.{name}")
        # a group whose name is a keyword of Python lives in a module of another name
        group = getattr(module, "GROUP", name)
        figures = module.figures()
        if stray := [figure.name for figure in figures if not figure.name.startswith(f"{group}.")]:
            raise SystemExit(f"figures of {name} do not start with {group}: {stray}")
        merge(figures)
        measured += figures
    show(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
