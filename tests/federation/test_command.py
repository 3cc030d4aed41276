"""The ``yiwang`` command on a federation of real processes."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from federation import embedded_postgres
from federation.plan import make_plan
from tests.support.federations import free_port_base

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.processes]
STORY_WITHIN = 240


class Command:
    """Runs ``yiwang`` on a run directory of its own."""

    def __init__(self, place):
        self.home = place / "run"
        self.base = free_port_base()
        self._environment = {
            **os.environ,
            "YIWANG_HOME": str(self.home),
            "YIWANG_PORT_BASE": str(self.base),
        }

    def popen(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "federation", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self._environment,
        )  # fmt: skip

    def __call__(self, *arguments, code=0, within=120):
        with self.popen(*arguments) as process:
            out, err = process.communicate(timeout=within)
        assert process.returncode == code, f"{arguments}: {process.returncode}\n{out}\n{err}"
        return out if code == 0 else err

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json"))

    def processes(self):
        """Return everything that runs for this directory, by what the command lines say."""
        marks = (str(self.home), *(f":{self.base + offset}" for offset in range(22)))
        found = []
        for process in psutil.process_iter(["cmdline", "pid"]):
            line = " ".join(process.info["cmdline"] or ())
            ours = any(mark in line for mark in marks) or f"-p {self.base + 11}" in line
            if ours and process.pid != os.getpid():
                found.append(line)
        return found


@pytest.fixture
def yiwang(tmp_path):
    command = Command(tmp_path)
    yield command
    command("down", code=0)
    for node in make_plan(command.home, port_base=command.base).nodes:
        embedded_postgres.remove(command.home / "nodes" / node.code / "postgres")


@pytest.mark.timeout(300)
class TestLifeCycle:
    def test_up_status_down_and_a_second_start(self, yiwang):
        shown = yiwang("up")
        assert f"http://127.0.0.1:{yiwang.base + 1}" in shown
        assert "ready" in yiwang("status")
        assert "already runs" in yiwang("up", code=1)
        assert "ok" in yiwang("config", "check")
        assert "Stopped" in yiwang("down")
        assert yiwang.processes() == []
        yiwang("status", code=1)

        yiwang("up")
        yiwang("down", "--purge")
        assert yiwang.processes() == []
        assert not yiwang.home.exists()

    def test_a_killed_supervisor_takes_everything_with_it(self, yiwang):
        yiwang("up")
        state = json.loads((yiwang.home / "state.json").read_text())
        os.kill(state["supervisor"], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while yiwang.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert yiwang.processes() == []


@pytest.mark.timeout(STORY_WITHIN + 60)
class TestDemo:
    def test_the_demo_tells_the_story_to_its_end_and_leaves_no_process(self, yiwang):
        shown = yiwang("demo", "--exit", within=STORY_WITHIN)
        for part in ("提出共享申请", "备案登记", "同意共享", "凭令牌取数", "970", "撤销授权",
                     "依据不足", "审计链核验", "第十九条第三款", "trace"):  # fmt: skip
            assert part in shown
        assert yiwang.processes() == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_demo_that_is_told_to_end_leaves_no_process(self, yiwang, number):
        with yiwang.popen("demo") as process:
            deadline = time.monotonic() + 60
            while not (yiwang.home / "state.json").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(1)  # somewhere in the middle of the start
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
        assert "Traceback" not in err
        assert yiwang.processes() == []
