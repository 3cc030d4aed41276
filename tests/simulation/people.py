"""Who and what exists in every world: organisations, entries, persons with their roles."""

from uuid import UUID

from contracts.events.base import OrganisationRef
from contracts.events.catalog import AgencyState, EntryState, Item
from kernel.principal import Principal
from sharing.bases import BasisIn
from tests.simulation.federation import CITY, NODES, Service

KEY = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
LAW = BasisIn(level="law", title="中华人民共和国数据安全法", article="第三十八条")
ITEMS = ("name", "address", "phone")
Services = dict[tuple[str, str], Service]


def organisation(node: str, place: int) -> OrganisationRef:
    return OrganisationRef(org_id=f"org-{node}-{place}", name=f"机构{place}", node=node)


def agency(node: str, place: int) -> AgencyState:
    return AgencyState(
        org_id=f"org-{node}-{place}",
        node=node,
        region_code=node,
        name=f"机构{place}",
        kind="government",
        level="city" if node == CITY else "county",
        record_version=1,
    )


def entry(node: str, kind: str) -> EntryState:
    """Return the one entry of a kind that a node's first organisation provides."""
    provider = organisation(node, 1)
    number = NODES.index(node) * 2 + (kind == "conditional")
    return EntryState(
        entry_id=str(UUID(int=0xE0000 + number, version=4)),
        resource_code=f"307{node}/{number}",
        node=node,
        region_code=node,
        state="published",
        version=1,
        record_version=1,
        title=f"目录{number}",
        abstract="",
        data_form="table",
        collecting_org=provider,
        verifying_org=provider,
        providing_org=provider,
        share_type=kind,
        share_scope="all",
        open_attr="not_open",
        update_frequency="daily",
        items=tuple(Item(name_cn=name, name_en=name, data_type="string") for name in ITEMS),
        published_at="2026-01-05T01:00:00Z",
        changed_at="2026-01-05T01:00:00Z",
    )


def seed_known(services: Services) -> None:
    """Let every service know the organisations and entries, as broadcasts would have."""
    for service in services.values():
        tables = service.database.tables
        for node in NODES:
            for place in (1, 2):
                known = agency(node, place)
                tables["agencies"].rows[known.org_id] = {"value": known}
            for kind in ("unconditional", "conditional"):
                state = entry(node, kind)
                for version in (0, state.version):
                    tables["known_entries"].rows[(state.entry_id, version)] = {"value": state}


def person(node: str, place: int, *roles: str) -> Principal:
    return Principal(
        subject=f"{'+'.join(roles)}@{node}-{place}",
        name="",
        organisation=f"org-{node}-{place}",
        node=node,
        roles=frozenset(roles),
    )
