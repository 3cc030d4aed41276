"""HTTP models of filings."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from sharing.bases import Bases
from sharing.filings.domain import Filing


class FilingOut(BaseModel):
    """A filing as its filer sees it.

    ``state`` is ``queued``, ``sent``, ``received``, ``recorded``, ``returned`` or
    ``awaiting_external_receipt``.
    """

    filing_id: str
    request_id: str
    request_no: str
    rule: str
    article: str
    receiver_node: str
    receiver_level: str
    external: bool
    state: str
    filing_no: str
    external_no: str
    submitted_at: datetime
    entered_at: datetime | None
    stored_at: datetime | None
    receipt_at: datetime | None
    recorded_at: datetime | None
    returned_at: datetime | None
    return_reason: str
    completed_at: datetime | None
    round: int

    @classmethod
    def of(cls, filing: Filing) -> Self:
        """Return the filing as shown."""
        return cls(**{name: getattr(filing, name) for name in cls.model_fields})


class CompleteFiling(BaseModel):
    """The completion of a returned filing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    summary: Annotated[str, Field(min_length=1, max_length=2000)]
    basis: Bases = ()
