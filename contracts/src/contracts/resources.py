"""Where the data files of the contracts are, in a wheel and in the source tree."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Return the directory or file ``name`` of the contracts' data (``"rules"``, ``"topics"`` …).

    Raises ``FileNotFoundError`` when neither the wheel nor the source tree has it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent.parent):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"the contracts hold no data named {name!r}")


def read_yaml(path: Path) -> Any:
    """Parse a YAML file of ours; the safe loader knows no objects."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open("rb") as stream:
        return yaml.load(stream, Loader=loader)  # noqa: S506 -- both loaders are safe loaders


@cache
def packaged_yaml(name: str) -> Any:
    """Parse a packaged YAML file once; callers must not change what they get."""
    return read_yaml(data_path(name))
