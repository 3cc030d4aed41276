"""Whose rows a caller sees: those of his organisation, or of every organisation of his node."""

from dataclasses import dataclass

from kernel.policies import sees_whole_node
from kernel.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """``organisation`` is ``None`` for roles that see their whole node."""

    node: str
    organisation: str | None


def scope_of(principal: Principal, act: str) -> Scope:
    """Return what ``principal`` sees in lists and reads for ``act``."""
    whole = sees_whole_node(principal, act)
    return Scope(node=principal.node, organisation=None if whole else principal.organisation)
