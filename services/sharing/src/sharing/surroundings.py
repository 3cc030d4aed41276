"""Makes the ``NodeContext`` of a use case from the service's runtime."""

from functools import lru_cache

from contracts.regions import RegionTable, load_regions
from kernel.registry import Registry
from kernel.runtime import Runtime
from sharing.context import NodeContext


def context_of(runtime: Runtime) -> NodeContext:
    """Return the surroundings of a use case as they are now."""
    return NodeContext(
        node=runtime.node,
        clock=runtime.clock,
        ids=runtime.ids,
        rulebook=runtime.rulebook,
        calendar=runtime.calendar(),
        regions=regions_of(runtime.registry),
        delivery_url=delivery_url(runtime),
    )


def regions_of(registry: Registry) -> RegionTable:
    """Return the regions, with zones acting as counties where the registry says so."""
    return _regions(frozenset((each.node, each.acts_as_county) for each in registry))


@lru_cache(maxsize=16)
def _regions(nodes: frozenset[tuple[str, bool]]) -> RegionTable:
    table = load_regions()
    zones = {
        code: any(node == code and acts for node, acts in nodes)
        for code, region in table.regions.items()
        if region.kind == "functional_zone"
    }
    return table.with_zones(zones)


def delivery_url(runtime: Runtime) -> str:
    """Return the public base of this node's delivery API: the registry's, else the settings'."""
    record = runtime.registry.node(runtime.node)
    settings = runtime.settings
    stated = record.delivery_url if record else ""
    return stated or settings.public_url or f"http://{settings.host}:{settings.port}"
