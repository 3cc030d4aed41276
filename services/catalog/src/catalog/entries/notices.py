"""Messages for the inboxes of agency and authority: one a recipient and act, however many entries."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from catalog.desk import Desk
from catalog.entries.acts import Change, Parties
from catalog.entries.records import Entry
from contracts.events.clock import Notice
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent


class _Wording(NamedTuple):
    to: Literal["authority", "agency"]
    role: str
    zh: str
    en: str


_WORDINGS = {
    "entry.submit": _Wording("authority", "authority_reviewer", "报送审定", "submitted for review"),
    "entry.recall": _Wording("authority", "authority_reviewer", "已撤回报送", "recalled"),
    "entry.return": _Wording("agency", "agency_clerk", "退回修改", "returned"),
    "entry.approve": _Wording("agency", "agency_clerk", "已审定", "approved"),
    "entry.publish": _Wording("agency", "agency_clerk", "已发布", "published"),
    "entry.takedown": _Wording("authority", "authority_approver", "申请下架", "takedown requested"),
    "entry.approve_takedown": _Wording("agency", "agency_clerk", "已下架", "taken down"),
    "entry.refuse_takedown": _Wording("agency", "agency_clerk", "下架未获批准", "takedown refused"),
    "entry.suspend": _Wording("agency", "agency_leader", "已暂停", "suspended"),
    "entry.resume": _Wording("agency", "agency_leader", "已恢复", "resumed"),
}


def with_notices(changes: Sequence[Change], desk: Desk, parties: Parties) -> list[Change]:
    """Return the changes with their notices; a notice travels with its group's first entry."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, change in enumerate(changes):
        wording = _WORDINGS.get(change.audit.act)
        if wording is not None:
            authority = wording.to == "authority"
            to = parties.authority.org_id if authority else change.entry.providing_org
            groups.setdefault((change.audit.act, to), []).append(number)
    found = list(changes)
    for (act, to), numbers in groups.items():
        first = found[numbers[0]]
        entry = replace(first.entry, emitted=first.entry.emitted + 1)
        notice = _notice(act, to, entry, others=len(numbers) - 1, desk=desk)
        found[numbers[0]] = replace(first, entry=entry, events=(*first.events, notice))
    return found


def _notice(act: str, org_id: str, entry: Entry, *, others: int, desk: Desk) -> OutgoingEvent:
    wording = _WORDINGS[act]
    and_zh = f"等{others + 1}条目录" if others else ""
    and_en = f" and {others} more" if others else ""
    notice = Notice(
        notice_id=str(desk.ids.uuid7()),
        org_id=org_id,
        role=wording.role,
        title_zh=f"《{entry.title}》{and_zh}{wording.zh}",
        title_en=f"{entry.title}{and_en}: {wording.en}",
        case_kind="catalog_entry",
        case_id=entry.entry_id,
        case_no=entry.resource_code or "",
        link=f"/catalog/v1/entries/{entry.entry_id}",
        at=desk.stamp,
    )
    return OutgoingEvent(
        type="yiwang.notice.posted.v1",
        topic=topic_name("filings", desk.node),
        key=entry.entry_id,
        case_version=entry.emitted,
        subject=notice.notice_id,
        payload=notice,
        destination=desk.node,
    )
