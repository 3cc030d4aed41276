"""What stands against submitting an entry, field by field, each with its article.

Pure rules over the content, the rule set and the organisations and regions that this node knows.
Gates: G1 no secrets, G3 exactly one share type, G4 a condition with its basis, G5 a basis of the
right level for not sharing. G6 is about claims and never blocks (``entries.claims``).
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.entries.content import BasisText, EntryContent, ItemContent
from catalog.entries.fields import CODED, ITEM_SPECS, MANDATORY, SPECS
from contracts.legal import LEVELS, Verdict, judge
from contracts.regions import RegionTable, UnknownRegionError
from contracts.rules import Gate, RuleSet
from contracts.vocabulary import is_code

SHARE_ORDER = ("unconditional", "conditional", "none")
OPEN_ORDER = ("open", "conditional", "none")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SIZED_TYPES = frozenset({"C", "N"})
_TABULAR_FORMS = frozenset({"table"})
_HIGHEST_GENERAL_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason against submission; ``code`` names the sentence, ``field`` the place."""

    code: str
    field: str
    article: str = ""
    values: tuple[tuple[str, Any], ...] = ()
    kind: str = "law"


@dataclass(slots=True, kw_only=True)
class CheckContext:
    """What contents are judged by; made once for a command or a whole batch.

    ``organisations`` are the ids that this node knows as agencies of the federation, ``own`` those
    of this node that are active.
    """

    rules: RuleSet
    regions: RegionTable
    organisations: Collection[str]
    own: Collection[str]
    node: str
    today: date
    _verdicts: dict[tuple[BasisText, str], Verdict] = field(default_factory=dict)

    def verdict(self, basis: BasisText, gate: Gate) -> Verdict:
        """Judge a citation at a gate; equal citations of a batch are judged once."""
        key = (basis, gate.id)
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = judge(basis.to_event(), gate, on=self.today)
        return found


def violations(content: EntryContent, context: CheckContext) -> tuple[Violation, ...]:
    """Return everything that stands against submitting the entry."""
    return tuple(
        found
        for check in (
            _missing,
            _wanting,
            _codes,
            _places,
            _secrets,
            _sharing,
            _opening,
            _grade,
            _items,
        )
        for found in check(content, context)
    )


def warnings(content: EntryContent, context: CheckContext) -> tuple[Violation, ...]:
    """Return what is worth a second look and blocks nothing."""
    found = []
    if content.share_type == "conditional" and content.share_basis:
        refusal = context.rules.gate("G7")
        if not any(context.verdict(basis, refusal).carries for basis in content.share_basis):
            found.append(Violation("basis_cannot_refuse", "share_basis", refusal.citation))
    if content.open_attr in ("conditional", "none") and not content.open_basis:
        found.append(Violation("open_basis_missing", "open_basis", "第二十一条"))
    if len(content.title) > 50:  # noqa: PLR2004 -- the guide advises at most 50 characters
        found.append(Violation("title_long", "title"))
    return tuple(found)


def _stated(value: Any) -> bool:
    return value not in ("", (), None)


