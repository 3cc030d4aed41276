"""Administrative divisions, levels and the nodes that serve them (GB/T 2260 and two zones).

A region code alone does not tell who serves it: a functional zone (功能区) acts as a county or is
served by the city, a municipal heading is nobody's, and codes have dates.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.resources import data_path, read_yaml

Level = Literal["province", "city", "county"]
RegionKind = Literal[
    "province",
    "city",
    "county",
    "county_city",
    "district",
    "functional_zone",
    "direct_units",
    "heading",
]
_COUNTY_KINDS = frozenset({"county", "county_city", "district"})
_CODE_LENGTHS = (6, 9, 12)


class UnknownRegionError(ValueError):
    """A code that no table of this platform holds, or that is not in force."""


class Region(BaseModel):
    """One division; ``valid_from`` and ``valid_until`` are known to the year only.

    ``within`` lists the codes whose records belong to a functional zone, because its residents
    carry the codes of the counties around it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    code: str = Field(pattern=r"^\d{6}$")
    name: str
    name_en: str
    kind: RegionKind
    parent: str | None
    gbt2260: bool
    external: bool = False
    acts_as_county: bool = False
    node: Literal["own", "none"] = "own"
    within: tuple[str, ...] = ()
    valid_from: date | None = Field(default=None, alias="from")
    valid_until: date | None = Field(default=None, alias="until")
    succeeded_by: str | None = None

    def in_force(self, on: date) -> bool:
        """Tell whether the code is in force on a day."""
        after_start = self.valid_from is None or self.valid_from <= on
        return after_start and (self.valid_until is None or on <= self.valid_until)


class RegionTable(BaseModel):
    """All divisions of a city and its surroundings."""

    model_config = ConfigDict(frozen=True)

    version: str
    province: str
    city: str
    resource_code_item: str
    regions: Mapping[str, Region]

    def get(self, code: str, *, on: date | None = None) -> Region:
        """Return the division of a 6, 9 or 12 digit code; raises ``UnknownRegionError``.

        Divisions of other cities that the table does not list resolve to their city or province.
        """
        if len(code) not in _CODE_LENGTHS or not code.isascii() or not code.isdigit():
            raise UnknownRegionError(f"{code!r} is no region code of 6, 9 or 12 digits")
        region = self.regions.get(code[:6]) or self._outside(code)
        if on is not None and not region.in_force(on):
            raise UnknownRegionError(f"region {code} is not in force on {on.isoformat()}")
        return region

    def _outside(self, code: str) -> Region:
        if code[:4] != self.city[:4] and (city := self.regions.get(f"{code[:4]}00")):
            return city
        raise UnknownRegionError(f"region {code} is not known here")

    def knows(self, code: str, *, on: date | None = None) -> bool:
        """Tell whether ``get`` would find the code."""
        try:
            self.get(code, on=on)
        except UnknownRegionError:
            return False
        return True

    def level(self, code: str) -> Level:
        """Return the level whose authority is the code's own-level (同级) one."""
        region = self.get(code)
        if region.kind == "province":
            return "province"
        if region.kind in _COUNTY_KINDS or region.acts_as_county:
            return "county"
        return "city"

    def is_outside(self, code: str) -> bool:
        """Tell whether agencies of the region are outside this city's platform."""
        region = self.get(code)
        return region.external or region.kind == "province"

    def node_of(self, code: str) -> str | None:
        """Return the node that serves the region, ``None`` when it is outside the platform.

        Raises ``UnknownRegionError`` for a heading, which no agency may carry.
        """
        region = self.get(code)
        if region.kind == "heading":
            raise UnknownRegionError(f"{code} is a statistical heading and serves nobody")
        if self.is_outside(code):
            return None
        served_by_itself = region.kind in _COUNTY_KINDS or region.acts_as_county
        return region.succeeded_by or region.code if served_by_itself else self.city

    def upper_node(self, code: str) -> str | None:
        """Return the node of the upper-level (上一级) authority; ``None`` when it is outside."""
        return self.city if self.level(code) == "county" and not self.is_outside(code) else None

    def nodes(self) -> tuple[str, ...]:
        """Return the node codes of the city and everything that acts as a county, sorted."""
        inside = (r for r in self.regions.values() if not (r.external or r.kind == "province"))
        found = {self.node_of(region.code) for region in inside if region.kind != "heading"}
        return tuple(sorted(code for code in found if code))

    def node_of_record(self, code: str) -> str | None:
        """Return the node whose region a record's code belongs to, for return flows.

        A zone's residents carry codes of the counties around it, so the zone's listed codes are
        looked up first; the county's prefix comes after.
        """
        for region in self.regions.values():
            if region.acts_as_county and any(code.startswith(each) for each in region.within):
                return region.code
        return self.node_of(code)

    def with_zones(self, acts_as_county: Mapping[str, bool]) -> "RegionTable":
        """Return a table in which zones act as counties or do not, as the registry says."""
        changed = dict(self.regions)
        for code, acts in acts_as_county.items():
            changed[code] = self.get(code).model_copy(update={"acts_as_county": acts})
        return self.model_copy(update={"regions": changed})


def read_regions(path: Path) -> RegionTable:
    """Read a table and check that every parent and successor is in it."""
    document: dict[str, Any] = read_yaml(path)
    regions = {row["code"]: Region.model_validate(row) for row in document["regions"]}
    for region in regions.values():
        for other in (region.parent, region.succeeded_by):
            if other is not None and other not in regions:
                raise UnknownRegionError(f"{region.code} names {other}, which is not listed")
    return RegionTable.model_validate({**document, "regions": regions})


@cache
def load_regions() -> RegionTable:
    """Return the packaged table."""
    return read_regions(data_path("regions") / "shanwei.yaml")
