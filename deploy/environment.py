"""Makes the environment in ``.venv`` from the pinned requirements; needs Python 3.11 and nothing else.

Run by ``make``. A second run without changes returns at once.
"""

import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
MARK = VENV / ".installed"
LOCK = ROOT / "requirements.lock"
NEEDED = (3, 11)
MEMBERS = (
    "contracts",
    "services/kernel",
    "services/catalog",
    "services/sharing",
    "services/notify",
    "deploy/federation",
)


def main() -> int:
    if sys.version_info < NEEDED:
        version = ".".join(str(part) for part in sys.version_info[:3])
        return _complain(
            f"Python 3.11 or newer is needed, this is {version}: make PYTHON=python3.11"
        )
    if MARK.exists() and MARK.read_text(encoding="ascii") == _fingerprint():
        return 0
    python = VENV / "bin" / "python"
    if not python.exists():
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError:
            return _complain(
                "Python's venv cannot install pip: install the package python3-venv, or python3-full."
            )
    try:
        _install(python)
    except subprocess.CalledProcessError as error:
        return _complain(f"The environment could not be made (exit code {error.returncode}).")
    MARK.write_text(_fingerprint(), encoding="ascii")
    return 0


def _install(python: Path) -> None:
    """Install uv by pip, everything pinned by uv, and our own packages as editable ones."""
    quiet = ["--quiet", "--disable-pip-version-check"]
    installer = [str(python), "-m", "pip", "install", *quiet, "--require-hashes", "-r"]
    own_lock = VENV / "uv.lock.txt"
    own_lock.write_text(_pinned("uv"), encoding="ascii")
    subprocess.run([*installer, str(own_lock)], check=True)
    uv = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*uv, "--require-hashes", "-r", str(LOCK)], check=True)
    members = [part for member in MEMBERS for part in ("--editable", str(ROOT / member))]
    # the build backend is pinned too, hence no isolated build environment
    subprocess.run([*uv, "--no-deps", "--no-build-isolation", *members], check=True)


def _pinned(name: str) -> str:
    """Return one package's lines of the pinned requirements, hashes included."""
    lines = LOCK.read_text(encoding="ascii").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = start
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[start : end + 1]) + "\n"


def _fingerprint() -> str:
    """Digest of everything that decides what is installed, the place included."""
    files = [LOCK, *(ROOT / member / "pyproject.toml" for member in MEMBERS)]
    content = b"".join(path.read_bytes() for path in files)
    return sha256(str(ROOT).encode() + sys.version.encode() + content).hexdigest()


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
