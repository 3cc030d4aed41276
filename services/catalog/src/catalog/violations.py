"""The sentences of ``entries.checks``: one typed refusal per code, in both languages.

``{name}`` is the field's label in the sentence's own language.
"""

import re
from collections.abc import Iterable
from typing import Any

from catalog.basis_violations import (
    BasisCannotRefuse,
    BasisLevelDiffers,
    BasisLevelTooLow,
    BasisLevelUnknown,
    BasisMissing,
    BasisNotInForce,
    BasisTitleMissing,
    OpenBasisMissing,
)
from catalog.entries.checks import Violation
from catalog.entries.fields import ITEM_SPECS, SPECS, FieldSpec
from contracts.vocabulary import codes, label
from kernel.problems import FieldInvalid, ProblemError


class FieldMissing(FieldInvalid):
    slug = "field-missing"
    title_zh, title_en = "必填内容缺失", "A mandatory field is missing"
    detail_zh, detail_en = "未填写{name_zh}。", "{name_en} is not stated."
    remedy_zh, remedy_en = "补填{name_zh}。", "State {name_en}."


class ShareTypeMissing(FieldInvalid):
    slug = "share-type-missing"
    title_zh, title_en = "未注明共享类型", "No share type"
    detail_zh = "每个目录条目须注明且只能注明一种共享类型。"
    detail_en = "Every entry states exactly one share type."
    remedy_zh = "在无条件共享、有条件共享、不予共享中选择一种。"
    remedy_en = "Choose one of: unconditional, conditional, none."


class CodeUnknown(FieldInvalid):
    slug = "code-unknown"
    title_zh, title_en = "代码不在代码表中", "Unknown code"
    detail_zh = "{name_zh}的取值不在代码表 {list} 中。"
    detail_en = "The value of {name_en} is not in code list {list}."
    remedy_zh, remedy_en = "可用取值：{allowed_zh}。", "Allowed: {allowed_en}."


class OrganisationUnknown(FieldInvalid):
    slug = "organisation-unknown"
    title_zh, title_en = "机构未登记", "Unknown organisation"
    detail_zh = "{name_zh}不是平台上登记的机构。"
    detail_en = "{name_en} is no organisation that the platform knows."
    remedy_zh = "填写已登记机构的标识；未登记的先由主管部门登记。"
    remedy_en = "Name a registered organisation; the authority registers new ones."


class ProviderForeign(FieldInvalid):
    slug = "provider-foreign"
    title_zh, title_en = "提供部门不是本节点机构", "The provider is not an agency of this node"
    detail_zh = "提供部门须为本节点在册机构。"
    detail_en = "The providing department is an active agency of this node."
    remedy_zh, remedy_en = "由其所属节点编目。", "Its own node catalogues it."


class RegionUnknown(FieldInvalid):
    slug = "region-unknown"
    title_zh, title_en = "行政区划不存在或已失效", "Unknown region"
    detail_zh = "行政区划代码不在现行区划表中。"
    detail_en = "The region code is not in the table in force."
    remedy_zh, remedy_en = "填写现行六位区划代码。", "Use a six-digit code in force."


class SecretRefused(FieldInvalid):
    slug = "secret-refused"
    title_zh, title_en = "涉密数据不得进入平台", "Secrets do not enter the platform"
    detail_zh = "涉及国家秘密、工作秘密的数据按相关规定执行，不得在本平台编目。"
    detail_en = "Data with state or work secrets is handled elsewhere and not catalogued here."
    remedy_zh, remedy_en = (
        "删除涉密内容或改经涉密渠道办理。",
        "Remove it, or use the channel for secrets.",
    )


class OutOfScope(FieldInvalid):
    slug = "out-of-scope"
    title_zh, title_en = "不属于适用范围", "Outside the scope"
    detail_zh = "公共企业、事业单位在公共服务以外产生的数据不适用本细则。"
    detail_en = "Data of public enterprises from other than public service is out of scope."
    remedy_zh, remedy_en = "不编入本目录。", "Do not catalogue it here."


class CoreRefused(FieldInvalid):
    slug = "core-refused"
    title_zh, title_en = "核心数据不得进入平台", "Core data does not enter the platform"
    detail_zh, detail_en = "数据分级为核心数据。", "The data is graded as core data."
    remedy_zh, remedy_en = "核心数据不在本平台编目。", "Core data is not catalogued here."


class LevelContradicts(FieldInvalid):
    slug = "level-contradicts"
    title_zh, title_en = "安全级别与数据分级不符", "Security level contradicts the grade"
    detail_zh = "一般数据的安全级别为1至4级，重要数据为5级。"
    detail_en = "General data has security level 1 to 4, important data level 5."
    remedy_zh, remedy_en = "更正安全级别或数据分级。", "Correct level or grade."


class ScopeContradicts(FieldInvalid):
    slug = "scope-contradicts"
    title_zh, title_en = "共享范围与共享类型不符", "Scope contradicts the share type"
    detail_zh = "无条件共享面向全部机构，不予共享不面向其他机构，有条件共享须有可共享的范围。"
    detail_en = (
        "Unconditional is for all agencies, not shared for nobody; conditional needs some scope."
    )
    remedy_zh, remedy_en = "更正共享范围或共享类型。", "Correct scope or share type."


