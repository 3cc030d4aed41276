"""The city's registry of nodes and keys, read from the file that settings name.

It lists all keys that a node ever had and maps regions to nodes (protocol §2).
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator


class RegistryError(ValueError):
    """The registry file is unusable; the text says why and holds no key."""


class KeyRecord(BaseModel):
    """A public key of a node; ``public`` is base64url of the raw key, without padding."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    id: str
    purpose: Literal["sign", "encrypt"] = "sign"
    algorithm: str = "Ed25519"
    public: str
    valid_from: datetime | None = Field(default=None, alias="from")
    valid_to: datetime | None = Field(default=None, alias="to")
    state: Literal["active", "retired", "revoked"] = "active"


class NodeRecord(BaseModel):
    """A node: code, place in the hierarchy, the regions that it serves, its keys."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    node: str
    name: str = ""
    level: str = "county"
    kind: str = ""
    parent: str | None = None
    regions: tuple[str, ...] = ()
    acts_as_county: bool = False
    delivery_url: str = ""
    keys: tuple[KeyRecord, ...] = ()


class Registry(BaseModel):
    """All nodes of the federation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    city: str
    nodes: tuple[NodeRecord, ...]

    @model_validator(mode="after")
    def _codes_and_keys_are_unique(self) -> "Registry":
        codes = [record.node for record in self.nodes]
        keys = [key.id for record in self.nodes for key in record.keys]
        if len(set(codes)) != len(codes) or len(set(keys)) != len(keys):
            raise ValueError("a node code or a key id stands twice in the registry")
        if self.city not in codes:
            raise ValueError("the city's own node is not in the registry")
        return self

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """Read the registry file; raises ``RegistryError`` with one clear sentence."""
        try:
            return cls.model_validate(orjson.loads(path.read_bytes()))
        except OSError as error:
            raise RegistryError(f"the registry file cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RegistryError(f"the registry file is not valid: {error}") from None

    @cached_property
    def _by_code(self) -> dict[str, NodeRecord]:
        return {record.node: record for record in self.nodes}

    @cached_property
    def _by_key(self) -> dict[str, tuple[NodeRecord, KeyRecord]]:
        return {key.id: (record, key) for record in self.nodes for key in record.keys}

    @cached_property
    def _by_region(self) -> dict[str, NodeRecord]:
        return {
            region: record for record in self.nodes for region in (record.node, *record.regions)
        }

    def __iter__(self) -> Iterator[NodeRecord]:  # type: ignore[override]
        return iter(self.nodes)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def node(self, code: str) -> NodeRecord | None:
        """Return a node by its code."""
        return self._by_code.get(code)

    def node_of_region(self, region: str) -> NodeRecord | None:
        """Return the node that serves a region."""
        return self._by_region.get(region)

    def upper(self, code: str) -> NodeRecord | None:
        """Return the node above ``code``; ``None`` above the city (the province is outside)."""
        record = self._by_code.get(code)
        return self._by_code.get(record.parent) if record and record.parent else None

    def key(self, key_id: str) -> tuple[NodeRecord, KeyRecord] | None:
        """Return a key and the node that it belongs to."""
        return self._by_key.get(key_id)
