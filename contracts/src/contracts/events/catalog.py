"""Events of the catalog: published entries, editions, agencies and what depends on an entry."""

from typing import Literal

from contracts.events.base import Basis, OrganisationRef, Payload


class Item(Payload):
    """A data item (信息项) of a catalog entry, domain field set §3.3."""

    name_cn: str
    name_en: str
    data_type: str
    length: int | None = None
    precision: int | None = None
    code_set: str | None = None
    primary_key: bool = False
    nullable: bool = True
    incremental: bool = False
    share_type: str | None = None
    open_attr: str | None = None
    level: int = 1
    secret: bool = False
    mask: str | None = None
    locally_generated: bool = True
    source_system: str | None = None
    description: str = ""


class EntryState(Payload):
    """The whole current state of a published catalog entry; a broadcast record (Article 11).

    ``state`` is ``published``, ``suspended`` or ``offline``; ``version`` counts publications and
    ``record_version`` every announcement, so that the newer record wins. ``assumed`` lists fields
    filled by a confirmed completion profile and never declared by the department.
    ``source_pending`` (数源待定): another department claims a fact of the entry (Article 15).
    """

    entry_id: str
    resource_code: str
    node: str
    region_code: str
    state: Literal["published", "suspended", "offline"]
    version: int
    record_version: int
    title: str
    abstract: str
    keywords: tuple[str, ...] = ()
    category_path: str = ""
    theme: str = ""
    data_domain: str = ""
    data_form: str
    resource_format: tuple[str, ...] = ()
    collecting_org: OrganisationRef
    verifying_org: OrganisationRef
    providing_org: OrganisationRef
    share_type: str
    share_condition: str = ""
    share_basis: tuple[Basis, ...] = ()
    share_scope: str
    share_mode: str = "platform"
    share_channel: tuple[str, ...] = ()
    permitted_use: tuple[str, ...] = ()
    default_term_days: int | None = None
    open_attr: str
    open_condition: str = ""
    update_frequency: str
    data_grade: str = "general"
    security_level: int = 1
    pi_flags: tuple[str, ...] = ()
    region_column: str | None = None
    department_column: str | None = None
    items: tuple[Item, ...] = ()
    assumed: tuple[str, ...] = ()
    source_pending: bool = False
    edition: int = 0
    published_at: str
    changed_at: str


class EditionPublished(Payload):
    """A regional edition of the catalog (Article 11 ¶3); ends deadline D2 of what it lists."""

    node: str
    region_code: str
    edition: int
    entries: int
    digest: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    published_at: str


class Appointment(Payload):
    """An appointment at an agency: ``cdo`` (首席数据官, Article 9) or ``steward``."""

    role: Literal["cdo", "steward"]
    subject: str
    name: str
    document: str = ""
    since: str
    until: str | None = None


class AgencyState(Payload):
    """The whole current state of an agency; a broadcast record."""

    org_id: str
    node: str
    region_code: str
    name: str
    short_name: str = ""
    uscc: str | None = None
    kind: str
    level: str
    parent: str | None = None
    participation_basis: str = "mandatory"
    state: Literal["active", "ended"] = "active"
    record_version: int


class DependentAdded(Payload):
    """Somebody now depends on an entry: the takedown gate of SM-1 reads these."""

    dependent_id: str
    kind: Literal["grant", "return_flow", "open_dataset", "authorised_operation", "project"]
    entry_id: str
    entry_version: int
    holder: OrganisationRef
    until: str | None = None


class DependentEnded(Payload):
    """The dependence has ended."""

    dependent_id: str
    kind: Literal["grant", "return_flow", "open_dataset", "authorised_operation", "project"]
    entry_id: str
    ended_at: str
    reason: str
