"""The system user that runs PostgreSQL when the caller is root, which PostgreSQL refuses to be."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from federation.errors import SetupError

NAME = "yiwang-postgres"
#: where files lie that the system user must reach when the caller's own directories are closed
STATE = Path("/var/lib/yiwang")
ALREADY_EXISTS = 9  # useradd(8)


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user and group id; ``-1`` each when the caller is an ordinary user and stays himself."""

    uid: int = -1
    gid: int = -1

    @property
    def is_caller(self) -> bool:
        return self.uid < 0

    def own(self, path: Path) -> None:
        """Give a file or directory that we made to this user."""
        if not self.is_caller:
            os.chown(path, self.uid, self.gid)

    def can_read(self, path: Path) -> bool:
        """Tell whether this user can enter or read ``path``; asks the system, as ACLs count too."""
        if self.is_caller:
            return os.access(path, os.R_OK)
        check = self.run(["/bin/sh", "-c", 'test -r "$0" && test -x "$0"', str(path)])
        return check.returncode == 0

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end as this user."""
        if self.is_caller:
            return subprocess.run(  # noqa: S603 - no shell, constant commands
                command, capture_output=True, text=True, check=False, cwd="/", env=env
            )
        return subprocess.run(  # noqa: S603 - no shell, constant commands
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=env,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )


def database_user() -> SystemUser:
    """Return who runs PostgreSQL: the caller, or a system user of our own when he is root."""
    if os.geteuid() != 0:
        return SystemUser()
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _add_user()
        entry = pwd.getpwnam(NAME)
    return SystemUser(uid=entry.pw_uid, gid=entry.pw_gid)


def _add_user() -> None:
    tool = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if tool is None:
        raise SetupError(
            "PostgreSQL does not run as root and there is no useradd to make a user for it: "
            "run the same command as an ordinary user."
        )
    command = [tool, "--system", "--no-create-home", "--home-dir", str(STATE)]
    command += ["--shell", "/usr/sbin/nologin", "--user-group", NAME]
    made = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    if made.returncode not in {0, ALREADY_EXISTS}:
        raise SetupError(
            f"The system user {NAME} for PostgreSQL could not be made: {made.stderr.strip()}"
        )
