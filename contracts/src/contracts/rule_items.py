"""The single rules of a rule set: deadlines, filings, gates and policy parameters."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["law", "policy"]
StartBasis = Literal["text", "interpretation", "policy"]
ReceiptEvent = Literal["entered_platform", "stored_by_source", "receipt_back"]
ReceiverLevel = Literal["same", "upper", "city", "province"]
RequestKind = Literal["unconditional", "conditional", "verification", "need"]
RelationCode = Literal["same_region", "cross_region", "cross_level"]
_CHINESE_DIGITS = "零一二三四五六七八九十"


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cited(Record):
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


class Deadline(Cited):
    """A clock: how long, from what to what, who is bound, who hears when it is missed.

    ``start_basis`` tells whether the start stands in the text: only then may a screen cite the
    article for it. ``reopened_by`` names the event that makes an ended clock run on from its old
    start; ``also_ended_by`` events end it without fulfilling it. ``escalation`` lists parties of
    the authority matrix in order. ``receipt_event`` tells, for a clock that starts when something
    was received, which of the three instants of receipt counts; it is ``None`` for all others.
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
    starts_at_receipt: bool = False
    receipt_event: ReceiptEvent | None = None

    @property
    def escalate_to(self) -> str:
        """The first party that hears of an overdue case."""
        return self.escalation[0]

    def ends_with(self, event: str) -> bool:
        """Tell whether the event ends this clock, fulfilling it or not."""
        return event == self.end_event or event in self.also_ended_by


class FilingRule(Cited):
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


class Gate(Cited):
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


class Parameter(Record):
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
