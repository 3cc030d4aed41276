"""What a federation on one machine consists of: nodes, ports and where everything lies."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from federation import ports
from federation.errors import SetupError

SERVICES = ("catalog", "sharing", "notify")
CITY = "441500"
PLAN = "plan.json"
DEFAULT_PORT_BASE = 8500
PORT_BASES = range(1024, 65_001)
ISSUER_OFFSET = 0
NODE_OFFSET = 1
DATABASE_OFFSET = 11
BROKER_OFFSET = 21
BLOCK = 22  # ports a federation takes, from its base


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node: its code and name, its upper node, and its ports on the loopback interface."""

    code: str
    name: str
    level: str
    parent: str | None
    regions: tuple[str, ...]
    port: int
    database_port: int

    @property
    def url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole federation. ``bootstrap`` names a Kafka of one's own instead of the wheel's broker."""

    home: Path
    nodes: tuple[NodePlan, ...]
    issuer_port: int
    broker_port: int
    bootstrap: str = ""
    otlp_endpoint: str = ""
    rules_files: tuple[Path, ...] = ()
    #: seconds by which every clock of the federation is ahead of the machine's
    clock_shift: float = 0.0
    #: settings that a test or an operator adds to every service, by field name in upper case
    extra_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def issuer_url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.issuer_port}"

    @property
    def bootstrap_servers(self) -> str:
        return self.bootstrap or f"{ports.LOOPBACK}:{self.broker_port}"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    def node(self, code: str) -> NodePlan:
        """Return a node's plan; raises ``SetupError`` for a code that does not run here."""
        for node in self.nodes:
            if node.code == code:
                return node
        known = ", ".join(node.code for node in self.nodes)
        raise SetupError(f"There is no node {code} in this federation; there are {known}.")

    def node_home(self, code: str) -> Path:
        return self.home / "nodes" / code

    def listeners(self) -> dict[str, int]:
        """Return every port that the federation listens on, by what uses it."""
        found = {"issuer": self.issuer_port}
        for node in self.nodes:
            found[f"node {node.code}"] = node.port
            found[f"database of {node.code}"] = node.database_port
        if not self.bootstrap:
            found["broker"] = self.broker_port
        return found


#: the demonstration's nodes: code, name, level, upper node, regions served
DEMONSTRATION = (
    (CITY, "汕尾市政务服务和数据管理局", "city", None, ("441500", "441599")),
    ("441521", "海丰县政务服务和数据管理局", "county", CITY, ("441521",)),
    ("441581", "陆丰市政务服务和数据管理局", "county", CITY, ("441581", "441542")),
)


def default_home() -> Path:
    """Return the run directory: ``YIWANG_HOME``, else ``.yiwang`` where the command was run."""
    return Path(os.environ.get("YIWANG_HOME") or ".yiwang").absolute()


def make_plan(
    home: Path | None = None,
    *,
    port_base: int | None = None,
    bootstrap: str = "",
    otlp_endpoint: str = "",
    rules_files: tuple[Path, ...] = (),
    clock_shift: float = 0.0,
    extra_settings: Mapping[str, str] | None = None,
) -> Plan:
    """Plan the demonstration's federation: city 441500 and the counties 441521 and 441581."""
    base = port_base if port_base is not None else _port_base_from_environment()
    if base not in PORT_BASES:
        raise SetupError(f"The port base must lie between 1024 and {PORT_BASES[-1]}: {base}.")
    nodes = tuple(
        NodePlan(
            code=code,
            name=name,
            level=level,
            parent=parent,
            regions=regions,
            port=base + NODE_OFFSET + number,
            database_port=base + DATABASE_OFFSET + number,
        )
        for number, (code, name, level, parent, regions) in enumerate(DEMONSTRATION)
    )
    return Plan(
        home=home or default_home(),
        nodes=nodes,
        issuer_port=base + ISSUER_OFFSET,
        broker_port=base + BROKER_OFFSET,
        bootstrap=bootstrap,
        otlp_endpoint=otlp_endpoint,
        rules_files=rules_files,
        clock_shift=clock_shift,
        extra_settings=extra_settings or {},
    )


def save_plan(plan: Plan) -> None:
    """Keep the choices of a plan in its run directory, for the other commands."""
    document = {
        "port_base": plan.issuer_port - ISSUER_OFFSET,
        "bootstrap": plan.bootstrap,
        "otlp_endpoint": plan.otlp_endpoint,
        "rules_files": [str(path) for path in plan.rules_files],
        "clock_shift": plan.clock_shift,
        "extra_settings": dict(plan.extra_settings),
    }
    (plan.home / PLAN).write_text(json.dumps(document, indent=1), encoding="utf-8")


def load_plan(home: Path) -> Plan:
    """Return the plan of a run directory; raises ``SetupError`` when it has none."""
    try:
        document = json.loads((home / PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(f"There is no federation in {home}: yiwang up starts one.") from None
    rules = tuple(Path(path) for path in document.pop("rules_files"))
    return make_plan(home, rules_files=rules, **document)


def _port_base_from_environment() -> int:
    text = os.environ.get("YIWANG_PORT_BASE", str(DEFAULT_PORT_BASE))
    if not text.isdecimal():
        raise SetupError(f"YIWANG_PORT_BASE is not a number: {text}.")
    return int(text)


def check_ports(plan: Plan) -> None:
    """Raise ``SetupError`` naming the first port that another program holds."""
    for use, port in plan.listeners().items():
        if ports.is_taken(port):
            raise SetupError(
                f"Port {port} ({use}) is taken by another program: stop that program, or choose "
                "other ports with --port-base or YIWANG_PORT_BASE."
            )
