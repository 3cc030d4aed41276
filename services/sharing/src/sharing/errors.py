"""Refusals of the sharing service; each names field, article and remedy."""

from kernel.problems import AlreadyExists, FieldInvalid, NotFound, ProblemError, WrongState


class EntryUnknown(NotFound):
    slug = "entry-unknown"
    status = 422
    title_zh, title_en = "目录条目未知", "Catalogue entry unknown"
    detail_zh = "本节点的目录副本中没有该条目。"
    detail_en = "This node's replica of the catalogue has no such entry."
    remedy_zh = "先检索目录，使用条目的标识。"
    remedy_en = "Search the catalogue and use the entry's identifier."


class EntryNotInForce(ProblemError):
    slug = "entry-not-in-force"
    status = 422
    title_zh, title_en = "目录条目未生效", "Entry not in force"
    detail_zh = "该条目当前为“{state}”，不能申请。"
    detail_en = "The entry is {state} and cannot be asked for."
    remedy_zh = "选择已发布的条目，或等待恢复。"
    remedy_en = "Choose a published entry, or wait until it is resumed."


class NotShareable(ProblemError):
    slug = "entry-not-shared"
    status = 422
    title_zh, title_en = "不予共享", "Not shared"
    detail_zh = "该条目属不予共享类，不能申请共享。"
    detail_en = "The entry is not shared."
    remedy_zh = "可就具体事项提出核实、比对需求（第十九条第四款）。"
    remedy_en = "Ask for verification or comparison instead (Article 19 ¶4)."


class ItemUnknown(FieldInvalid):
    slug = "item-unknown"
    title_zh, title_en = "信息项不存在", "Item unknown"
    detail_zh = "条目生效版本 {version} 没有第 {position} 个所申请的信息项。"
    detail_en = "Version {version} of the entry, which is in force, lacks the item at {position}."
    remedy_zh = "按条目的英文字段名选择信息项。"
    remedy_en = "Choose items by their field names in the entry."


class ItemNotShared(FieldInvalid):
    slug = "item-not-shared"
    title_zh, title_en = "信息项不予共享", "Item not shared"
    detail_zh = "所申请的第 {position} 个信息项不予共享。"
    detail_en = "The item at {position} is not shared."
    remedy_zh = "去掉该信息项，或提出核实、比对需求。"
    remedy_en = "Leave the item out, or ask for verification."


class FieldRequired(FieldInvalid):
    slug = "field-required"
    title_zh, title_en = "必填要素缺失", "Required field missing"
    detail_zh = "申请须写明“{label_zh}”。"
    detail_en = "A request must state {label_en}."
    remedy_zh, remedy_en = "补充后重新提交。", "State it and submit again."


class TooManyItems(FieldInvalid):
    slug = "too-many-items"
    title_zh, title_en = "信息项过多", "Too many items"
    detail_zh = "单个申请最多 {limit} 个信息项。"
    detail_en = "A request has {limit} items at most."
    remedy_zh, remedy_en = "按实际需要选择信息项。", "Choose only the items that are needed."


class TermTooLong(FieldInvalid):
    slug = "term-too-long"
    title_zh, title_en = "使用期限过长", "Term too long"
    detail_zh = "使用期限最长 {limit} 天。"
    detail_en = "The term is {limit} days at most."
    remedy_zh, remedy_en = "缩短期限，到期前续期。", "Choose a shorter term and renew it in time."


class BasisLevelUnknown(FieldInvalid):
    slug = "basis-level-unknown"
    title_zh, title_en = "依据层级未知", "Level of the basis unknown"
    detail_zh, detail_en = (
        "依据的效力层级不在代码表中。",
        "The basis has no level of the code list.",
    )
    remedy_zh = "使用词汇表 basis_level 中的代码。"
    remedy_en = "Use a code of the vocabulary basis_level."


class SystemKeyInvalid(FieldInvalid):
    slug = "system-key-invalid"
    title_zh, title_en = "使用系统公钥无效", "Public key of the using system invalid"
    detail_zh = "公钥须为 P-256 或 Ed25519 的公开 JWK，不得包含私钥。"
    detail_en = "The key must be a public JWK on P-256 or Ed25519, without its private part."
    remedy_zh = "导出使用系统的公开 JWK 后重新提交。"
    remedy_en = "Export the public JWK of the using system and submit again."


class RequesterUnknown(ProblemError):
    slug = "requester-unknown"
    status = 422
    title_zh, title_en = "申请机构未登记", "Requester not registered"
    detail_zh = "申请机构未在本节点登记，或已撤销。"
    detail_en = "The requesting agency is not registered at this node, or has ended."
    remedy_zh = "由主管部门先登记该机构。"
    remedy_en = "Have the authority register the agency first."


class SourceUnknown(ProblemError):
    slug = "source-unknown"
    status = 422
    title_zh, title_en = "数源部门未知", "Source department unknown"
    detail_zh = "本节点尚未收到该条目提供部门的登记信息。"
    detail_en = "This node has not yet received the record of the entry's providing department."
    remedy_zh, remedy_en = "稍后重试。", "Try again later."


class OwnEntry(ProblemError):
    slug = "own-entry"
    status = 422
    title_zh, title_en = "本机构自有数据", "The agency's own data"
    detail_zh = "该条目由本机构提供，无需申请。"
    detail_en = "Your agency provides this entry itself; there is nothing to ask for."
    remedy_zh, remedy_en = "直接使用本机构数据。", "Use your own data."


