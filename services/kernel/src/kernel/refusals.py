"""Refusals that every service shares; ``kernel.problems`` offers them beside their base."""

from typing import Any, ClassVar

from kernel.problem import ProblemError


class Unauthenticated(ProblemError):
    """No usable token; subclasses say what is wrong with it."""

    slug = "unauthenticated"
    status = 401
    title_zh, title_en = "未通过身份认证", "Not authenticated"
    detail_zh, detail_en = "请求没有携带访问令牌。", "The request carries no access token."
    remedy_zh = "在 Authorization 头中以 Bearer 方式携带本节点认可的令牌。"
    remedy_en = "Send a token that this node accepts as Authorization: Bearer."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class TokenInvalid(Unauthenticated):
    slug = "token-invalid"
    title_zh, title_en = "令牌无效", "Token invalid"
    detail_zh = "令牌格式、签名或签名算法不被接受。"
    detail_en = "The token's form, signature or signature algorithm is not accepted."
    remedy_zh, remedy_en = "向签发方重新取得令牌。", "Get a new token from the issuer."


class TokenExpired(Unauthenticated):
    slug = "token-expired"
    title_zh, title_en = "令牌已过期", "Token expired"
    detail_zh, detail_en = "令牌已过有效期。", "The token's validity has ended."
    remedy_zh, remedy_en = "向签发方重新取得令牌。", "Get a new token from the issuer."


class TokenNotYetValid(Unauthenticated):
    slug = "token-not-yet-valid"
    title_zh, title_en = "令牌尚未生效", "Token not yet valid"
    detail_zh, detail_en = "令牌的生效时间未到。", "The token's validity has not begun."
    remedy_zh, remedy_en = "核对签发方与本机时间。", "Check the issuer's and your own clock."


class TokenForeign(Unauthenticated):
    """Wrong issuer or audience: a token of another node or another system."""

    slug = "token-foreign"
    title_zh, title_en = "令牌不是签发给本节点的", "Token not meant for this node"
    detail_zh = "令牌的签发方或受众不是本节点。"
    detail_en = "The token's issuer or audience is not this node's."
    remedy_zh = "取得受众为本节点的令牌。"
    remedy_en = "Get a token whose audience is this node."


class NotPermitted(ProblemError):
    slug = "not-permitted"
    status = 403
    title_zh, title_en = "无权操作", "Not permitted"
    detail_zh, detail_en = (
        "您的角色不能执行此操作（{act}）。",
        "Your roles do not allow this act ({act}).",
    )
    remedy_zh, remedy_en = (
        "由具备相应角色的人员办理。",
        "Ask someone who holds a role that allows it.",
    )


class OtherNode(NotPermitted):
    slug = "other-node"
    title_zh, title_en = "不属于本节点", "Another node's"
    detail_zh, detail_en = "该对象由另一节点管理。", "The object belongs to another node."
    remedy_zh, remedy_en = "在管理该对象的节点办理。", "Act at the node that holds the object."


class OtherOrganisation(NotPermitted):
    slug = "other-organisation"
    title_zh, title_en = "不属于本机构", "Another organisation's"
    detail_zh, detail_en = "该对象属于另一机构。", "The object belongs to another organisation."
    remedy_zh, remedy_en = "由该机构的人员办理。", "Ask someone of that organisation."


class SeparationOfDuties(NotPermitted):
    slug = "separation-of-duties"
    title_zh, title_en = "经办与审批须分离", "Separation of duties"
    detail_zh = "不得审批本人提交的事项（{act}）。"
    detail_en = "Nobody approves what he or she submitted ({act})."
    remedy_zh, remedy_en = "由另一人审批。", "Another person must approve it."


class NotFound(ProblemError):
    slug = "not-found"
    status = 404
    title_zh, title_en = "未找到", "Not found"
    detail_zh, detail_en = (
        "没有这个对象，或您无权查看。",
        "There is no such object, or you may not see it.",
    )
    remedy_zh, remedy_en = "核对编号。", "Check the identifier."


class MethodNotAllowed(ProblemError):
    slug = "method-not-allowed"
    status = 405
    title_zh, title_en = "方法不允许", "Method not allowed"
    detail_zh, detail_en = "此地址不支持该方法。", "This address does not support the method."


class StaleVersion(ProblemError):
    """The caller worked on an older version; ``extra["current"]`` carries the present one."""

    slug = "stale-version"
    status = 409
    title_zh, title_en = "版本已变化", "Stale version"
    detail_zh = "对象已被他人修改，当前版本为 {version}。"
    detail_en = "The object has been changed meanwhile; its version is now {version}."
    remedy_zh, remedy_en = (
        "以返回的当前版本为准重新提交。",
        "Repeat on the current version returned here.",
    )

    def __init__(self, *, version: int, current: Any, **rest: Any) -> None:
        """``current`` is the present object, JSON-able, as the caller may see it."""
        super().__init__(version=version, extra={"version": version, "current": current}, **rest)


class WrongState(ProblemError):
    slug = "wrong-state"
    status = 409
    title_zh, title_en = "当前状态不允许", "Wrong state"
    detail_zh, detail_en = (
        "对象处于“{state}”状态，不能执行 {act}。",
        "In state {state} this is not possible: {act}.",
    )
    remedy_zh, remedy_en = "先查看对象的当前状态。", "Look at the object's current state first."


