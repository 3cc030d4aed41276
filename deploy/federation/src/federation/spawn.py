"""The one way this package starts a process: in a group of its own, ending with its starter."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")


def guarded(
    command: Sequence[str],
    *,
    on_parent_death: signal.Signals = signal.SIGKILL,
    uid: int = -1,
    gid: int = -1,
) -> list[str]:
    """Return the command line that runs ``command`` under the guard."""
    ids = [os.getpid(), int(on_parent_death), uid, gid]
    return [sys.executable, "-I", "-S", str(GUARD), *(str(number) for number in ids), *command]


def start(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | str = "/",
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a (guarded) command in a new session with its output appended to ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - commands are ours, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )


def stop(
    process: subprocess.Popen[bytes],
    *,
    first: signal.Signals = signal.SIGTERM,
    patience: float = 10,
) -> None:
    """End a process: its polite signal first, then SIGKILL to its whole group."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(patience)


def tail(log: Path, lines: int = 5) -> str:
    """Return the last lines of a log for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def python_environment() -> dict[str, str]:
    """Return the environment of our own processes: the caller's without our settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIWANG_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
