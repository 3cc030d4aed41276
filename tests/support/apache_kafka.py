"""Apache Kafka from Maven Central: one broker in KRaft mode, for machines with Java and Maven."""

import base64
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from federation import ports, spawn

ROOT = Path(__file__).resolve().parents[2]
POM = ROOT / "deploy" / "kafka" / "pom.xml"
LIBRARIES = ROOT / ".venv" / "kafka"
READY_WITHIN = 60.0
FETCH_WITHIN = 300  # seconds for Maven's first download, 43 MB

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


def is_to_be_had() -> bool:
    """Tell whether Java is here, and the libraries are or Maven can fetch them."""
    if shutil.which("java") is None:
        return False
    return _mark().exists() or (shutil.which("mvn") is not None and _fetch())


def _mark() -> Path:
    return LIBRARIES / f".complete-{uuid.uuid5(uuid.NAMESPACE_URL, POM.read_text()).hex}"


def _fetch() -> bool:
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    command.append(f"-DoutputDirectory={LIBRARIES}")
    try:
        fetched = subprocess.run(command, capture_output=True, check=False, timeout=FETCH_WITHIN)
    except subprocess.TimeoutExpired:
        return False
    if fetched.returncode == 0:
        _mark().touch()
    return fetched.returncode == 0


@contextmanager
def running(place: Path) -> Iterator[str]:
    """Run a broker with its data in ``place``; yields its bootstrap address."""
    port, controller = ports.free_port(), ports.free_port()
    settings = place / "server.properties"
    settings.write_text(
        SETTINGS.format(port=port, controller=controller, data=place / "data"), encoding="ascii"
    )
    java = shutil.which("java") or "java"
    machine = [java, "-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBRARIES}/*"]
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    form = [*machine, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)]
    subprocess.run(form, check=True, capture_output=True)
    log = place / "kafka.log"
    process = spawn.start(spawn.guarded([*machine, "kafka.Kafka", str(settings)]), log=log)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while not ports.answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Apache Kafka did not start: {spawn.tail(log)}")
            time.sleep(0.1)
        yield f"{ports.LOOPBACK}:{port}"
    finally:
        spawn.stop(process, patience=10)
