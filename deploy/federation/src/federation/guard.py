"""Starts a command that ends when its starter ends, optionally as another system user.

Run as a plain script: ``python guard.py PARENT SIGNAL UID GID COMMAND…``. It drops its rights
first, because a change of user clears the parent-death signal, then asks the kernel for the
signal, then becomes the command. It imports nothing of ours, so that it costs milliseconds and
needs no readable environment after the change of user.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, number, uid, gid = (int(value) for value in sys.argv[1:5])
    command = sys.argv[5:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)  # loaded before the change of user
    if gid >= 0:
        os.setgroups([])
        os.setgid(gid)
    if uid >= 0:
        os.setuid(uid)
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the command is ours, no shell


if __name__ == "__main__":
    main()
