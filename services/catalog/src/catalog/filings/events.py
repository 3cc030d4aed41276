"""Turns an entry that becomes 不予共享 into its filing F1, and a completion into its event."""

from collections.abc import Collection

from catalog.desk import Desk
from catalog.entries.content import EntryContent
from catalog.entries.records import Entry
from contracts.authority import filing_target
from contracts.events.base import Basis, OrganisationRef
from contracts.events.filing import FilingCompleted, FilingSubmitted
from contracts.rules import FilingRule
from contracts.topics import topic_name
from kernel.ports import OutgoingEvent

TRIGGER = "catalog.entry.not_shared"
SUMMARY_LENGTH = 1000


def filing_of(
    entry: Entry,
    content: EntryContent,
    parts: Collection[str],
    *,
    rule: FilingRule,
    filer: OrganisationRef,
    desk: Desk,
) -> FilingSubmitted:
    """Return the filing under ``rule``; the rule names level and addressee."""
    target = filing_target(rule, entry.region_code, regions=desk.regions)
    return FilingSubmitted(
        filing_id=str(desk.ids.uuid7()),
        rule=rule.id,
        article=rule.citation,
        filer=filer,
        receiver_node=target.receiver_node,
        receiver_level=target.receiver_level,
        external=target.external,
        subject_kind="catalog_entry",
        subject_id=entry.entry_id,
        subject_no=entry.resource_code or "",
        subject_title=entry.title,
        summary=summary_of(content, parts),
        basis=tuple(basis.to_event() for basis in content.share_basis),
        submitted_by=entry.submitted_by or desk.principal.subject,
        submitted_at=desk.stamp,
        rule_version=entry.rule_version,
        reply_to="catalog",
    )


def summary_of(content: EntryContent, parts: Collection[str]) -> str:
    """Return what the filing says: the entry, or the items that are not shared."""
    if "*" in parts:
        return f"《{content.title}》整体列为不予共享类"[:SUMMARY_LENGTH]
    names = "、".join(sorted(parts))
    return f"《{content.title}》中列为不予共享的信息项：{names}"[:SUMMARY_LENGTH]


def submitted(filing: FilingSubmitted) -> OutgoingEvent:
    """Return the event that brings a filing to its desk."""
    return OutgoingEvent(
        type="yiwang.filing.submitted.v1",
        topic=topic_name("filings", filing.receiver_node),
        key=filing.filing_id,
        case_version=1,
        subject=filing.filing_id,
        payload=filing,
        destination=filing.receiver_node,
    )


def completed(
    filing_id: str,
    receiver_node: str,
    *,
    number: int,
    summary: str,
    basis: tuple[Basis, ...],
    desk: Desk,
) -> OutgoingEvent:
    """Return the event that completes a returned filing; ``number`` numbers the filing's events."""
    payload = FilingCompleted(
        filing_id=filing_id,
        summary=summary,
        basis=basis,
        completed_by=desk.principal.subject,
        completed_at=desk.stamp,
    )
    return OutgoingEvent(
        type="yiwang.filing.completed.v1",
        topic=topic_name("filings", receiver_node),
        key=filing_id,
        case_version=number,
        subject=filing_id,
        payload=payload,
        destination=receiver_node,
    )
