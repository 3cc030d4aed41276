"""What a reminder, an overdue notice and an escalation say."""

from typing import Any

from sqlalchemy import Row

from notify.inbox.domain import Address, Message
from notify.reminders.domain import Step

_TITLES = {
    "reminder": ("期限提醒", "Reminder"),
    "overdue": ("已逾期", "Overdue"),
    "escalation": ("逾期督办", "Escalation of an overdue case"),
}


def message(row: Row[Any], step: Step, address: Address, *, name_zh: str, name_en: str) -> Message:
    """Return the message of a step; ``name_zh`` and ``name_en`` name the deadline's rule."""
    what_zh, what_en = _TITLES[step.kind]
    provisional_zh, provisional_en = ("（暂定）", " (provisional)") if row.provisional else ("", "")
    return Message(
        item_id=f"clock:{row.clock_id}:{step.mark}",
        address=address,
        kind=step.kind,
        title_zh=(
            f"{what_zh}：{name_zh} {row.case_no} {row.title}，"
            f"责任单位 {row.bound_name}，截止 {row.counts_on}{provisional_zh}"
        ),
        title_en=(
            f"{what_en}: {name_en}, {row.case_no} {row.title}; "
            f"bound: {row.bound_name}; due {row.counts_on}{provisional_en}"
        ),
        case_kind=row.case_kind,
        case_id=row.case_id,
        case_no=row.case_no,
        link=f"/notify/v1/clocks/{row.clock_id}",
    )
