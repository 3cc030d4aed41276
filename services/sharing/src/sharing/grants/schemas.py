"""HTTP models of grants."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from contracts.events.base import Basis, OrganisationRef
from sharing.bases import BasisIn
from sharing.grants.domain import Grant


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RevokeGrant(_Command):
    """Why a grant is revoked, and on what ground."""

    explanation: Annotated[str, Field(min_length=1, max_length=2000)]
    basis: Annotated[tuple[BasisIn, ...], Field(max_length=50)] = ()


class ReturnGrant(_Command):
    """Why the holder gives the grant back."""

    explanation: Annotated[str, Field(max_length=2000)] = ""


class GrantOut(BaseModel):
    """A grant as one side sees it; its key is the using system's public one."""

    grant_id: str
    side: str
    request_id: str
    entry_id: str
    entry_version: int
    items: tuple[str, ...]
    purpose: str
    mode: str
    holder: OrganisationRef
    source: OrganisationRef
    system_id: str
    public_jwk: str
    valid_from: datetime
    valid_until: datetime
    delivery_url: str
    state: str
    proved_at: datetime | None
    last_delivery_at: datetime | None
    calls: int
    rows_delivered: int
    end_reason: str
    explanation: str
    end_basis: tuple[Basis, ...]
    ended_at: datetime | None

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """Return the grant as shown."""
        return cls(**{name: getattr(grant, name) for name in cls.model_fields})
