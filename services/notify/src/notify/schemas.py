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


Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=100)]
FilingId = Annotated[str, Path(max_length=100, description="备案标识 / the filing's id")]
ClockId = Annotated[str, Path(max_length=300, description="时限标识 / the clock's id")]
ItemId = Annotated[str, Path(max_length=400, description="消息标识 / the item's id")]
