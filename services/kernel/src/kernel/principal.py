"""Who acts: the verified caller of a request or the system itself."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller as its verified token tells: person or system, organisation, node and roles.

    ``roles`` are codes of the role table in ``contracts`` (``agency_clerk`` …).
    """

    subject: str
    name: str
    organisation: str
    node: str
    roles: frozenset[str] = field(default_factory=frozenset)
    kind: Literal["person", "system", "service"] = "person"
    token_id: str = ""
