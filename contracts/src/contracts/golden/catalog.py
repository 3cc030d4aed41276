"""Examples of the catalogue's events."""

from typing import Any

from contracts.events import catalog as events
from contracts.golden import cast
from contracts.golden.cast import Sample

_HERE = "/nodes/441521/catalog"


def entry() -> events.EntryState:
    """Return a published entry with conditional sharing."""
    return events.EntryState(
        **_identity(),
        title="镇街行政区划信息",
        abstract="海丰县镇、街道及村（社区）的名称与区划代码",
        keywords=("区划", "镇街"),
        category_path="3/07/044",
        theme="natural_resources",
        data_domain="geography",
        data_form="table",
        resource_format=("csv", "database"),
        collecting_org=cast.SOURCE,
        verifying_org=cast.SOURCE,
        providing_org=cast.SOURCE,
        share_type="conditional",
        share_condition="用于社会救助对象核对",
        share_basis=(cast.FUNCTION_BASIS,),
        share_scope="all_agencies",
        share_mode="platform",
        share_channel=("api", "file"),
        permitted_use=("data_checking",),
        default_term_days=365,
        open_attr="conditional",
        open_condition="登记用途后开放",
        update_frequency="yearly",
        data_grade="general",
        security_level=2,
        pi_flags=("general",),
        region_column="town_code",
        department_column="dept_code",
        items=(_item(),),
        assumed=("abstract",),
        edition=3,
        published_at=cast.MORNING,
        changed_at=cast.MORNING,
    )


def _identity() -> dict[str, Any]:
    return {
        "entry_id": cast.ENTRY_ID,
        "resource_code": cast.RESOURCE_CODE,
        "node": "441521",
        "region_code": "441521",
        "state": "published",
        "version": 1,
        "record_version": 1,
    }


def _item() -> events.Item:
    return events.Item(
        name_cn="镇街名称",
        name_en="town_name",
        data_type="C",
        length=100,
        precision=0,
        code_set="GB/T 10114",
        primary_key=True,
        nullable=False,
        incremental=False,
        share_type="conditional",
        open_attr="conditional",
        level=2,
        secret=False,
        mask="head",
        locally_generated=True,
        source_system="区划地名系统",
        description="全称",
    )


def samples() -> tuple[Sample, ...]:
    """Return one full example per event type of the catalogue."""
    edition = events.EditionPublished(
        node="441521",
        region_code="441521",
        edition=3,
        entries=214,
        digest=cast.DIGEST,
        added=(cast.ENTRY_ID,),
        changed=("019a7b00-0000-7000-8000-000000000102",),
        removed=("019a7b00-0000-7000-8000-000000000103",),
        published_at=cast.NOON,
    )
    return (
        Sample(
            type="yiwang.catalog.entry.published.v1",
            payload=entry(),
            topic="catalog.441521.v1",
            key=cast.ENTRY_ID,
            source=_HERE,
        ),
        Sample(
            type="yiwang.catalog.edition.published.v1",
            payload=edition,
            topic="catalog.441521.v1",
            key="441521",
            source=_HERE,
            case_version=3,
        ),
        Sample(
            type="yiwang.catalog.agency.announced.v1",
            payload=_agency(),
            topic="agencies.441521.v1",
            key=cast.SOURCE.org_id,
            source=_HERE,
        ),
        *_dependents(),
    )


def _agency() -> events.AgencyState:
    return events.AgencyState(
        org_id=cast.SOURCE.org_id,
        node="441521",
        region_code="441521",
        name=cast.SOURCE.name,
        short_name="县自然资源局",
        uscc=cast.SOURCE.uscc,
        kind="administrative_organ",
        level="county",
        parent="441521-gov",
        participation_basis="mandatory",
        state="active",
        record_version=1,
    )


def _dependents() -> tuple[Sample, ...]:
    added = events.DependentAdded(
        dependent_id=cast.GRANT_ID,
        kind="grant",
        entry_id=cast.ENTRY_ID,
        entry_version=1,
        holder=cast.REQUESTER,
        until="2027-02-25",
    )
    ended = events.DependentEnded(
        dependent_id=cast.GRANT_ID,
        kind="grant",
        entry_id=cast.ENTRY_ID,
        ended_at=cast.REPLY,
        reason="revoked",
    )
    pairs = (("added", added), ("ended", ended))
    return tuple(
        Sample(
            type=f"yiwang.catalog.dependent.{name}.v1",
            payload=payload,
            topic="catalog-mail.441521.v1",
            key=cast.GRANT_ID,
            source="/nodes/441521/sharing",
            case_version=number,
        )
        for number, (name, payload) in enumerate(pairs, start=1)
    )
