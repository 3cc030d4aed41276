"""Levels of a legal basis (依据) and what each can carry.

Three standards occur: Article 14 ¶1 any basis, Article 14 ¶2 laws, regulations or national
provisions, Article 19 ¶3 laws, regulations or rules. Internal documents, and these rules
themselves, are ``normative`` and carry neither of the latter two.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.events.base import Basis
from contracts.resources import packaged_yaml
from contracts.rules import Gate, RuleSet

LEVELS = (
    "law",
    "administrative_regulation",
    "local_regulation",
    "departmental_rule",
    "government_rule",
    "national_provision",
    "normative",
)
Shortcoming = Literal[
    "unknown_level",
    "level_too_low",
    "level_differs",
    "title_missing",
    "not_in_force",
]
_QUOTES = re.compile(r"[《》〈〉\s]")


class LegalBasis(BaseModel):
    """An entry of the register of legal bases (Article 1)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    number: str
    issuer: str
    level: str
    valid_from: date | None = Field(default=None, alias="from")
    valid_until: date | None = Field(default=None, alias="until")

    def in_force(self, on: date) -> bool:
        """Tell whether the basis is in force on a day; a draft without date never is."""
        started = self.valid_from is not None and self.valid_from <= on
        return started and (self.valid_until is None or on <= self.valid_until)


class Register(BaseModel):
    """All registered bases, found by title, alias or number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    bases: tuple[LegalBasis, ...]

    def find(self, basis: Basis) -> LegalBasis | None:
        """Return the registered basis that a citation names, ``None`` when it is not registered."""
        title = plain_title(basis.title)
        for each in self.bases:
            if title in {plain_title(name) for name in (each.title, *each.aliases)}:
                return each
            if basis.number and each.number == basis.number.strip():
                return each
        return None


class Verdict(BaseModel):
    """What a citation is worth at a gate: its true level and why it fails, if it does."""

    model_config = ConfigDict(frozen=True)

    level: str
    registered: str | None = None
    shortcomings: tuple[Shortcoming, ...] = ()

    @property
    def carries(self) -> bool:
        return not self.shortcomings


def plain_title(title: str) -> str:
    """Return a title without book-title marks and spaces."""
    return _QUOTES.sub("", title)


@cache
def load_register() -> Register:
    """Return the packaged register."""
    return Register.model_validate(packaged_yaml("legal/bases.yaml"))


def carries(level: str, gate: Gate) -> bool:
    """Tell whether a basis of this level passes the gate."""
    return level in LEVELS and gate.accepts(level)


def judge(basis: Basis, gate: Gate, *, on: date, register: Register | None = None) -> Verdict:
    """Judge one citation at a gate on a day.

    A registered basis counts at its registered level: calling these rules a law does not help.
    """
    known = (register or load_register()).find(basis)
    level = known.level if known else basis.level
    found: list[Shortcoming] = []
    if basis.level not in LEVELS:
        found.append("unknown_level")
    elif known and known.level != basis.level:
        found.append("level_differs")
    if not plain_title(basis.title):
        found.append("title_missing")
    if gate.basis_levels and not carries(level, gate):
        found.append("level_too_low")
    if known and level != "normative" and not known.in_force(on):
        found.append("not_in_force")
    return Verdict(level=level, registered=known.id if known else None, shortcomings=tuple(found))


def any_carries(
    bases: Iterable[Basis], gate: Gate, *, on: date, register: Register | None = None
) -> bool:
    """Tell whether at least one of the citations passes the gate."""
    return any(judge(basis, gate, on=on, register=register).carries for basis in bases)


def could_carry_refusal(bases: Iterable[Basis], rules: RuleSet, *, on: date) -> bool:
    """Tell whether a condition's bases could later carry a refusal; cataloguing warns if not."""
    return any_carries(bases, rules.gate("G7"), on=on)