class ConditionMissing(FieldInvalid):
    slug = "condition-missing"
    title_zh, title_en = "缺少条件", "Condition missing"
    detail_zh, detail_en = (
        "列为有条件的，应当明确{name_zh}。",
        "Conditional needs {name_en} stated.",
    )
    remedy_zh, remedy_en = "写明条件。", "State the condition."


class ReturnColumnMissing(FieldInvalid):
    slug = "return-column-missing"
    title_zh, title_en = "缺少回流字段", "No column for return flow"
    detail_zh = "可回流数据须写明区域属性字段或部门属性字段。"
    detail_en = "Returnable data names its region column or its department column."
    remedy_zh, remedy_en = (
        "写明字段名，或标为不可回流。",
        "Name the column, or mark it not returnable.",
    )


class TooManyItems(FieldInvalid):
    slug = "too-many-items"
    title_zh, title_en = "信息项过多", "Too many items"
    detail_zh, detail_en = "信息项超过 {limit} 个。", "There are more than {limit} items."
    remedy_zh, remedy_en = "拆分为多个目录条目。", "Split the entry."


class ItemRepeated(FieldInvalid):
    slug = "item-repeated"
    title_zh, title_en = "信息项重名", "Item name repeated"
    detail_zh, detail_en = "同一条目内信息项名称重复。", "An item name occurs twice in the entry."
    remedy_zh, remedy_en = "合并或改名。", "Merge or rename."


class FieldNameForm(FieldInvalid):
    slug = "field-name-form"
    title_zh, title_en = "英文字段名格式有误", "Field name malformed"
    detail_zh = "英文名以小写字母开头，只含小写字母、数字和下划线。"
    detail_en = "A field name begins with a lower-case letter; then letters, digits, underscores."
    remedy_zh, remedy_en = "按此格式更正。", "Correct it."


class ItemLooser(FieldInvalid):
    slug = "item-looser"
    title_zh, title_en = "信息项比条目宽松", "Item looser than its entry"
    detail_zh = "{name_zh}不得比条目整体更宽松。"
    detail_en = "{name_en} is not looser than the entry's."
    remedy_zh, remedy_en = "收紧信息项或放宽条目。", "Tighten the item or loosen the entry."


class TitleLong(FieldInvalid):
    slug = "title-long"
    title_zh, title_en = "名称偏长", "Long title"
    detail_zh, detail_en = "名称宜在50字以内。", "A title of at most 50 characters is advised."


class TitleShared(FieldInvalid):
    """A warning: other entries carry the same title (never a refusal)."""

    slug = "title-shared"
    title_zh, title_en = "已有同名目录", "Other entries carry this title"
    detail_zh, detail_en = "另有 {count} 个条目同名。", "{count} other entries carry this title."
    remedy_zh, remedy_en = "核对是否重复编目。", "See whether it is catalogued already."


CLASSES: dict[str, type[FieldInvalid]] = {
    "missing": FieldMissing,
    "share_type_missing": ShareTypeMissing,
    "unknown_code": CodeUnknown,
    "unknown_organisation": OrganisationUnknown,
    "foreign_provider": ProviderForeign,
    "unknown_region": RegionUnknown,
    "secret": SecretRefused,
    "out_of_scope": OutOfScope,
    "core_refused": CoreRefused,
    "level_contradicts": LevelContradicts,
    "scope_contradicts": ScopeContradicts,
    "condition_missing": ConditionMissing,
    "basis_missing": BasisMissing,
    "basis_level_too_low": BasisLevelTooLow,
    "basis_unknown_level": BasisLevelUnknown,
    "basis_level_differs": BasisLevelDiffers,
    "basis_title_missing": BasisTitleMissing,
    "basis_not_in_force": BasisNotInForce,
    "return_column_missing": ReturnColumnMissing,
    "too_many_items": TooManyItems,
    "item_repeated": ItemRepeated,
    "field_name_form": FieldNameForm,
    "item_looser": ItemLooser,
    "basis_cannot_refuse": BasisCannotRefuse,
    "open_basis_missing": OpenBasisMissing,
    "title_long": TitleLong,
    "title_shared": TitleShared,
}
_INDEX = re.compile(r"\[\d+\]")


def problem_of(violation: Violation) -> ProblemError:
    """Return the refusal that a violation stands for."""
    spec = spec_of(violation.field)
    values = dict(violation.values)
    named: dict[str, Any] = {"name_zh": spec.zh, "name_en": spec.en}
    for language in ("zh", "en"):
        named[f"level_{language}"] = _labels("basis_level", (values.get("level"),), language)
        if "list" in values:
            names = codes(values["list"])
            shown = (f"{code}（{label(values['list'], code, language)}）" for code in names)
            named[f"allowed_{language}"] = "、".join(shown)
        if "levels" in values:
            named[f"allowed_{language}"] = _labels("basis_level", values["levels"], language)
    return CLASSES[violation.code](
        field=violation.field,
        article=violation.article or None,
        kind=violation.kind if violation.article or violation.kind == "policy" else None,
        **named,
        **{name: value for name, value in values.items() if name != "levels"},
    )


def _labels(name: str, wanted: Iterable[Any], language: str) -> str:
    known = [code for code in wanted if code in codes(name)]
    return "、".join(label(name, code, language) for code in known) or "?"


def spec_of(place: str) -> FieldSpec:
    """Return the field that a place such as ``items[3].length`` names."""
    plain = _INDEX.sub("", place)
    if plain.startswith("items."):
        return ITEM_SPECS[plain.removeprefix("items.")]
    return SPECS[plain]