def _missing(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    for name in MANDATORY:
        if name == "pi_declared":
            if not (content.pi_declared or content.pi_flags):
                yield Violation("missing", "pi_flags", SPECS[name].article)
        elif name == "share_type":
            if not content.share_type:
                yield Violation("share_type_missing", name, context.rules.gate("G3").citation)
        elif not _stated(getattr(content, name)):
            yield Violation("missing", name, SPECS[name].article)


def _wanting(content: EntryContent, _: CheckContext) -> Iterator[Violation]:
    """Return what other fields make mandatory."""
    if content.update_frequency == "other" and not content.update_frequency_text:
        yield Violation("missing", "update_frequency_text", SPECS["update_frequency"].article)
    if content.share_scope == "named_agencies" and not content.share_scope_orgs:
        yield Violation("missing", "share_scope_orgs", SPECS["share_scope"].article)
    if content.returnable and not (content.region_column or content.department_column):
        yield Violation("return_column_missing", "region_column", "第二十条第一款")
    if content.data_form in _TABULAR_FORMS and not content.items:
        yield Violation("missing", "items", SPECS["items"].article)


def _codes(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    for name, codes in CODED:
        value = getattr(content, name)
        for code in (value,) if isinstance(value, str) else value:
            if code and not is_code(codes, code):
                of_gate = name == "share_type"
                article = context.rules.gate("G3").article if of_gate else SPECS[name].article
                yield Violation("unknown_code", name, article, (("list", codes),))


def _places(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    for name in ("collecting_org", "verifying_org"):
        value = getattr(content, name)
        if value and value not in context.organisations:
            yield Violation("unknown_organisation", name, SPECS[name].article)
    if content.providing_org and content.providing_org not in context.own:
        yield Violation("foreign_provider", "providing_org", SPECS["providing_org"].article)
    for code in content.share_scope_orgs:
        if code not in context.organisations:
            yield Violation(
                "unknown_organisation", "share_scope_orgs", SPECS["share_scope"].article
            )
    if content.region_code and not _is_served(content.region_code, context):
        yield Violation("unknown_region", "region_code", SPECS["region_code"].article)


def _is_served(code: str, context: CheckContext) -> bool:
    """Tell whether a region is in force and somebody's: a statistical heading is nobody's."""
    try:
        return context.regions.get(code, on=context.today).kind != "heading"
    except UnknownRegionError:
        return False


def _secrets(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    gate = context.rules.gate("G1")
    if content.contains_secret:
        yield Violation("secret", "contains_secret", gate.citation)
    for number, item in enumerate(content.items):
        if item.secret:
            yield Violation("secret", f"items[{number}].secret", gate.citation)
    if not content.is_public_service_data:
        yield Violation("out_of_scope", "is_public_service_data", "第二条第二款")


def _sharing(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    gate = context.rules.gate("G3")
    scope = content.share_scope
    if content.share_type == "unconditional" and scope not in ("", "all_agencies"):
        yield Violation("scope_contradicts", "share_scope", gate.article + "第三款")
    if content.share_type == "none" and scope not in ("", "nobody"):
        yield Violation("scope_contradicts", "share_scope", gate.article + "第五款")
    if content.share_type == "conditional" and scope == "nobody":
        yield Violation("scope_contradicts", "share_scope", gate.article + "第四款")
    if content.share_type == "conditional":
        conditional = context.rules.gate("G4")
        if not content.share_condition:
            yield Violation("condition_missing", "share_condition", conditional.citation)
        yield from _basis(content.share_basis, conditional, context)
    if not_shared_parts(content):
        yield from _basis(content.share_basis, context.rules.gate("G5"), context)


def _basis(
    bases: tuple[BasisText, ...], gate: Gate, context: CheckContext, name: str = "share_basis"
) -> Iterator[Violation]:
    """One citation that passes the gate is enough; otherwise each says why it does not."""
    about: tuple[tuple[str, Any], ...] = (
        ("gate_zh", gate.title_zh),
        ("gate_en", gate.title_en),
        ("levels", gate.basis_levels),
    )
    if not bases:
        yield Violation("basis_missing", name, gate.citation, about)
        return
    verdicts = [context.verdict(basis, gate) for basis in bases]
    if any(verdict.carries for verdict in verdicts):
        return
    for number, (basis, verdict) in enumerate(zip(bases, verdicts, strict=True)):
        for shortcoming in verdict.shortcomings:
            values = (("level", verdict.level or basis.level), *about)
            yield Violation(f"basis_{shortcoming}", f"{name}[{number}]", gate.citation, values)


def _opening(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    if content.open_attr == "conditional" and not content.open_condition:
        yield Violation("condition_missing", "open_condition", "第二十一条")
    for number, basis in enumerate(content.open_basis):
        if basis.level not in LEVELS:
            yield Violation(
                "basis_unknown_level", f"open_basis[{number}]", context.rules.gate("G2").citation
            )


def _grade(content: EntryContent, _: CheckContext) -> Iterator[Violation]:
    article = SPECS["data_grade"].article
    level = content.security_level
    if content.data_grade == "core":
        yield Violation("core_refused", "data_grade", article)
    if content.data_grade == "important" and level not in (None, _HIGHEST_GENERAL_LEVEL + 1):
        yield Violation("level_contradicts", "security_level", article)
    if content.data_grade == "general" and level is not None and level > _HIGHEST_GENERAL_LEVEL:
        yield Violation("level_contradicts", "security_level", article)


def _items(content: EntryContent, context: CheckContext) -> Iterator[Violation]:
    limit = context.rules.integer("entry.max_items")
    if len(content.items) > limit:
        yield Violation("too_many_items", "items", "", (("limit", limit),), "policy")
    seen: dict[str, int] = {}
    for number, item in enumerate(content.items):
        place = f"items[{number}]"
        if item.name_cn and seen.setdefault(item.name_cn, number) != number:
            yield Violation("item_repeated", f"{place}.name_cn", SPECS["items"].article)
        yield from _item(item, place, content)


def _item(item: ItemContent, place: str, content: EntryContent) -> Iterator[Violation]:
    for name, spec in ITEM_SPECS.items():
        value = getattr(item, name)
        if spec.mandatory and not _stated(value):
            yield Violation("missing", f"{place}.{name}", spec.article)
        elif spec.codes and value and not is_code(spec.codes, value):
            yield Violation(
                "unknown_code", f"{place}.{name}", spec.article, (("list", spec.codes),)
            )
    if item.name_en and not _FIELD_NAME.fullmatch(item.name_en):
        yield Violation("field_name_form", f"{place}.name_en", ITEM_SPECS["name_en"].article)
    if item.data_type in _SIZED_TYPES and item.length is None:
        yield Violation("missing", f"{place}.length", ITEM_SPECS["length"].article)
    for name, order in (("share_type", SHARE_ORDER), ("open_attr", OPEN_ORDER)):
        value, whole = getattr(item, name), getattr(content, name)
        if value in order and whole in order and order.index(value) < order.index(whole):
            yield Violation("item_looser", f"{place}.{name}", ITEM_SPECS[name].article)


def not_shared_parts(content: EntryContent) -> frozenset[str]:
    """Return what is 不予共享: item names, and ``*`` for the entry as a whole."""
    parts = {item.name_cn for item in content.items if item.share_type == "none"}
    return frozenset(parts | {"*"} if content.share_type == "none" else parts)


def newly_not_shared(before: EntryContent | None, after: EntryContent) -> frozenset[str]:
    """Return what becomes 不予共享 with this version: the occasion of filing F1."""
    earlier = frozenset[str]() if before is None else not_shared_parts(before)
    return frozenset() if "*" in earlier else not_shared_parts(after) - earlier
