"""What every payload has in common."""

from pydantic import BaseModel, ConfigDict


class Payload(BaseModel):
    """A frozen event payload.

    Unknown fields are ignored when reading, so that a newer sender may add optional ones
    (compatibility mode ``compatible``: only additions of optional fields).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Basis(Payload):
    """A reference to a legal basis (依据), Articles 13, 14 and 19.

    ``level`` is a code of the vocabulary ``basis_level``: ``law``, ``administrative_regulation``,
    ``local_regulation``, ``departmental_rule``, ``government_rule``, ``national_provision`` or
    ``normative``. ``document`` is the digest of an attached copy.
    """

    level: str
    title: str
    number: str = ""
    issuer: str = ""
    article: str = ""
    text: str = ""
    document: str | None = None


class OrganisationRef(Payload):
    """An organisation (公共管理和服务机构) as named in an event; ``node`` runs its platform."""

    org_id: str
    name: str
    node: str
    uscc: str | None = None


class DueDate(Payload):
    """When a clock runs out, and on what ground.

    ``start_basis`` tells whether the start stands in the text or is an interpretation or policy.
    ``provisional`` (暂定) is set past the horizon of the calendar; ``remind_on`` is then the
    pessimistic date. All dates are civil dates in Asia/Shanghai, ISO 8601.
    """

    rule: str
    rule_version: str
    kind: str
    article: str
    start_event: str
    start_basis: str
    starts_on: str
    length: int
    unit: str = "working_day"
    due_on: str
    remind_on: str
    provisional: bool
    calendar_version: str
