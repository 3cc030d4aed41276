"""Who may do what: pure functions over principal, act and object; default deny."""

from collections.abc import Iterable
from functools import lru_cache

from contracts.roles import Scope, allowed, scopes
from contracts.rules import RuleSet
from kernel.principal import Principal
from kernel.problems import (
    NotPermitted,
    OtherNode,
    OtherOrganisation,
    ProblemError,
    SeparationOfDuties,
)


def authorise(
    principal: Principal,
    act: str,
    *,
    organisation: str | None = None,
    node: str | None = None,
    done_by: str | Iterable[str] | None = None,
    owner: str | None = None,
    rules: RuleSet | None = None,
) -> None:
    """Return when ``principal`` may do ``act`` (a dotted act of ``contracts.roles``), else raise.

    ``organisation`` owns the object, ``node`` holds it, ``owner`` is the subject whom it belongs
    to, ``done_by`` are the subjects who did the steps that separation of duties names (the
    submitter, for an approval). A role of scope ``organisation`` needs the same organisation, one
    of scope ``node`` acts for every organisation of its own node, one of scope ``self`` only on
    its own. With ``rules`` an act of a switched-off guard is nobody's.

    Raises ``NotPermitted``, ``OtherNode``, ``OtherOrganisation`` or ``SeparationOfDuties``.
    """
    reach = _reach(principal.roles, act)
    if not reach or (rules is not None and not allowed(principal.roles, act, rules=rules)):
        raise NotPermitted(act=act)
    if node is not None and node != principal.node:
        raise OtherNode(act=act)
    if "node" not in reach:
        own = organisation is None or (principal.organisation == organisation != "")
        if "organisation" in reach and not own:
            raise OtherOrganisation(act=act)
        if "organisation" not in reach and owner is not None and owner != principal.subject:
            raise NotPermitted(act=act)
    if done_by is not None:
        earlier = (done_by,) if isinstance(done_by, str) else tuple(done_by)
        if principal.subject in earlier:
            raise SeparationOfDuties(act=act, kind="policy")


@lru_cache(maxsize=4096)
def _reach(roles: frozenset[str], act: str) -> frozenset[Scope]:
    return scopes(roles, act)


def may(
    principal: Principal,
    act: str,
    *,
    organisation: str | None = None,
    node: str | None = None,
    done_by: str | Iterable[str] | None = None,
    rules: RuleSet | None = None,
) -> bool:
    """Tell whether ``authorise`` would return."""
    try:
        authorise(
            principal, act, organisation=organisation, node=node, done_by=done_by, rules=rules
        )
    except ProblemError:
        return False
    return True


def sees_whole_node(principal: Principal, act: str) -> bool:
    """Tell whether a list for ``act`` shows every organisation of the caller's node."""
    return "node" in _reach(principal.roles, act)
