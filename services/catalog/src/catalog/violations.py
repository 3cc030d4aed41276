"""The sentences of ``entries.checks``: one typed refusal per code, in both languages.

``{name}`` is the field's label in the sentence's own language.
"""

import re
from typing import Any

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


class BasisMissing(FieldInvalid):
    slug = "basis-missing"
    title_zh, title_en = "缺少依据", "Basis missing"
    detail_zh = "该共享类型应当提供依据（{gate_zh}）。"
    detail_en = "This share type needs a legal basis ({gate})."
    remedy_zh = "填写依据的名称、文号、条款和层级。"
    remedy_en = "Give title, number, article and level of a basis."


class BasisLevelTooLow(FieldInvalid):
    slug = "basis-level-too-low"
    title_zh, title_en = "依据层级不足", "The basis is of too low a level"
    detail_zh = "“{level_zh}”不能作为该共享类型的依据。"
    detail_en = "A basis of level {level_en} does not carry this share type."
    remedy_zh = "不予共享须依据法律、法规或者国家相关规定；本细则和内部文件不能作为依据。"
    remedy_en = (
        "Not sharing rests on a law, a regulation or a national provision; these rules and"
        " internal documents are none."
    )


class BasisLevelUnknown(FieldInvalid):
    slug = "basis-level-unknown"
    title_zh, title_en = "依据层级不明", "Level of the basis unknown"
    detail_zh, detail_en = "未写明依据的层级。", "The basis has no known level."
    remedy_zh, remedy_en = "从依据层级代码表中选择。", "Choose from code list basis_level."


class BasisLevelDiffers(FieldInvalid):
    slug = "basis-level-differs"
    title_zh, title_en = "依据层级与登记不符", "The basis is registered at another level"
    detail_zh = "所引依据在依据库中登记为“{level_zh}”。"
    detail_en = "The register of bases lists it as {level_en}."
    remedy_zh, remedy_en = (
        "按登记层级填写或改引其他依据。",
        "Use the registered level or another basis.",
    )


class BasisTitleMissing(FieldInvalid):
    slug = "basis-title-missing"
    title_zh, title_en = "依据未写名称", "The basis has no title"
    detail_zh, detail_en = "未写明依据的名称。", "The basis has no title."
    remedy_zh, remedy_en = "填写名称和条款。", "Give its title and article."


class BasisNotInForce(FieldInvalid):
    slug = "basis-not-in-force"
    title_zh, title_en = "依据未生效或已失效", "The basis is not in force"
    detail_zh, detail_en = "所引依据当日不在有效期内。", "The basis is not in force today."
    remedy_zh, remedy_en = "改引现行有效的依据。", "Cite one in force."


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


class BasisCannotRefuse(FieldInvalid):
    slug = "basis-cannot-refuse"
    title_zh, title_en = "所引依据不足以拒绝共享", "The basis could not carry a refusal"
    detail_zh = "共享条件的依据不是法律、法规、规章，将来不能据此拒绝共享申请。"
    detail_en = (
        "The condition rests on no law, regulation or rule, so it could not carry a refusal."
    )
    remedy_zh, remedy_en = (
        "尽量补充法律、法规、规章依据。",
        "Add a law, regulation or rule if there is one.",
    )


class OpenBasisMissing(FieldInvalid):
    slug = "open-basis-missing"
    title_zh, title_en = "未写开放限制依据", "No basis for limiting openness"
    detail_zh = "有条件开放、不予开放应当有依据；条文以开放为原则。"
    detail_en = "Opening is the rule: conditional and not open rest on a basis."
    remedy_zh, remedy_en = "补充依据，或改为开放。", "Add a basis, or open it."


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
_GATES_ZH = {"G4": "第十四条第一款：相关依据", "G5": "第十四条第二款：法律法规依据或者国家相关规定"}


def problem_of(violation: Violation) -> ProblemError:
    """Return the refusal that a violation stands for."""
    spec = spec_of(violation.field)
    values = dict(violation.values)
    named: dict[str, Any] = {"name_zh": spec.zh, "name_en": spec.en}
    if "list" in values:
        names = codes(values["list"])
        for language in ("zh", "en"):
            labels = (f"{code}（{label(values['list'], code, language)}）" for code in names)
            named[f"allowed_{language}"] = "、".join(labels)
    if values.get("level") in codes("basis_level"):
        for language in ("zh", "en"):
            named[f"level_{language}"] = label("basis_level", values["level"], language)
    else:
        named |= {"level_zh": "不明", "level_en": "unknown"}
    named["gate_zh"] = _GATES_ZH.get(values.get("gate", ""), "")
    return CLASSES[violation.code](
        field=violation.field,
        article=violation.article or None,
        kind=violation.kind if violation.article or violation.kind == "policy" else None,
        **named,
        **values,
    )


def spec_of(place: str) -> FieldSpec:
    """Return the field that a place such as ``items[3].length`` names."""
    plain = _INDEX.sub("", place)
    if plain.startswith("items."):
        return ITEM_SPECS[plain.removeprefix("items.")]
    return SPECS[plain]
