"""The surroundings of a use case: node, caller, time, rules, calendar, regions."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from contracts.calendar import Calendar, civil_date
from contracts.regions import RegionTable, load_regions
from contracts.rules import RuleBook, RuleSet, UnknownRuleError
from kernel.ids import IdSource
from kernel.outbox import instant
from kernel.principal import Principal
from kernel.registry import Registry

if TYPE_CHECKING:
    from kernel.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a command of one caller at one moment knows; made once for a command or batch."""

    node: str
    principal: Principal
    now: datetime
    ids: IdSource
    rulebook: RuleBook
    calendar: Calendar
    regions: RegionTable

    @property
    def today(self) -> date:
        """The civil date in Asia/Shanghai."""
        return civil_date(self.now)

    @property
    def stamp(self) -> str:
        """The moment as events carry it."""
        return instant(self.now)

    @property
    def rules(self) -> RuleSet:
        """The rules for new cases."""
        return self.rulebook.current

    def rules_of(self, version: str) -> RuleSet:
        """Return the rules that an open case keeps; the current ones when they are not loaded."""
        try:
            return self.rulebook.get(version)
        except UnknownRuleError:
            return self.rules


def desk_of(runtime: "Runtime", principal: Principal) -> Desk:
    """Return the surroundings of a command as they are now."""
    return Desk(
        node=runtime.node,
        principal=principal,
        now=runtime.clock.now(),
        ids=runtime.ids,
        rulebook=runtime.rulebook,
        calendar=runtime.calendar(),
        regions=regions_of(runtime.registry),
    )


def regions_of(registry: Registry) -> RegionTable:
    """Return the regions, with zones acting as counties where the registry says so."""
    return _regions(frozenset(each.node for each in registry if each.acts_as_county))


@lru_cache(maxsize=16)
def _regions(acting: frozenset[str]) -> RegionTable:
    table = load_regions()
    zones = {
        code: code in acting
        for code, region in table.regions.items()
        if region.kind == "functional_zone"
    }
    return table.with_zones(zones)
