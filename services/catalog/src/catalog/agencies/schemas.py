"""HTTP models of agencies."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from catalog.schemas import Command, Label, View

OrgKey = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]{2,63}$")]


class RegisterAgency(Command):
    """Register an agency (Article 6 (五), 7). Without ``org_id`` one is drawn."""

    org_id: OrgKey | None = None
    name: Label
    short_name: Annotated[str, StringConstraints(max_length=64)] = ""
    uscc: Annotated[str, StringConstraints(max_length=30)] | None = None
    kind: Annotated[str, StringConstraints(max_length=40)]
    region_code: Annotated[str, StringConstraints(max_length=12)]
    parent: OrgKey | None = None
    participation_basis: Annotated[str, StringConstraints(max_length=40)] = "mandatory"


class AmendAgency(Command):
    """Change an agency; absent fields stay."""

    name: Label | None = None
    short_name: Annotated[str, StringConstraints(max_length=64)] | None = None
    uscc: Annotated[str, StringConstraints(max_length=30)] | None = None
    kind: Annotated[str, StringConstraints(max_length=40)] | None = None
    parent: OrgKey | None = None
    participation_basis: Annotated[str, StringConstraints(max_length=40)] | None = None
    state: Literal["active", "ended"] | None = None


class Appoint(Command):
    """Appoint a CDO (Article 9) or a steward (Article 7 (一)); ends the post's holder before."""

    role: Literal["cdo", "steward"]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: Label
    document: Annotated[str, StringConstraints(max_length=200)] = ""
    since: date
    until: date | None = None


class AppointmentView(View):
    """An appointment in force or past."""

    appointment_id: str
    role: str
    subject: str
    name: str
    document: str
    since: str
    until: str | None


class AgencyView(View):
    """An agency; ``record_version`` is what ``If-Match`` takes."""

    org_id: str
    node: str
    region_code: str
    name: str
    short_name: str
    uscc: str | None
    kind: str
    level: str
    parent: str | None = None
    participation_basis: str = ""
    state: str
    record_version: int
    appointments: tuple[AppointmentView, ...] = Field(default=())
