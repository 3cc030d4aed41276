"""The run directory: keys, registry, calendar, people and every node's settings.

Made once and kept: a second start finds its keys, databases and documents. Secrets lie in files
of mode 0600 and are named to the services by ``*_FILE``.
"""

import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from contracts.calendar import Calendar, calendar_to_document, packaged_calendar
from contracts.resources import data_path
from federation import ports
from federation.agencies import sample_agencies
from federation.files import (
    CALENDAR,
    CLIENTS,
    ISSUER_KEY,
    NODE_KEY,
    PEOPLE,
    REGISTRY,
    SERVICE_TOKEN,
    SETTINGS,
)
from federation.people import people_of
from federation.plan import CITY, SERVICES, NodePlan, Plan
from kernel.calendars import sign_calendar
from kernel.issuer import make_key
from kernel.signing import NodeKey

RULES = "shanwei-2025-draft.yaml"


def prepare(plan: Plan, *, calendar: Calendar | None = None) -> None:
    """Make what is missing in the run directory and write what follows from the plan."""
    for directory in (plan.home, plan.logs, plan.home / "nodes", plan.home / "issuer"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for node in plan.nodes:
        for directory in (plan.node_home(node.code), plan.node_home(node.code) / "objects"):
            directory.mkdir(mode=0o700, exist_ok=True)
    keys = {node.code: _node_key(plan.node_home(node.code), node.code) for node in plan.nodes}
    urls = {node.code: node.url for node in plan.nodes}
    _write_json(plan.home / REGISTRY, registry_document(plan.nodes, keys, delivery_urls=urls))
    if not (plan.home / CALENDAR).exists() or calendar is not None:
        document = calendar_to_document(calendar or packaged_calendar())
        (plan.home / CALENDAR).write_bytes(sign_calendar(document, keys[CITY]))
    _prepare_issuer(plan)
    for node in plan.nodes:
        _keep_secret(plan.node_home(node.code) / SERVICE_TOKEN)


def registry_document(
    nodes: Iterable[NodePlan], keys: Mapping[str, NodeKey], *, delivery_urls: Mapping[str, str]
) -> dict[str, Any]:
    """Return the city's registry of these nodes and their keys."""
    return {
        "city": CITY,
        "nodes": [
            {
                "node": node.code,
                "name": node.name,
                "level": node.level,
                "parent": node.parent,
                "regions": node.regions,
                "delivery_url": delivery_urls[node.code],
                "keys": [
                    {
                        "id": keys[node.code].id,
                        "purpose": "sign",
                        "algorithm": keys[node.code].suite.algorithm,
                        "public": keys[node.code].public(),
                        "state": "active",
                    }
                ],
            }
            for node in nodes
        ],
    }


def write_settings(plan: Plan, node: NodePlan, database_urls: dict[str, str]) -> Path:
    """Write a node's settings file and the secret files that it names; return its path."""
    place = plan.node_home(node.code)
    values = {
        "NODE": node.code,
        "REGISTRY_FILE": str(plan.home / REGISTRY),
        "NODE_KEY_FILE": str(place / NODE_KEY),
        "CALENDAR_FILE": str(plan.home / CALENDAR),
        "RULES_FILES": _json_list(plan.rules_files or (data_path("rules") / RULES,)),
        "OBJECTS_DIR": str(place / "objects"),
        "SERVICE_TOKEN_FILE": str(place / SERVICE_TOKEN),
        "BOOTSTRAP": plan.bootstrap_servers,
        # one worker a service: a group of the wheel's broker takes five seconds and more to form
        "CONSUMER_GROUPS": "false",
        # writers and relays share a process and wake each other; polling is the net below
        "RELAY_POLL_SECONDS": "1",
        "ISSUER": plan.issuer_url,
        "JWKS_URL": f"{plan.issuer_url}/jwks",
        "HOST": ports.LOOPBACK,
        "PORT": str(node.port),
        "PUBLIC_URL": node.url,
        "SIBLINGS": orjson.dumps(dict.fromkeys(SERVICES, node.url)).decode(),
        "OTLP_ENDPOINT": plan.otlp_endpoint,
        **plan.extra_settings,
    }
    for service in SERVICES:
        secret = place / f"{service}.url"
        _write_secret(secret, database_urls[service])
        values[f"{service.upper()}_DATABASE_URL_FILE"] = str(secret)
    lines = [f"YIWANG_{name}='{value}'\n" for name, value in values.items()]
    path = place / SETTINGS
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _prepare_issuer(plan: Plan) -> None:
    if not (plan.home / ISSUER_KEY).exists():
        make_key(plan.home / ISSUER_KEY, key_id="issuer-1")
    if (plan.home / CLIENTS).exists():
        return
    people = people_of(sample_agencies())
    passwords = {person.id: secrets.token_urlsafe(24) for person in people}
    clients = {
        person.id: {
            "secret": sha256(passwords[person.id].encode()).hexdigest(),
            "claims": person.claims(),
        }
        for person in people
    }
    _write_secret(plan.home / PEOPLE, orjson.dumps(passwords).decode())
    _write_secret(plan.home / CLIENTS, orjson.dumps(clients).decode())


def _node_key(place: Path, code: str) -> NodeKey:
    path = place / NODE_KEY
    if not path.exists():
        NodeKey.generate(f"{code}-sign-1").save(path)
    return NodeKey.load(path)


def _keep_secret(path: Path) -> None:
    if not path.exists():
        _write_secret(path, secrets.token_urlsafe(32))


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _write_json(path: Path, document: Any) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    draft.replace(path)


def _json_list(paths: tuple[Path, ...]) -> str:
    return orjson.dumps([str(path) for path in paths]).decode()
