"""A grant: what one using system may fetch of one entry, for one purpose, until when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from contracts.events.base import Basis, OrganisationRef

GrantSide = Literal["held", "issued"]
GrantEnd = Literal["revoked", "expired", "takedown", "returned"]


class GrantState(StrEnum):
    """A grant is active until it is ended; there is no way back."""

    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One side of a grant: ``issued`` at the source's node, ``held`` at the requester's.

    ``public_jwk`` is the public key of the using system (JWK as JSON text): whoever holds its
    private half may call, nobody else. ``proved_at`` is the first successful delivery.
    """

    side: GrantSide
    grant_id: str
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
    rule_version: str
    state: GrantState = GrantState.ACTIVE
    proved_at: datetime | None = None
    last_delivery_at: datetime | None = None
    calls: int = 0
    rows_delivered: int = 0
    end_reason: str = ""
    explanation: str = ""
    end_basis: tuple[Basis, ...] = ()
    ended_by: str = ""
    ended_at: datetime | None = None
    record_version: int = 1

    def usable_at(self, instant: datetime) -> bool:
        """Tell whether the grant permits a call at ``instant``."""
        return self.state is GrantState.ACTIVE and self.valid_from <= instant < self.valid_until
