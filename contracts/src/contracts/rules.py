"""The regulation as data: deadlines, filings, gates and policy parameters by version.

Code asks ``rules.deadline("share.reply")``; no number, addressee or level of the law stands in
code. Several versions load side by side and an open case keeps the version it started under.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.resources import data_path, read_yaml

Kind = Literal["law", "policy"]
StartBasis = Literal["text", "interpretation", "policy"]
ReceiptEvent = Literal["entered_platform", "stored_by_source", "receipt_back"]
ReceiverLevel = Literal["same", "upper", "city", "province"]
RequestKind = Literal["unconditional", "conditional", "verification", "need"]
RelationCode = Literal["same_region", "cross_region", "cross_level"]


class UnknownRuleError(KeyError):
    """A deadline, filing, gate, parameter or version that the rules do not hold."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Cited(_Record):
    """Something with a place in the text; ``article`` is empty for pure policy."""

    id: str
    name: str
    title_zh: str
    title_en: str
    article: str = ""
    paragraph: int | None = None
    kind: Kind
    enabled: bool = True

    @property
    def citation(self) -> str:
        """The place in the text, such as ``第十九条第三款``; empty for pure policy."""
        if self.paragraph is None:
            return self.article
        return f"{self.article}第{_CHINESE_DIGITS[self.paragraph]}款"

    @model_validator(mode="after")
    def _only_policy_is_switchable(self) -> Self:
        if self.kind == "law" and not (self.enabled and self.article):
            raise ValueError(f"{self.id}: the law cannot be switched off and names its article")
        return self


_CHINESE_DIGITS = "零一二三四五六七八九十"


class Deadline(_Cited):
    """A clock: how long, from what to what, who is bound, who hears when it is missed.

    ``start_basis`` tells whether the start stands in the text: only then may a screen cite the
    article for it. ``reopened_by`` names the event that makes an ended clock run on from its old
    start; ``also_ended_by`` events end it without fulfilling it. ``escalation`` lists parties of
    the authority matrix in order.
    """

    length: int = Field(gt=0)
    unit: Literal["working_day"] = "working_day"
    start_event: str
    start_basis: StartBasis
    start_note_zh: str = ""
    start_note_en: str = ""
    end_event: str
    also_ended_by: tuple[str, ...] = ()
    reopened_by: str | None = None
    bound_party: str
    escalation: tuple[str, ...] = Field(alias="escalate_to", min_length=1)
    receipt_event: ReceiptEvent = "stored_by_source"

    @property
    def escalate_to(self) -> str:
        """The first party that hears of an overdue case."""
        return self.escalation[0]

    def ends_with(self, event: str) -> bool:
        """Tell whether the event ends this clock, fulfilling it or not."""
        return event == self.end_event or event in self.also_ended_by


class FilingRule(_Cited):
    """A filing (备案、报备、汇集): who files what with whom, and when. It never blocks by itself.

    ``receiver_level`` is relative to the filer: ``same`` level, the ``upper`` level, the ``city``
    or the ``province``. ``relations`` and ``request_kinds`` narrow filings of share requests.
    """

    verb: str
    filer: str
    receiver: str
    receiver_level: ReceiverLevel
    subject_kind: str
    trigger: str
    relations: tuple[RelationCode, ...] = ()
    request_kinds: tuple[RequestKind, ...] = ()
    also_told: tuple[str, ...] = ()
    blocks: bool = False

    def applies_to(self, relation: str, request_kind: str) -> bool:
        """Tell whether a request of this relation and kind is filed under this rule."""
        return self.enabled and relation in self.relations and request_kind in self.request_kinds


class Gate(_Cited):
    """A gate or prohibition. ``basis_levels`` are the levels of a legal basis that pass it."""

    applies_to: tuple[str, ...]
    basis_levels: tuple[str, ...] = ()
    warns_unless_gate: str | None = None
    flags_unless_filed: str | None = None
    filing: str | None = None
    opens: str | None = None
    blocks: bool = True

    def accepts(self, level: str) -> bool:
        """Tell whether a basis of this level passes; a gate without levels asks for none."""
        return not self.basis_levels or level in self.basis_levels


class Parameter(_Record):
    """A policy value; ``article`` names the text that leaves the value open, if one does."""

    value: Any
    title_zh: str
    title_en: str
    article: str = ""
    choices: tuple[str, ...] = ()
    kind: Literal["policy"] = "policy"

    @field_validator("value")
    @classmethod
    def _freeze(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _value_is_a_choice(self) -> Self:
        if self.choices and self.value not in self.choices:
            raise ValueError(f"{self.value!r} is none of {', '.join(self.choices)}")
        return self


class RuleSet(_Record):
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
    def _by_key(self) -> dict[str, _Cited]:
        items: tuple[_Cited, ...] = (*self.deadlines, *self.filings, *self.gates)
        return {key: item for item in items for key in (item.id, item.name)}

    def _find(self, key: str) -> _Cited:
        try:
            return self._by_key[key]
        except KeyError:
            raise UnknownRuleError(f"{self.version} holds no rule {key!r}") from None

    def deadline(self, key: str) -> Deadline:
        """Return the deadline ``D3`` or ``share.reply``; raises ``UnknownRuleError``."""
        found = self._find(key)
        if not isinstance(found, Deadline):
            raise UnknownRuleError(f"{key!r} of {self.version} is no deadline")
        default = self.text("receipt_event")
        return found.model_copy(update={"receipt_event": default})

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


class RuleBook(_Record):
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
