"""The regulation as data: deadlines, filings, gates and policy parameters by version.

Code asks ``rules.deadline("share.reply")``; no number, addressee or level of the law stands in
code. Several versions load side by side and an open case keeps the version it started under.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from contracts.resources import data_path, read_yaml
from contracts.rule_items import (
    Cited,
    Deadline,
    FilingRule,
    Gate,
    Kind,
    Parameter,
    ReceiptEvent,
    ReceiverLevel,
    Record,
    RelationCode,
    RequestKind,
    StartBasis,
)

__all__ = [
    "Deadline",
    "FilingRule",
    "Gate",
    "Kind",
    "Parameter",
    "ReceiptEvent",
    "ReceiverLevel",
    "RelationCode",
    "RequestKind",
    "RuleBook",
    "RuleSet",
    "StartBasis",
    "UnknownRuleError",
    "load_rule_sets",
    "packaged_rules",
    "read_rule_set",
]


class UnknownRuleError(KeyError):
    """A deadline, filing, gate, parameter or version that the rules do not hold."""


class RuleSet(Record):
    """One version of the rules. Items are found by id (``D3``) or name (``share.reply``)."""

    version: str
    title: str
    title_en: str
    issuer: str
    region: str
    status: Literal["draft", "effective", "superseded"]
    basis_level: str
    effective_from: date | None = None
    valid_years: int | None = None
    supersedes: str | None = None
    deadlines: tuple[Deadline, ...]
    filings: tuple[FilingRule, ...]
    gates: tuple[Gate, ...]
    parameters: Mapping[str, Parameter]

    @model_validator(mode="before")
    @classmethod
    def _receipt_counts_by_parameter(cls, document: dict[str, Any]) -> dict[str, Any]:
        parameter = document.get("parameters", {}).get("receipt_event", {})
        instant = parameter.get("value")
        deadlines = [
            {**row, "receipt_event": instant} if row.get("starts_at_receipt") else row
            for row in document.get("deadlines", ())
        ]
        return {**document, "deadlines": deadlines}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for items in (self.deadlines, self.filings, self.gates):
            keys = [key for item in items for key in {item.id, item.name}]
            repeated = sorted({key for key in keys if keys.count(key) > 1})
            if repeated:
                raise ValueError(f"{self.version}: {', '.join(repeated)} occurs twice")
        for gate in self.gates:
            for other in (gate.warns_unless_gate, gate.filing, gate.flags_unless_filed):
                if other and other not in self._by_key:
                    raise ValueError(f"{gate.id} names {other}, which the rules do not hold")
        return self

    @cached_property
    def _by_key(self) -> dict[str, Cited]:
        items: tuple[Cited, ...] = (*self.deadlines, *self.filings, *self.gates)
        return {key: item for item in items for key in (item.id, item.name)}

    def _find(self, key: str) -> Cited:
        try:
            return self._by_key[key]
        except KeyError:
            raise UnknownRuleError(f"{self.version} holds no rule {key!r}") from None

    def deadline(self, key: str) -> Deadline:
        """Return the deadline ``D3`` or ``share.reply``; raises ``UnknownRuleError``."""
        found = self._find(key)
        if not isinstance(found, Deadline):
            raise UnknownRuleError(f"{key!r} of {self.version} is no deadline")
        return found

    def filing(self, key: str) -> FilingRule:
        """Return the filing rule ``F2b`` or ``request.upper_level``."""
        found = self._find(key)
        if not isinstance(found, FilingRule):
            raise UnknownRuleError(f"{key!r} of {self.version} is no filing")
        return found

    def gate(self, key: str) -> Gate:
        """Return the gate ``G7`` or ``refusal.basis``, or a switchable guard by its name."""
        found = self._find(key)
        if not isinstance(found, Gate):
            raise UnknownRuleError(f"{key!r} of {self.version} is no gate")
        return found

    def filings_of(self, trigger: str) -> tuple[FilingRule, ...]:
        """Return the enabled filings that an event triggers, in the order of the rules."""
        return tuple(rule for rule in self.filings if rule.trigger == trigger and rule.enabled)

    def parameter(self, name: str) -> Any:
        """Return a policy value; raises ``UnknownRuleError``."""
        try:
            return self.parameters[name].value
        except KeyError:
            raise UnknownRuleError(f"{self.version} holds no parameter {name!r}") from None

    def integer(self, name: str) -> int:
        """Return a policy value that is a whole number."""
        value = self.parameter(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"parameter {name} of {self.version} is no whole number")
        return value

    def text(self, name: str) -> str:
        """Return a policy value that is a string."""
        value = self.parameter(name)
        if not isinstance(value, str):
            raise TypeError(f"parameter {name} of {self.version} is no text")
        return value

    def flag(self, name: str) -> bool:
        """Return a policy value that is true or false."""
        value = self.parameter(name)
        if not isinstance(value, bool):
            raise TypeError(f"parameter {name} of {self.version} is neither true nor false")
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a policy value that is a list of whole numbers."""
        value = self.parameter(name)
        if not isinstance(value, tuple) or not all(isinstance(each, int) for each in value):
            raise TypeError(f"parameter {name} of {self.version} is no list of whole numbers")
        return value


class RuleBook(Record):
    """Several versions; ``current`` is what new cases start under."""

    versions: Mapping[str, RuleSet]
    current_version: str

    @property
    def current(self) -> RuleSet:
        return self.versions[self.current_version]

    def get(self, version: str) -> RuleSet:
        """Return the version that an open case keeps; raises ``UnknownRuleError``."""
        try:
            return self.versions[version]
        except KeyError:
            raise UnknownRuleError(f"rule set {version!r} is not loaded") from None


def read_rule_set(path: Path) -> RuleSet:
    """Read one rule set; raises pydantic's ``ValidationError`` naming what is wrong."""
    return RuleSet.model_validate(read_yaml(path))


def load_rule_sets(paths: Iterable[Path] = (), *, current: str | None = None) -> RuleBook:
    """Load rule sets beside each other; without paths, the packaged ones.

    ``current`` names the version for new cases; else it is the last one loaded.
    """
    files = tuple(paths) or tuple(sorted(data_path("rules").glob("*.yaml")))
    sets: dict[str, RuleSet] = {}
    for path in files:
        rules = read_rule_set(path)
        if rules.version in sets:
            raise ValueError(f"{path.name}: version {rules.version} is loaded twice")
        sets[rules.version] = rules
    chosen = current or next(reversed(sets))
    if chosen not in sets:
        raise UnknownRuleError(f"rule set {chosen!r} is not loaded")
    return RuleBook(versions=sets, current_version=chosen)


@cache
def packaged_rules() -> RuleBook:
    """Return the rule sets that this distribution carries."""
    return load_rule_sets()
