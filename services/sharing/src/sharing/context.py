"""What a use case knows of the node that it runs in: place, rules, calendar, clock, ids."""

from dataclasses import dataclass

from contracts.calendar import Calendar
from contracts.regions import RegionTable
from contracts.rules import RuleBook, RuleSet, UnknownRuleError
from kernel.clock import Clock
from kernel.ids import IdSource
from kernel.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """The surroundings of a use case; one is made per request or batch.

    ``delivery_url`` is the public base of this node's delivery API.
    """

    node: str
    clock: Clock
    ids: IdSource
    rulebook: RuleBook
    calendar: Calendar
    regions: RegionTable
    delivery_url: str

    def rules_of(self, version: str) -> RuleSet:
        """Return the rule set that an open case keeps; the current one when it is not loaded."""
        try:
            return self.rulebook.get(version)
        except UnknownRuleError:
            return self.rulebook.current

    def other_node(self, node: str) -> Principal:
        """Return the principal under which an event of ``node`` is applied."""
        return Principal(
            subject=f"/nodes/{node}/sharing", name="", organisation="", node=node, kind="service"
        )

    def timer(self) -> Principal:
        """Return the principal of what happens by the passage of time."""
        return Principal(
            subject="timer:sharing", name="", organisation="", node=self.node, kind="service"
        )
