"""Roles and acts: who may do what, with separation of duties, as one table.

Default deny: an act that the table does not list is nobody's. The table says what a role may do;
on whose objects (own organisation, own node, own person) is the role's ``scope``.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.resources import packaged_yaml
from contracts.rules import RuleSet

Scope = Literal["organisation", "node", "self"]


class UnknownActError(KeyError):
    """An act that the table does not list: a programming error, never a refusal."""


class Role(BaseModel):
    """A role; ``scope`` tells on whose objects it acts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Scope
    zh: str
    en: str


class Act(BaseModel):
    """An act and who may do it.

    ``not_done_by`` names earlier acts on the same object that the same person may not have done.
    ``policy`` names the guard of the rule set without which nobody may do the act.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: frozenset[str] = Field(min_length=1)
    not_done_by: tuple[str, ...] = ()
    policy: str | None = None


class RoleTable(BaseModel):
    """The whole table, checked for names that do not exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    roles: Mapping[str, Role]
    acts: Mapping[str, Act]

    def model_post_init(self, _context: object, /) -> None:
        for name, act in self.acts.items():
            if unknown := act.roles - self.roles.keys():
                raise ValueError(f"{name} names roles that do not exist: {sorted(unknown)}")
            if missing := set(act.not_done_by) - self.acts.keys():
                raise ValueError(f"{name} is separated from acts that do not exist: {missing}")

    def act(self, name: str) -> Act:
        """Return the act; raises ``UnknownActError``."""
        try:
            return self.acts[name]
        except KeyError:
            raise UnknownActError(name) from None


@cache
def load_roles() -> RoleTable:
    """Return the packaged table."""
    return RoleTable.model_validate(packaged_yaml("authority/roles.yaml"))


def allowed(roles: Iterable[str], act: str, *, rules: RuleSet | None = None) -> bool:
    """Tell whether any of the roles may do the act; raises ``UnknownActError``.

    With ``rules``, an act of a switched-off guard is nobody's.
    """
    found = load_roles().act(act)
    if found.policy and rules is not None and not rules.gate(found.policy).enabled:
        return False
    return not found.roles.isdisjoint(roles)


def granting(roles: Iterable[str], act: str) -> frozenset[str]:
    """Return those of the roles that allow the act, so that their scope can be asked."""
    return load_roles().act(act).roles & frozenset(roles)


def scopes(roles: Iterable[str], act: str) -> frozenset[Scope]:
    """Return on whose objects these roles may do the act; empty when they may not do it."""
    table = load_roles()
    return frozenset(table.roles[role].scope for role in granting(roles, act))


def separated(act: str) -> tuple[str, ...]:
    """Return the acts on the same object that the same person may not have done before."""
    return load_roles().act(act).not_done_by


def acts_of(role: str) -> frozenset[str]:
    """Return everything that a role may do."""
    return frozenset(name for name, act in load_roles().acts.items() if role in act.roles)
