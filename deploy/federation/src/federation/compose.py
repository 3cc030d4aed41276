"""What ``docker-compose.yml`` mounts: keys, registry, calendar, secrets of a city and two counties."""

import secrets
from pathlib import Path

import orjson

from contracts.calendar import calendar_to_document, packaged_calendar
from federation import files, home
from federation.embedded_postgres import SUPERUSER
from federation.errors import SetupError
from federation.plan import CITY, SERVICES, make_plan
from kernel.calendars import sign_calendar
from kernel.signing import NodeKey

#: names of the nodes' containers in docker-compose.yml
NAMES = {"441500": "city", "441521": "haifeng", "441581": "lufeng"}
PORT = 8000
# file secrets of compose keep the host's mode; the directory around them is closed instead
SECRET_MODE = 0o444


def write(directory: Path) -> list[Path]:
    """Make everything that is missing in ``directory``; return the files written.

    Raises ``SetupError`` when the directory is there and not empty: keys are never replaced.
    """
    if directory.exists() and any(directory.iterdir()):
        raise SetupError(f"{directory} is not empty: keys that are there are never replaced.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    shared = directory / "shared"
    shared.mkdir(mode=0o755)
    nodes = make_plan(directory).nodes
    keys = {node.code: NodeKey.generate(f"{node.code}-sign-1") for node in nodes}
    urls = {node.code: f"http://{NAMES[node.code]}-sharing:{PORT}" for node in nodes}
    registry = home.registry_document(nodes, keys, delivery_urls=urls)
    written = [
        _write(shared / files.REGISTRY, orjson.dumps(registry, option=orjson.OPT_INDENT_2)),
        _write(
            shared / files.CALENDAR,
            sign_calendar(calendar_to_document(packaged_calendar()), keys[CITY]),
        ),
    ]
    for code, key in keys.items():
        written += _write_secrets(directory / NAMES[code], key)
    return written


def _write_secrets(place: Path, key: NodeKey) -> list[Path]:
    place.mkdir(mode=0o755)
    key.save(place / "node_key")
    (place / "node_key").chmod(SECRET_MODE)
    password = secrets.token_urlsafe(24)
    texts = {"database_password": password, "service_token": secrets.token_urlsafe(32)}
    host = f"{place.name}-postgres:5432"
    for service in SERVICES:
        url = f"postgresql+asyncpg://{SUPERUSER}:{password}@{host}/{service}"
        texts[f"{service}_database_url"] = url
    written = [_write(place / name, text.encode()) for name, text in texts.items()]
    return [place / "node_key", *written]


def _write(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    path.chmod(SECRET_MODE)
    return path
