"""What a catalogue entry says: the fields of the regulation and of the national guide (§3.3).

A draft may lack anything; ``entries.checks`` tells what is missing before it can be submitted.
Texts are trimmed, and codes are strings of ``contracts.vocabulary``.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.events.base import Basis

TITLE_LENGTH = 128
ABSTRACT_LENGTH = 1000

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Words = Annotated[tuple[Short, ...], Field(max_length=100)]
Codes = Annotated[tuple[Code, ...], Field(max_length=50)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BasisText(_Frozen):
    """A citation of a legal basis (依据); ``document`` is the digest of an attached copy."""

    level: Code = ""
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    number: Short = ""
    issuer: Short = ""
    article: Short = ""
    text: Text = ""
    document: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None

    def to_event(self) -> Basis:
        """Return the citation as events carry it."""
        return Basis(**self.model_dump())


class ItemContent(_Frozen):
    """A data item (信息项). ``data_element`` and ``subject_kind`` make it a claim (Article 15).

    ``taken_from`` is the resource code of the entry that the item was taken from; such an item is
    not collected here and claims nothing.
    """

    name_cn: Short = ""
    name_en: Short = ""
    data_type: Code = ""
    length: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    precision: Annotated[int, Field(ge=0, le=100)] | None = None
    code_set: Short | None = None
    primary_key: bool = False
    nullable: bool = True
    incremental: bool = False
    share_type: Code | None = None
    open_attr: Code | None = None
    level: Annotated[int, Field(ge=1, le=4)] = 1
    secret: bool = False
    mask: Code | None = None
    locally_generated: bool = True
    source_system: Short | None = None
    description: Text = ""
    data_element: Code = ""
    subject_kind: Code = ""
    taken_from: Code = ""
    function_basis: Text = ""


class EntryContent(_Frozen):
    """The content of one version of an entry.

    ``assumed`` names fields that a confirmed completion profile filled; ``share_basis`` carries
    conditions (Article 14 ¶1) and refusals to share (Article 14 ¶2). Contact fields never leave
    the node.
    """

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=TITLE_LENGTH)] = ""
    abstract: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=ABSTRACT_LENGTH)
    ] = ""
    keywords: Words = ()
    category_path: Short = ""
    theme: Short = ""
    data_domain: Code = ""
    data_form: Code = ""
    resource_format: Codes = ()
    temporal_start: Short = ""
    temporal_end: Short = ""
    data_region: Code = ""
    data_level: Code = ""
    processing_level: Code = ""
    data_kind: Codes = ()
    related_codes: Codes = ()
    source_system: Short = ""
    source_system_level: Code = ""

    collecting_org: Code = ""
    verifying_org: Code = ""
    providing_org: Code = ""
    source_org_decision: Short = ""
    steward: Short = ""
    contact_name: Short = ""
    contact_phone: Short = ""
    region_code: Code = ""
    function_basis: Text = ""
    service_item_code: Codes = ()

    share_type: Code = ""
    share_condition: Text = ""
    share_basis: Annotated[tuple[BasisText, ...], Field(max_length=20)] = ()
    share_scope: Code = ""
    share_scope_orgs: Codes = ()
    share_mode: Code = ""
    share_channel: Codes = ()
    permitted_use: Codes = ()
    default_term_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    open_attr: Code = ""
    open_condition: Text = ""
    open_basis: Annotated[tuple[BasisText, ...], Field(max_length=20)] = ()
    open_owner: Short = ""
    licence: Short = ""

    update_frequency: Code = ""
    update_frequency_text: Short = ""
    data_updated_at: Short = ""
    record_count: Annotated[int, Field(ge=0, le=10**15)] | None = None
    sync_mode: Code = ""

    data_grade: Code = ""
    security_level: Annotated[int, Field(ge=1, le=5)] | None = None
    contains_secret: bool | None = None
    is_public_service_data: bool = True
    pi_flags: Codes = ()
    pi_declared: bool = False
    masking_profile: Code = ""

    returnable: bool = False
    region_column: Short = ""
    department_column: Short = ""
    net_type: Code = ""
    ingest_channel: Code = ""

    items: tuple[ItemContent, ...] = ()
    assumed: Words = ()

    def stored(self) -> dict[str, Any]:
        """Return the content as it is kept: what differs from an empty entry."""
        return self.model_dump(exclude_defaults=True)


FIELDS = tuple(EntryContent.model_fields)
