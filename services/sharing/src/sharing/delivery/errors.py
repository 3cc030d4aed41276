"""Refusals of delivery calls."""

from kernel.problems import ProblemError


class TokenTooLong(ProblemError):
    slug = "grant-token-lifetime"
    status = 401
    title_zh, title_en = "调用令牌有效期过长", "Token lives too long"
    detail_zh = "调用令牌的有效期不得超过 {limit} 秒。"
    detail_en = "The token of a call lives {limit} seconds at most."
    remedy_zh = "每次调用用使用系统私钥新签一个短期令牌。"
    remedy_en = "Sign a new short-lived token with the using system's key for each call."


class TokenReplayed(ProblemError):
    slug = "grant-token-replayed"
    status = 401
    title_zh, title_en = "调用令牌已使用", "Token used before"
    detail_zh, detail_en = "该调用令牌已使用过。", "This token was used before."
    remedy_zh = "每次调用使用新的 jti。"
    remedy_en = "Draw a new jti for each call."
