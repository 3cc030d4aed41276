"""From pydantic's errors to one problem for each violated field, in both languages, value-free."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kernel.problems import FieldInvalid, Invalid, ProblemError

_NAME = re.compile(r"(?!.*\d{6})[A-Za-z_][A-Za-z0-9_-]{0,63}")


class FieldProblem(ValueError):  # noqa: N818 - it carries a problem through a pydantic validator
    """Raised in a pydantic validator: the field's own problem, with article and remedy."""

    def __init__(self, problem: ProblemError) -> None:
        super().__init__(problem.slug)
        self.problem = problem


# reasons by pydantic's error type; {…} are limits from the schema, never input
_REASONS: Mapping[str, tuple[str, str]] = {
    "missing": ("必填。", "It is required."),
    "extra_forbidden": ("不接受未定义的字段。", "Fields that are not defined are not accepted."),
    "json_invalid": ("不是有效的 JSON。", "It is not valid JSON."),
    "string_type": ("应为文本。", "It must be text."),
    "string_too_short": (
        "至少 {min_length} 个字符。",
        "It needs at least {min_length} characters.",
    ),
    "string_too_long": ("至多 {max_length} 个字符。", "It takes at most {max_length} characters."),
    "string_pattern_mismatch": ("格式应符合 {pattern}。", "It must match {pattern}."),
    "too_short": ("至少 {min_length} 项。", "It needs at least {min_length} items."),
    "too_long": ("至多 {max_length} 项。", "It takes at most {max_length} items."),
    "int_type": ("应为整数。", "It must be a whole number."),
    "int_parsing": ("应为整数。", "It must be a whole number."),
    "int_from_float": ("应为整数。", "It must be a whole number."),
    "float_type": ("应为数值。", "It must be a number."),
    "float_parsing": ("应为数值。", "It must be a number."),
    "bool_type": ("应为 true 或 false。", "It must be true or false."),
    "bool_parsing": ("应为 true 或 false。", "It must be true or false."),
    "greater_than": ("应大于 {gt}。", "It must be greater than {gt}."),
    "greater_than_equal": ("不得小于 {ge}。", "It must be at least {ge}."),
    "less_than": ("应小于 {lt}。", "It must be less than {lt}."),
    "less_than_equal": ("不得大于 {le}。", "It must be at most {le}."),
    "literal_error": ("只能取 {expected}。", "It must be one of {expected}."),
    "enum": ("只能取 {expected}。", "It must be one of {expected}."),
    "uuid_type": ("应为 UUID。", "It must be a UUID."),
    "uuid_parsing": ("应为 UUID。", "It must be a UUID."),
    "date_type": ("应为日期，如 2026-02-28。", "It must be a date such as 2026-02-28."),
    "date_parsing": ("应为日期，如 2026-02-28。", "It must be a date such as 2026-02-28."),
    "date_from_datetime_parsing": (
        "应为日期，如 2026-02-28。",
        "It must be a date such as 2026-02-28.",
    ),
    "datetime_parsing": ("应为 RFC 3339 时间。", "It must be an RFC 3339 instant."),
    "datetime_from_date_parsing": ("应为 RFC 3339 时间。", "It must be an RFC 3339 instant."),
    "timezone_aware": ("时间须带时区。", "The instant needs a time zone."),
    "list_type": ("应为列表。", "It must be a list."),
    "tuple_type": ("应为列表。", "It must be a list."),
    "dict_type": ("应为对象。", "It must be an object."),
    "model_type": ("应为对象。", "It must be an object."),
    "model_attributes_type": ("应为对象。", "It must be an object."),
    "url_parsing": ("应为网址。", "It must be a URL."),
}
_OTHER = ("内容不符合要求。", "The content does not meet the requirement.")


def invalid(errors: Sequence[Mapping[str, Any]]) -> Invalid:
    """Turn pydantic's error list into one ``Invalid`` with an entry for each field."""
    return Invalid([_one(error) for error in errors])


def field_path(location: Iterable[Any]) -> str:
    """Write a field's path as ``items.0.name``; parts that a caller made up are shown as ``*``."""
    parts = list(location)
    if len(parts) > 1 and parts[0] == "body":
        parts = parts[1:]
    return ".".join(
        str(part) if isinstance(part, int) or _NAME.fullmatch(str(part)) else "*" for part in parts
    )


def _one(error: Mapping[str, Any]) -> ProblemError:
    location, kind = list(error.get("loc", ())), str(error.get("type", ""))
    if kind == "extra_forbidden" and location:
        location[-1] = "*"
    if kind == "json_invalid":
        location = location[:1]
    context = error.get("ctx") or {}
    raised = context.get("error")
    if isinstance(raised, FieldProblem):
        problem = raised.problem
        problem.field = ".".join(part for part in (field_path(location), problem.field) if part)
        return problem
    zh, en = _REASONS.get(kind, _OTHER)
    limits = {
        name: value for name, value in context.items() if isinstance(value, str | int | float)
    }
    return FieldInvalid(
        field=field_path(location),
        reason_zh=_filled(zh, limits),
        reason_en=_filled(en, limits),
    )


def _filled(text: str, limits: Mapping[str, Any]) -> str:
    try:
        return text.format(**limits)
    except KeyError:
        return text.split("{", maxsplit=1)[0].rstrip() + "…"
