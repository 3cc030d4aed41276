"""Who may do what: pure functions over principal, act and object; default deny."""

from kernel.principal import Principal


def authorise(
    principal: Principal,
    act: str,
    *,
    organisation: str | None = None,
    node: str | None = None,
    done_by: str | None = None,
) -> None:
    """Return when ``principal`` may do ``act`` (a dotted act of ``contracts.roles``), else raise.

    ``organisation`` is the one that owns the object, ``node`` the node that holds it, ``done_by``
    the subject who did the step that the act's separation of duties names (the submitter, for an
    approval). Roles that act for an organisation need the same organisation; authority roles act
    for every organisation of their own node. Raises ``NotPermitted``, ``OtherNode``,
    ``OtherOrganisation`` or ``SeparationOfDuties``.
    """
    raise NotImplementedError


def may(
    principal: Principal,
    act: str,
    *,
    organisation: str | None = None,
    node: str | None = None,
    done_by: str | None = None,
) -> bool:
    """Tell whether ``authorise`` would return."""
    raise NotImplementedError
