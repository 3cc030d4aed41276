"""Turns an entry in force into its broadcast: the whole current state, without contact fields."""

from catalog.desk import Desk
from catalog.entries.acts import Parties
from catalog.entries.content import EntryContent, ItemContent
from catalog.entries.domain import Standing
from catalog.entries.records import Entry
from contracts.events.catalog import EntryState, Item
from contracts.topics import topic_name
from kernel.outbox import instant
from kernel.ports import OutgoingEvent

_COPIED = (
    "title",
    "abstract",
    "keywords",
    "category_path",
    "theme",
    "data_domain",
    "data_form",
    "resource_format",
    "share_type",
    "share_condition",
    "share_scope",
    "share_mode",
    "share_channel",
    "permitted_use",
    "default_term_days",
    "open_attr",
    "open_condition",
    "update_frequency",
    "data_grade",
    "pi_flags",
    "assumed",
)
_ITEM = tuple(name for name in Item.model_fields)


def state_of_entry(
    entry: Entry, content: EntryContent, *, edition: int, desk: Desk, parties: Parties
) -> EntryState:
    """Return the entry's broadcast state; ``content`` is what is in force."""
    if entry.resource_code is None or entry.published_at is None:
        raise ValueError("an entry without a published version has no broadcast state")
    return EntryState(
        entry_id=entry.entry_id,
        resource_code=entry.resource_code,
        node=desk.node,
        region_code=content.region_code or entry.region_code,
        state=Standing(entry.standing).value,
        version=entry.version,
        record_version=entry.record_version,
        collecting_org=parties.agency(content.collecting_org, desk.node),
        verifying_org=parties.agency(content.verifying_org, desk.node),
        providing_org=parties.agency(entry.providing_org, desk.node),
        share_basis=tuple(basis.to_event() for basis in content.share_basis),
        security_level=content.security_level or 1,
        region_column=content.region_column or None,
        department_column=content.department_column or None,
        items=tuple(_item(item) for item in content.items),
        source_pending=entry.source_pending,
        edition=edition,
        published_at=instant(entry.published_at),
        changed_at=desk.stamp,
        **{name: getattr(content, name) for name in _COPIED},
    )


def broadcast(state: EntryState) -> OutgoingEvent:
    """Return the broadcast of a state."""
    return OutgoingEvent(
        type="yiwang.catalog.entry.published.v1",
        topic=topic_name("catalog", state.node),
        key=state.entry_id,
        case_version=state.record_version,
        subject=state.resource_code,
        payload=state,
        destination="*",
    )


def _item(item: ItemContent) -> Item:
    return Item(**{name: getattr(item, name) for name in _ITEM})
