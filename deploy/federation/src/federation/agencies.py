"""The demonstration's agencies, written for this project; see ``data/README.md``."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

AUTHORITY = "data_authority"


class Agency(BaseModel):
    """An agency as it is announced to its node's catalog."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    org_id: str
    node: str
    region_code: str
    name: str
    short_name: str
    uscc: str
    kind: str
    level: str
    participation_basis: str = "mandatory"


def data_file(name: str) -> Path:
    """Return the path of a packaged data file."""
    return Path(str(files("federation"))) / "data" / name


@cache
def sample_agencies() -> tuple[Agency, ...]:
    """Return all agencies of the three nodes."""
    document = json.loads(data_file("agencies.json").read_text(encoding="utf-8"))
    return tuple(TypeAdapter(list[Agency]).validate_python(document))


def authority_of(node: str) -> Agency:
    """Return the node's data authority (公共数据主管部门)."""
    return next(
        agency for agency in sample_agencies() if agency.node == node and agency.kind == AUTHORITY
    )
