"""Refusals of the catalogue besides those of an entry's fields (``catalog.violations``)."""

from kernel.problems import AlreadyExists, FieldInvalid, ProblemError, WrongState


class EntryMoveNotOpen(WrongState):
    """The act is not open in the entry's state; ``extra["open_acts"]`` names those that are."""

    slug = "entry-move-not-open"
    title_zh, title_en = "目录状态不允许此操作", "The entry's state does not allow this"


class CreditCodeInvalid(FieldInvalid):
    slug = "credit-code-invalid"
    title_zh, title_en = "统一社会信用代码有误", "Credit code invalid"
    detail_zh = "统一社会信用代码的{reason_zh}（GB 32100）。"
    detail_en = "The unified social credit code has a wrong {reason_en} (GB 32100)."
    remedy_zh, remedy_en = "核对证照上的代码。", "Check it against the certificate."


class RegionNotServed(FieldInvalid):
    slug = "region-not-served"
    title_zh, title_en = "行政区划不由本节点服务", "Region not served by this node"
    detail_zh = "该行政区划不存在、已失效或不属于本节点。"
    detail_en = "The region is unknown, not in force, or served by another node."
    remedy_zh = "填写本节点服务的现行区划代码。"
    remedy_en = "Use a region code in force that this node serves."


class KindUnknown(FieldInvalid):
    slug = "kind-unknown"
    title_zh, title_en = "代码不在代码表中", "Unknown code"
    detail_zh = "取值不在代码表 {list} 中。"
    detail_en = "The value is not in code list {list}."
    remedy_zh, remedy_en = "可用取值：{allowed}。", "Allowed: {allowed}."


class AgencyExists(AlreadyExists):
    slug = "agency-exists"
    title_zh, title_en = "机构已登记", "Agency registered already"
    detail_zh = "同一标识、名称或统一社会信用代码的机构已登记。"
    detail_en = "An agency of this id, name or credit code is registered already."
    remedy_zh, remedy_en = "使用已登记的机构。", "Use the registered one."


class ParentUnknown(FieldInvalid):
    slug = "parent-unknown"
    title_zh, title_en = "上级单位未登记", "Parent unknown"
    detail_zh, detail_en = "上级单位不是本节点登记的机构。", "The parent is no agency of this node."
    remedy_zh, remedy_en = "先登记上级单位。", "Register the parent first."


class DateInvalid(FieldInvalid):
    slug = "date-invalid"
    title_zh, title_en = "日期有误", "Date invalid"
    detail_zh, detail_en = "日期不存在或先后颠倒。", "The date does not exist, or comes before."
    remedy_zh, remedy_en = "按 YYYY-MM-DD 填写。", "Write it as YYYY-MM-DD."


class TriggerMissing(FieldInvalid):
    """Article 12 ¶1: a change for a legal or functional reason names it and since when."""

    slug = "trigger-missing"
    title_zh, title_en = "未写明变更原因", "Reason of the change missing"
    detail_zh = "因依据或职能变化而变更的，应写明依据文件和生效日期。"
    detail_en = "A change of basis or function names the document and its effective date."
    remedy_zh, remedy_en = "补充文件和生效日期。", "Add the document and the effective date."


class BasisRequired(FieldInvalid):
    slug = "basis-required"
    title_zh, title_en = "缺少理由和依据", "Reason and basis missing"
    detail_zh, detail_en = "下架须写明理由和依据。", "A takedown gives its reason and its basis."
    remedy_zh, remedy_en = "补充依据。", "Add the basis."


class DependentsUnprovided(ProblemError):
    """``extra["dependents"]`` lists who still has neither substitute nor end date."""

    slug = "dependents-unprovided"
    status = 409
    title_zh, title_en = "尚有依赖方未妥善安排", "Dependents are not provided for"
    detail_zh = "还有 {count} 个依赖方没有替代目录，也没有终止日期（至少提前 {days} 个工作日）。"
    detail_en = (
        "{count} dependents have neither a substitute nor an end date at least {days} working"
        " days ahead."
    )
    remedy_zh = "为每个依赖方指定替代目录或终止日期后再批准下架。"
    remedy_en = "Give each a substitute entry or an end date, then approve."


class SubstituteUnknown(FieldInvalid):
    slug = "substitute-unknown"
    title_zh, title_en = "替代目录不可用", "Substitute not available"
    detail_zh = "替代目录不是已发布的目录条目。"
    detail_en = "The substitute is no published entry."
    remedy_zh, remedy_en = "选择一个已发布的目录条目。", "Choose a published entry."


class BatchTooLarge(ProblemError):
    slug = "batch-too-large"
    status = 422
    title_zh, title_en = "批量过大", "Batch too large"
    detail_zh, detail_en = "一次最多 {limit} 条。", "At most {limit} entries at once."
    remedy_zh, remedy_en = "分批办理。", "Split the batch."


class OpinionMissing(FieldInvalid):
    slug = "opinion-missing"
    title_zh, title_en = "缺少意见", "Opinion missing"
    detail_zh, detail_en = "退回须写明修改意见。", "A return says what is to be changed."
    remedy_zh, remedy_en = "填写意见。", "Write the opinion."


class FileUnreadable(FieldInvalid):
    slug = "file-unreadable"
    title_zh, title_en = "文件无法读取", "File unreadable"
    detail_zh, detail_en = "{reason_zh}", "{reason_en}"
    remedy_zh = "以 UTF-8 或 GB18030 编码的 CSV 或 JSON 行文件上传。"
    remedy_en = "Upload CSV or JSON lines in UTF-8 or GB18030."


class ImportRepeated(AlreadyExists):
    """``extra["import_id"]`` names the import of the same file."""

    slug = "import-repeated"
    title_zh, title_en = "该文件已导入过", "The file was imported before"
    detail_zh = "本机构已导入过内容相同的文件，再次导入会产生重复草稿。"
    detail_en = "Your organisation imported this very file; again it would double the drafts."
    remedy_zh = "使用已有的导入；确需再次导入时加 again=true。"
    remedy_en = "Use that import, or send again=true."


class ImportFieldInvalid(FieldInvalid):
    slug = "import-field-invalid"
    title_zh, title_en = "导入参数有误", "Import parameter invalid"
    detail_zh, detail_en = "{reason_zh}", "{reason_en}"


class ProfileFieldUnknown(FieldInvalid):
    slug = "profile-field-unknown"
    title_zh, title_en = "补全方案不能填写该字段", "A profile may not fill this"
    detail_zh = "字段不存在，或者不得由补全方案填写。"
    detail_en = "There is no such field, or a profile may not fill it."
    remedy_zh, remedy_en = "删除该字段。", "Remove it."


class ProfileUnconfirmed(ProblemError):
    slug = "profile-unconfirmed"
    status = 409
    title_zh, title_en = "补全方案未经确认", "Profile not confirmed"
    detail_zh = "补全方案须先由负责人确认。"
    detail_en = "A responsible person confirms the completion profile first."
    remedy_zh, remedy_en = (
        "请机构负责人或主管部门确认。",
        "Ask agency leader or authority to confirm it.",
    )


class ProfileDecided(WrongState):
    slug = "profile-decided"
    title_zh, title_en = "补全方案已确认", "Profile confirmed already"


class ClaimUnknown(ProblemError):
    slug = "claim-unknown"
    status = 404
    title_zh, title_en = "未找到数源主张", "No such claim"
    detail_zh, detail_en = "该事实没有该机构的主张。", "The agency claims no such fact."
    remedy_zh, remedy_en = "核对事实和机构。", "Check fact and agency."
