"""A legal basis (依据) as callers name it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contracts.events.base import Basis

ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=2000)]


class BasisIn(BaseModel):
    """A legal basis; ``level`` is a code of the vocabulary ``basis_level``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    level: Annotated[str, Field(max_length=40)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    number: ShortText = ""
    issuer: ShortText = ""
    article: ShortText = ""
    text: LongText = ""
    document: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    def to_basis(self) -> Basis:
        """Return the basis as events carry it."""
        return Basis(
            level=self.level,
            title=self.title,
            number=self.number,
            issuer=self.issuer,
            article=self.article,
            text=self.text,
            document=self.document,
        )


Bases = Annotated[tuple[BasisIn, ...], Field(max_length=50)]
