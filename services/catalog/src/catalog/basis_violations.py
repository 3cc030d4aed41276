"""The sentences about legal bases (Articles 14 and 21), in both languages."""

from kernel.problems import FieldInvalid


class BasisMissing(FieldInvalid):
    slug = "basis-missing"
    title_zh, title_en = "缺少依据", "Basis missing"
    detail_zh, detail_en = "{gate_zh}。", "{gate_en}."
    remedy_zh = "填写依据的名称、文号、条款和层级；可用层级：{allowed_zh}。"
    remedy_en = "Give title, number, article and level of a basis; levels that carry: {allowed_en}."


class BasisLevelTooLow(FieldInvalid):
    slug = "basis-level-too-low"
    title_zh, title_en = "依据层级不足", "The basis is of too low a level"
    detail_zh = "“{level_zh}”不能作为该共享类型的依据。"
    detail_en = "A basis of level {level_en} does not carry this share type."
    remedy_zh, remedy_en = "可用依据层级：{allowed_zh}。", "Levels that carry: {allowed_en}."


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
