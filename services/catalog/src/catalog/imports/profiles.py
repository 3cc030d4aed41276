"""Completion profiles: what a person confirms for entries whose file did not say it.

A profile fills only what is missing, and every filled field is marked ``assumed``: it counts as
stated for publication, never as declared by the department.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from catalog.entries.content import FIELDS, EntryContent, ItemContent
from catalog.schemas import Command

_NOT_FILLABLE = frozenset({"title", "assumed", "providing_org", "pi_declared"})
_ITEM_SEPARATORS = re.compile(r"[、,，;；\s/]+")
_LISTING = re.compile(r"^.{0,30}?(?:包括|包含|含有|含|如下)[:：]?")
_ITEM_NAME = re.compile(r"^[\w（）()·“”\"-]{2,20}$")
_MIN_ITEMS = 2
_MAX_ITEMS = 60
_ASSUMED_LENGTH = 200

FieldName = Annotated[str, StringConstraints(max_length=64)]


class ProfileRule(Command):
    """Set fields that are missing, for entries whose fields have one of the values in ``when``.

    ``when`` maps a field to the values (codes or texts) of which one must hold; an empty ``when``
    fits every entry. ``copy_from`` fills a field with another one's value.
    """

    when: dict[FieldName, tuple[str, ...]] = Field(default_factory=dict)
    set: dict[FieldName, Any] = Field(default_factory=dict)
    copy_from: dict[FieldName, FieldName] = Field(default_factory=dict)


class ProfileRules(Command):
    """The rules in order, and whether item names are read from the abstract."""

    rules: Annotated[tuple[ProfileRule, ...], Field(max_length=200)] = ()
    items_from_abstract: bool = False


def unknown_fields(rules: ProfileRules) -> tuple[str, ...]:
    """Return the places of fields that a profile may not name."""
    places = []
    for number, rule in enumerate(rules.rules):
        named = {"when": rule.when, "set": rule.set, "copy_from": rule.copy_from}
        for part, fields in named.items():
            for name in fields:
                allowed = name in FIELDS and (part == "when" or name not in _NOT_FILLABLE)
                if not allowed:
                    places.append(f"rules[{number}].{part}.{name}")
        places += [
            f"rules[{number}].copy_from.{name}"
            for name, source in rule.copy_from.items()
            if source not in FIELDS
        ]
    return tuple(places)


def complete(content: EntryContent, rules: ProfileRules) -> EntryContent:
    """Return the content with what the profile fills; the same object when it fills nothing."""
    filled: dict[str, Any] = {}
    for rule in rules.rules:
        current = content.model_copy(update=filled) if filled else content
        if _fits(current, rule.when):
            filled |= _filling(current, rule)
    if "pi_flags" in filled:
        filled["pi_declared"] = True
    if rules.items_from_abstract and not content.items and "items" not in filled:
        items = items_in(content.abstract)
        if items:
            filled["items"] = items
    if not filled:
        return content
    assumed = dict.fromkeys((*content.assumed, *filled))
    document = content.stored() | _plain(filled) | {"assumed": list(assumed)}
    return EntryContent.model_validate(document)


def _filling(content: EntryContent, rule: ProfileRule) -> dict[str, Any]:
    found = {name: value for name, value in rule.set.items() if _missing(content, name)}
    copied = {
        name: getattr(content, source)
        for name, source in rule.copy_from.items()
        if name not in found and _missing(content, name) and not _missing(content, source)
    }
    return found | copied


def _fits(content: EntryContent, when: Mapping[str, tuple[str, ...]]) -> bool:
    for name, values in when.items():
        held = getattr(content, name)
        texts = {str(each) for each in held} if isinstance(held, tuple) else {str(held)}
        if not (texts or {""}) & set(values):
            return False
    return True


def _missing(content: EntryContent, name: str) -> bool:
    """Tell whether a field was never stated; a stated empty list of 个人信息 is a statement."""
    if name == "pi_flags":
        return not (content.pi_declared or content.pi_flags)
    return getattr(content, name) in ("", (), None)


def items_in(abstract: str) -> tuple[ItemContent, ...]:
    """Return the items that an abstract lists: ``证书编号、企业名称、法定代表人``; else none."""
    text = _LISTING.sub("", abstract).rstrip("。.;；等信息")
    names = [part for part in _ITEM_SEPARATORS.split(text) if part]
    distinct = list(dict.fromkeys(names))
    listed = _MIN_ITEMS <= len(distinct) <= _MAX_ITEMS
    if not listed or not all(_ITEM_NAME.match(name) for name in distinct):
        return ()
    return tuple(
        ItemContent(name_cn=name, name_en=f"field_{number}", data_type="C", length=_ASSUMED_LENGTH)
        for number, name in enumerate(distinct, 1)
    )


def _plain(filled: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [each.model_dump(exclude_defaults=True) for each in value]
        if name == "items" and value and isinstance(value[0], ItemContent)
        else value
        for name, value in filled.items()
    }
