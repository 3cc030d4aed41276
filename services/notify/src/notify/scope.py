"""Whose objects a caller may list: every organisation's of this node, or its own organisation's."""

from kernel.policies import sees_whole_node
from kernel.principal import Principal


def organisation_scope(principal: Principal, act: str) -> str | None:
    """Return the only organisation whose objects the caller may see, or None for the whole node.

    The caller has been allowed the act already; this narrows the query.
    """
    return None if sees_whole_node(principal, act) else principal.organisation
