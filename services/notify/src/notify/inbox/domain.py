"""Messages and whom they are for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Whom a message is for; at least one of the three is set.

    Without ``org_id`` it is for whoever holds ``role`` at this node: the desk of the authority,
    or the operators.
    """

    org_id: str = ""
    role: str | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        if not (self.org_id or self.role or self.subject):
            raise ValueError("an inbox address names an organisation, a role or a person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said: a title in both languages, the case that it is about, where to look.

    ``item_id`` is stable per occasion, so that saying it twice says it once.
    """

    item_id: str
    address: Address
    kind: str
    title_zh: str
    title_en: str
    case_kind: str
    case_id: str
    case_no: str = ""
    link: str = ""


def authority_clerks() -> Address:
    """Whoever reviews at this node's authority."""
    return Address(role="authority_reviewer")


def authority_supervisors() -> Address:
    """Whoever supervises at this node's authority."""
    return Address(role="authority_supervisor")


def node_operators() -> Address:
    """Whoever operates this node."""
    return Address(role="node_operator")
