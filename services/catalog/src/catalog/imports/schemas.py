"""HTTP models of imports and completion profiles."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from catalog.imports.profiles import ProfileRules
from catalog.schemas import Command, Label, View

Note = Annotated[str, StringConstraints(max_length=2000)]


class CreateProfile(ProfileRules):
    """A completion profile; it completes nothing before another person has confirmed it."""

    name: Label
    note: Note = ""


class ConfirmProfile(Command):
    """On what ground the person confirms."""

    note: Note = ""


class CompleteImport(Command):
    """Apply a confirmed profile to an import's drafts."""

    profile_id: UUID


class ProfileView(View):
    """A completion profile."""

    profile_id: str
    name: str
    organisation: str
    rules: ProfileRules
    confirmed: bool
    created_by: str
    confirmed_by: str | None
    note: str


class ImportReport(View):
    """What became of a file's rows.

    ``refused`` counts rows without draft by reason, ``incomplete`` counts drafts by what stands
    against submitting them (``code:field``), ``unread`` values that nobody understands by field,
    ``matched`` how departments were found, ``assumed`` fields that a profile filled.
    """

    rows: int = 0
    drafts: int = 0
    complete: int = 0
    refused: dict[str, int] = Field(default_factory=dict)
    matched: dict[str, int] = Field(default_factory=dict)
    incomplete: dict[str, int] = Field(default_factory=dict)
    unread: dict[str, int] = Field(default_factory=dict)
    unknown_columns: dict[str, int] = Field(default_factory=dict)
    repeated_titles: int = 0
    assumed: dict[str, int] = Field(default_factory=dict)


class RefusedRow(View):
    """A row that became no draft."""

    row: int
    reason: str
    field: str


class ImportView(View):
    """An import: its file, the report as of then, and where its entries stand now."""

    import_id: str
    file_name: str
    file_digest: str
    form: str
    encoding: str
    organisation: str
    imported_by: str
    imported_at: str
    rows: int
    drafts: int
    report: ImportReport
    states: dict[str, int] = Field(default_factory=dict)
    refusals: tuple[RefusedRow, ...] = ()


class CompletionView(View):
    """What a profile did to an import's drafts."""

    import_id: str
    profile_id: str
    looked_at: int
    changed: int
    complete: int
    report: dict[str, Any]
