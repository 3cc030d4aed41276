"""HTTP models of datasets."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from sharing.datasets.repository import Dataset


class DatasetOut(BaseModel):
    """The current data file of an entry; ``digest`` is its SHA-256."""

    dataset_id: str
    entry_id: str
    entry_version: int
    columns: tuple[str, ...]
    encoding: str
    digest: str
    size: int
    rows: int
    uploaded_by: str
    uploaded_at: datetime
    unchanged: bool

    @classmethod
    def of(cls, dataset: Dataset, *, unchanged: bool = False) -> Self:
        """Return the dataset as shown."""
        names = [name for name in cls.model_fields if name != "unchanged"]
        return cls(**{name: getattr(dataset, name) for name in names}, unchanged=unchanged)
