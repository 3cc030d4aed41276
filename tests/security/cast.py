"""Who walks, and what the walk has come by."""

from dataclasses import dataclass, field
from typing import Any

from federation import using_system
from federation.using_system import UsingSystem
from tests.integration.catalog.world import LAW
from tests.security.whole_node import NODE, Person, WholeNode
from tests.support.buskit import Keys, Source

CATALOG, SHARING, NOTIFY = "/catalog/v1", "/sharing/v1", "/notify/v1"
AUTHORITY, EMERGENCY, HEALTH = (f"{NODE}-{short}" for short in ("zs", "yj", "wj"))
AGENCIES = (
    (AUTHORITY, "汕尾市政务服务和数据管理局", "data_authority"),
    (EMERGENCY, "汕尾市应急管理局", "administrative_organ"),
    (HEALTH, "汕尾市卫生健康局", "administrative_organ"),
)
ITEMS = ["licence_no", "company"]
ROWS = "licence_no,company\nA-1,汕尾市甲公司\nA-2,汕尾市乙公司\n"
POSTS: dict[str, tuple[tuple[str, ...], str]] = {
    "reviewer": (("authority_reviewer",), AUTHORITY),
    "approver": (("authority_approver",), AUTHORITY),
    "supervisor": (("authority_supervisor",), AUTHORITY),
    "legal": (("legal_officer",), AUTHORITY),
    "auditor": (("auditor",), AUTHORITY),
    "operator": (("node_operator",), AUTHORITY),
    "steward": (("steward",), EMERGENCY),
    "clerk": (("agency_clerk",), EMERGENCY),
    "leader": (("agency_leader",), EMERGENCY),
    "handler": (("source_handler",), EMERGENCY),
    "source_approver": (("source_approver",), EMERGENCY),
    "confidentiality": (("confidentiality_reviewer",), EMERGENCY),
    "asker": (("agency_clerk",), HEALTH),
    "asking_leader": (("agency_leader",), HEALTH),
    "health_steward": (("steward",), HEALTH),
}


@dataclass
class Walk:
    """The walk's people and what it came by: ids by the name of the path parameter."""

    node: WholeNode
    keys: Keys
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    system: UsingSystem = field(
        default_factory=lambda: using_system.make(f"{HEALTH}-duty", "应急值守系统")
    )

    def __post_init__(self) -> None:
        for name, (roles, organisation) in POSTS.items():
            self.people[name] = self.node.person(*roles, organisation=organisation, subject=name)

    def source(self, node: str, service: str) -> Source:
        """Return a service of another node; one each, because its numbers go on."""
        made = Source(self.keys, node=node, service=service)
        return self.sources.setdefault((node, service), made)

    def who(self, name: str) -> Person:
        return self.people[name]

    def submission(self, entry_id: str, **changed: Any) -> dict[str, Any]:
        """A complete request for an entry."""
        plain: dict[str, Any] = {
            "entry_id": entry_id,
            "items": ITEMS,
            "purpose": "登记防汛责任区内的危险化学品经营企业",
            "basis": [LAW],
            "scene": "应急值守系统",
            "scope": "全市",
            "mode": "api",
            "term_days": 365,
            "system": self.system.as_submitted(),
            "security_measures": "政务外网访问，按人员授权",
        }
        return plain | changed

    def entry_act(self, who: str, entry_id: str, act: str, body: Any = None) -> Any:
        return self.who(who).post(f"{CATALOG}/entries/{entry_id}/{act}", body)