class AlreadyExists(ProblemError):
    slug = "already-exists"
    status = 409
    title_zh, title_en = "已存在", "Already exists"
    detail_zh, detail_en = "同样的对象已经存在。", "The same object exists already."
    remedy_zh, remedy_en = "使用已有的对象。", "Use the one that exists."


class IdempotencyKeyMissing(ProblemError):
    slug = "idempotency-key-missing"
    status = 400
    title_zh, title_en = "缺少幂等键", "Idempotency-Key missing"
    detail_zh = "提交命令须带 Idempotency-Key 头（1–200 个可见 ASCII 字符）。"
    detail_en = "Commands need an Idempotency-Key header (1-200 visible ASCII characters)."
    remedy_zh = "为每个命令生成一个新的键，重试时沿用。"
    remedy_en = "Draw a new key for each command and keep it when you retry."


class IdempotencyKeyReused(ProblemError):
    slug = "idempotency-key-reused"
    status = 422
    title_zh, title_en = "幂等键已用于另一请求", "Idempotency-Key reused"
    detail_zh, detail_en = (
        "同一键已用于内容不同的请求。",
        "The key was used for a request with another body.",
    )
    remedy_zh, remedy_en = "内容不同的请求请用新的键。", "Use a new key for another body."


class PreconditionMissing(ProblemError):
    slug = "precondition-missing"
    status = 428
    title_zh, title_en = "缺少版本条件", "If-Match missing"
    detail_zh, detail_en = (
        "修改须带 If-Match 头，写明所改版本。",
        "A change needs If-Match with the version it is based on.",
    )
    remedy_zh, remedy_en = "先读取对象，带上其版本。", "Read the object first and send its version."


class BodyTooLarge(ProblemError):
    slug = "body-too-large"
    status = 413
    title_zh, title_en = "内容过大", "Body too large"
    detail_zh, detail_en = "请求内容超过 {limit} 字节。", "The body exceeds {limit} bytes."
    remedy_zh, remedy_en = "缩小或拆分后再提交。", "Make it smaller or split it."


class BodyUnreadable(ProblemError):
    slug = "body-unreadable"
    status = 400
    title_zh, title_en = "内容无法解析", "Body unreadable"
    detail_zh, detail_en = "请求内容不是有效的 UTF-8 JSON。", "The body is not valid JSON in UTF-8."
    remedy_zh, remedy_en = (
        "以 UTF-8 编码发送 JSON（GB18030 须先转换）。",
        "Send JSON in UTF-8 (convert GB18030 first).",
    )


class UnsupportedType(ProblemError):
    slug = "unsupported-type"
    status = 415
    title_zh, title_en = "内容类型不支持", "Unsupported media type"
    detail_zh, detail_en = "不接受这种内容类型。", "This content type is not accepted."
    remedy_zh, remedy_en = "接受的类型：{accepted}。", "Accepted: {accepted}."


class Invalid(ProblemError):
    """One or more fields are violated; each has its own entry in ``errors``."""

    slug = "invalid"
    status = 422
    title_zh, title_en = "填报内容有误", "Invalid content"
    detail_zh, detail_en = (
        "共有 {count} 处不符合要求。",
        "{count} field(s) do not meet the requirements.",
    )
    remedy_zh, remedy_en = "逐项更正后重新提交。", "Correct each of them and submit again."

    def __init__(self, errors: list[ProblemError], **rest: Any) -> None:
        super().__init__(errors=errors, count=len(errors), **rest)


class FieldInvalid(ProblemError):
    """A field's value does not fit; never shows the value."""

    slug = "field-invalid"
    status = 422
    title_zh, title_en = "字段有误", "Invalid field"
    detail_zh, detail_en = "{reason_zh}", "{reason_en}"
    remedy_zh, remedy_en = "更正该字段后重新提交。", "Correct this field and submit again."


class CursorInvalid(ProblemError):
    slug = "cursor-invalid"
    status = 422
    title_zh, title_en = "游标无效", "Cursor invalid"
    detail_zh, detail_en = "分页游标不可识别。", "The page cursor cannot be read."
    remedy_zh, remedy_en = "从第一页重新开始。", "Start again from the first page."


class AttachmentUnknown(ProblemError):
    slug = "attachment-unknown"
    status = 422
    title_zh, title_en = "附件不存在", "Attachment unknown"
    detail_zh, detail_en = (
        "本机构没有上传过该附件。",
        "Your organisation has uploaded no such document.",
    )
    remedy_zh, remedy_en = (
        "先上传附件，再引用其摘要。",
        "Upload the document first, then name its digest.",
    )


class Unavailable(ProblemError):
    """The service cannot answer now: its database is away."""

    slug = "unavailable"
    status = 503
    title_zh, title_en = "暂时不可用", "Unavailable for now"
    detail_zh, detail_en = "服务暂时无法访问数据库。", "The service cannot reach its database."
    remedy_zh, remedy_en = "稍后以同一幂等键重试。", "Retry later with the same Idempotency-Key."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}


class InternalFault(ProblemError):
    slug = "internal-fault"
    status = 500
    title_zh, title_en = "内部错误", "Internal fault"
    detail_zh, detail_en = "服务内部错误，未作任何更改。", "An internal fault; nothing was changed."
    remedy_zh, remedy_en = "请将追踪编号告知运维人员。", "Tell the operators the trace id."
