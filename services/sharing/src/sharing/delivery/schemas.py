"""HTTP models of the delivery API."""

from pydantic import BaseModel, Field


class RowsOut(BaseModel):
    """A page of rows, with the granted items only; absent cells are null."""

    grant_id: str
    entry_id: str
    dataset_id: str = Field(description="数据版本 / the uploaded file that the rows are from")
    entry_version: int
    items: tuple[str, ...]
    rows: list[dict[str, str | None]]
    next: str | None = Field(description="下一页游标 / cursor of the next page, null at the end")