class DuplicateSubmission(AlreadyExists):
    slug = "duplicate-request"
    title_zh, title_en = "重复申请", "Duplicate request"
    detail_zh = "同一机构、系统、用途和信息项的申请尚未办结（本市政策）。"
    detail_en = "An equal request is still open (a guard of policy, stated by no article)."
    remedy_zh = "查看已提交的申请，或先撤回。"
    remedy_en = "Look at the request that is open, or withdraw it first."


class RequestStateConflict(WrongState):
    slug = "request-state"


class NothingAsked(WrongState):
    slug = "no-supplement-asked"
    title_zh, title_en = "没有待补正事项", "No supplement asked"
    detail_zh = "该申请目前没有待补正的事项。"
    detail_en = "No supplement of this request waits for an answer."


class RefusalBasisMissing(FieldInvalid):
    slug = "refusal-basis-missing"
    title_zh, title_en = "拒绝缺少依据", "Refusal without basis"
    detail_zh = "未予同意的每一部分都须提供法律、法规、规章依据。"
    detail_en = "Each part that is not granted needs a law, a regulation or a rule as its basis."
    remedy_zh = "引用法律、行政法规、地方性法规或者规章的条款；缩小范围同样是拒绝。"
    remedy_en = "Cite an article of a law, regulation or rule; narrowing is refusing too."


class RefusalBasisTooWeak(FieldInvalid):
    slug = "refusal-basis-level"
    title_zh, title_en = "拒绝依据的效力层级不足", "The basis cannot carry a refusal"
    detail_zh = "所引依据（{level}）不能作为拒绝共享的依据。"
    detail_en = "A basis of level {level} cannot carry a refusal to share."
    remedy_zh = "引用法律、法规、规章；规范性文件和内部文件不能作为依据。"
    remedy_en = "Cite a law, a regulation or a rule; normative documents do not qualify."


class RefusalIncomplete(FieldInvalid):
    slug = "refusal-incomplete"
    title_zh, title_en = "答复未覆盖全部申请内容", "The reply leaves something open"
    detail_zh = "所申请的“{part}”既未同意，也未说明拒绝依据。"
    detail_en = "The requested {part} is neither granted nor refused with a basis."
    remedy_zh = "对每个未同意的信息项、期限、方式或数据范围分别列出拒绝依据。"
    remedy_en = "List a refusal with basis for each item, period, mode or range not granted."


class ReplyContradicts(FieldInvalid):
    slug = "reply-contradicts"
    title_zh, title_en = "答复自相矛盾", "The reply contradicts itself"
    detail_zh = "答复结果与同意、拒绝的内容不一致。"
    detail_en = "The outcome does not fit what is granted and refused."
    remedy_zh, remedy_en = "核对答复结果。", "Check the outcome."


class ReviewMissing(ProblemError):
    slug = "confidentiality-review-missing"
    status = 422
    title_zh, title_en = "缺少保密审查", "Confidentiality review missing"
    detail_zh = "同意共享前须完成保密审查，并对每个同意的信息项给出结论。"
    detail_en = "Before agreeing, a confidentiality review must pass every item that is granted."
    remedy_zh = "由保密审查人员先记录审查结论。"
    remedy_en = "Have a confidentiality reviewer record the review first."


class ReviewItemUnknown(FieldInvalid):
    slug = "review-item-unknown"
    title_zh, title_en = "审查的信息项未被申请", "Reviewed item was not asked for"
    detail_zh = "第 {position} 项审查结论所指的信息项不在申请之内。"
    detail_en = "The result at {position} is about an item that was not asked for."
    remedy_zh, remedy_en = "只对所申请的信息项给出结论。", "Give results for asked items only."


class NothingProposed(WrongState):
    slug = "no-reply-proposed"
    title_zh, title_en = "没有待审核的答复", "No reply proposed"
    detail_zh, detail_en = "该申请没有待审核的答复。", "No proposed reply waits for approval."


class ReviewFailed(FieldInvalid):
    slug = "confidentiality-review-failed"
    title_zh, title_en = "保密审查未通过", "Confidentiality review not passed"
    detail_zh = "信息项“{item}”未通过保密审查，不能同意。"
    detail_en = "Item {item} did not pass the confidentiality review and cannot be granted."
    remedy_zh = "将该信息项列入拒绝部分并提供依据。"
    remedy_en = "Refuse the item, with its basis."


class NothingToDeliver(ProblemError):
    slug = "dataset-missing"
    status = 409
    title_zh, title_en = "尚无可交付数据", "Nothing to deliver"
    detail_zh = "该条目尚未上传数据文件。"
    detail_en = "No data file has been uploaded for the entry."
    remedy_zh = "数源部门先上传数据文件。"
    remedy_en = "The source department uploads the data file first."


class GrantOver(ProblemError):
    slug = "grant-ended"
    status = 403
    title_zh, title_en = "授权已终止", "Grant ended"
    detail_zh = "授权已终止（{reason}），不再提供数据。"
    detail_en = "The grant has ended ({reason}); no data is delivered."
    remedy_zh, remedy_en = "如仍需要，重新申请。", "Ask again if the data is still needed."


class EntrySuspended(ProblemError):
    slug = "entry-suspended"
    status = 403
    title_zh, title_en = "条目已暂停", "Entry suspended"
    detail_zh = "该条目因风险已暂停提供，授权保留。"
    detail_en = "The entry is suspended for a risk; the grant stays."
    remedy_zh, remedy_en = "等待恢复，或联系数源部门。", "Wait, or ask the source department."


class FilingNotReturned(WrongState):
    slug = "filing-not-returned"
    title_zh, title_en = "备案未被退回", "Filing not returned"
    detail_zh = "只有被退回补正的备案可以补正。"
    detail_en = "Only a filing that was returned can be completed."
