"""Bases of this service's HTTP models."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, StringConstraints


class Command(BaseModel):
    """What a caller sends: nothing unknown is accepted, no value is echoed in an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True)


Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=128)]
OrgId = Annotated[str, Path(max_length=100, description="机构标识 / the agency's id")]
