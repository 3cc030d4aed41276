"""A marked identity number on every failing way shows in no log, trace, dead letter or answer."""

import io
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from contracts.roles import load_roles
from federation import using_system
from kernel.logs import LibraryHandler, make_logger
from tests.security import fuzzing, marked, marked_events
from tests.security.cast import AUTHORITY, EMERGENCY, Walk
from tests.security.marked import Attempt
from tests.security.walk import walk
from tests.security.whole_node import NODE, SERVICES, WholeNode, whole_node
from tests.support.http import NodeFiles
from tests.support.otlp_sink import Sink, collecting

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(900),
    # the node's own loop draws random back-offs in another thread while a case is generated
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]
ROLES = tuple(load_roles().roles)


@dataclass
class Watched:
    """A node whose every way out is watched."""

    node: WholeNode
    walk: Walk
    urls: dict[str, str]
    log: io.StringIO
    sink: Sink
    answers: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    def send(self, attempt: Attempt, token: str) -> None:
        """Send an attempt; note an answer that shows the number, and one that is no refusal."""
        answer = self.node.client.request(
            attempt.method,
            attempt.path,
            headers={
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": "k-marked",
                **attempt.headers,
            },
            params=attempt.query,
            data=attempt.body if attempt.data is None else attempt.data,
            files=attempt.files,
        )
        label = f"{attempt.method} {attempt.path} by {attempt.what}: {answer.status_code}"
        if marked.shown(answer.content) or marked.shown(str(answer.headers)):
            self.answers.append(f"{label} {answer.text[:300]}")
        if answer.status_code < 300 and attempt.method != "GET":
            self.accepted.append(label)
        assert answer.status_code < 500, label


@pytest.fixture(scope="module")
def watched(postgres_url: Callable[..., str], node_files: NodeFiles) -> Iterator[Watched]:
    """The walked node, watched from its start."""
    urls = {service: postgres_url(service) for service in SERVICES}
    log = io.StringIO()
    handler = LibraryHandler(make_logger(stream=log))
    logging.getLogger().addHandler(handler)
    try:
        with (
            collecting() as sink,
            whole_node(urls, node_files, log=log, otlp_endpoint=sink.url) as node,
        ):
            yield Watched(node, walk(node, node_files), urls, log, sink)
    finally:
        logging.getLogger().removeHandler(handler)


def test_the_search_finds_the_number_in_every_form() -> None:
    assert marked.shown(f"… {marked.NUMBER} …")
    assert marked.shown(marked.WORD.encode())
    assert marked.shown(marked.NUMBER.encode().hex())
    assert not marked.shown("990000190001010017")


@pytest.mark.parametrize("service", SERVICES)
def test_no_refusal_shows_or_stores_the_number(watched: Watched, service: str) -> None:
    token = watched.node.token(*ROLES, organisation=AUTHORITY, subject="everybody")
    watched.accepted.clear()
    for operation in marked.operations(watched.node, service):
        for attempt in marked.attempts(operation):
            watched.send(attempt, token)
    assert not watched.accepted
    assert not watched.answers
    assert marked.stored(watched.urls[service]) == []


def test_no_refused_token_shows_or_logs_its_claims(watched: Watched) -> None:
    """Tokens of a stranger's key, for another node, expired, and grant tokens that open nothing."""
    node, word = watched.node, marked.WORD
    claims = {"subject": word, "organisation": word, "name": word, "node": word, "roles": [word]}
    stranger = replace(node.issuer, key=ECKey.generate_key("P-256", {"kid": word}))
    system = using_system.make(word, word)
    tokens = [
        stranger.mint(**claims, audience=f"yiwang:{NODE}"),
        node.issuer.mint(**claims),
        node.issuer.mint(**claims, audience=f"yiwang:{NODE}", seconds=-10),
        node.issuer.mint(**claims, audience=word),
        system.grant_token(word, NODE),
        system.grant_token(watched.walk.known["grant_id"], word),
    ]
    grant_id = watched.walk.known["grant_id"]
    paths = [f"/{service}/v1/audit/head" for service in SERVICES]
    paths += [f"/sharing/v1/delivery/{each}/rows" for each in (grant_id, word)]
    for path in paths:
        for token in tokens:
            answer = node.client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (401, 403, 404, 422), (path, answer.status_code)
            assert not marked.shown(answer.content)
            assert not marked.shown(str(answer.headers))
    for service in SERVICES:
        assert marked.stored(watched.urls[service], ["kernel.refusal_counts"]) == []


def fill(value: Any) -> Any:
    """Put the number into every text of a generated body, and beside every key."""
    if isinstance(value, dict):
        return {name: fill(item) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item) for item in value]
    return marked.WORD if isinstance(value, str) else value


@pytest.mark.parametrize("service", SERVICES)
def test_no_refusal_deep_in_a_service_shows_the_number(watched: Watched, service: str) -> None:
    token = watched.node.token(*ROLES, organisation=AUTHORITY, subject="everybody")
    headers = {"Authorization": f"Bearer {token}"}

    def judge(case: Any) -> None:
        if case.media_type == "application/json":
            case.body = fill(case.body)
        response = case.call(headers=headers)
        label = f"{case.operation.label}: {response.status_code}"
        assert response.status_code < 500, label
        if response.status_code >= 400 and (
            marked.shown(response.content) or marked.shown(str(response.headers))
        ):
            watched.answers.append(f"{label} {response.text[:300]}")

    watched.answers.clear()
    for operation in fuzzing.operations(fuzzing.schema_of(watched.node, service)):
        if operation.body:
            fuzzing.each(operation, watched.walk.known, examples=6, look=judge)
    assert not watched.answers


def test_an_upload_with_bad_rows_does_not_show_them(watched: Watched) -> None:
    """What a file holds is told by place and reason, also when its rows are partly taken."""
    walked, number = watched.walk, marked.WORD
    entry = walked.known["entry_id"]
    files = {
        f"/sharing/v1/datasets/{entry}": [
            f"{number},company\n1,2\n",
            f"licence_no,company\n{number},{number},{number}\n",
            f'licence_no,company\n"{number}\n',
            "licence_no,company\n" + f"{number},a\n" * 2,
        ],
        "/catalog/v1/imports": [
            f"{number}\n",
            f"title,{number}\n{number},{number}\n",
            f'{{"{number}": "{number}"}}\n{{"title": \n',
            f'{{"title": "{number}", "share_type": "{number}", "items": "{number}"}}\n',
        ],
        "/notify/v1/calendars/file": [
            f"{number}\n",
            f"date,kind,name\n{number},off,{number}\n",
            f"date,kind,name\n2028-01-01,off,{number}\n",
        ],
    }
    shown = []
    for path, contents in files.items():
        who = walked.node.token(*ROLES, organisation=EMERGENCY, subject="uploader")
        for content in contents:
            for name in ("rows.csv", f"{number}.csv", f"{number}.jsonl"):
                answer = walked.node.client.request(
                    "POST",
                    path,
                    headers={"Authorization": f"Bearer {who}", "Idempotency-Key": uuid4().hex},
                    files={"file": (name, content.encode(), "text/csv")},
                    data={"year": "2028", "source": "s"},
                )
                assert answer.status_code < 500, answer.text
                if answer.status_code >= 400 and marked.shown(answer.content):
                    shown.append(f"{path} {name} {content[:60]!r}: {answer.text[:300]}")
    assert not shown


def test_a_conflict_in_the_database_shows_no_value(watched: Watched) -> None:
    reviewer = watched.walk.who("reviewer")
    body = {"org_id": marked.WORD, "name": "甲", "kind": "administrative_organ"}
    body["region_code"] = NODE
    reviewer.post("/catalog/v1/agencies", body)
    answer = watched.node.client.request(
        "POST",
        "/catalog/v1/agencies",
        headers=reviewer.headers(**{"Idempotency-Key": uuid4().hex}),
        json=body,
    )
    assert answer.status_code == 409
    assert not marked.shown(answer.content)


def test_no_refused_event_shows_the_number(watched: Watched) -> None:
    """Records are stored, parked, refused or dead-lettered; reasons and lists hold codes only."""
    walked = watched.walk
    for service, record in (
        *marked_events.failing_in_handlers(walked),
        *marked_events.authentic(walked),
        *marked_events.unknown(walked),
        *marked_events.forged(walked),
    ):
        answer = walked.node.deliver(service, record)
        assert answer.status_code == 200, answer.text
        assert not marked.shown(answer.content)
    reasons: Counter[str] = Counter()
    operator = walked.who("operator")
    for service in SERVICES:
        for state in ("open", "refused", "waiting"):
            page = operator.get(f"/{service}/v1/dead-letters", state=state, limit=200)
            reasons.update(f"{service} {each['reason']}" for each in page["items"])
            showing = [each for each in page["items"] if marked.shown(str(each))]
            assert not showing, (service, state, showing[:2])
        assert not marked.shown(str(operator.get(f"/{service}/v1/streams")))
        assert marked.stored(watched.urls[service], marked.FOR_OPERATORS) == []
    assert sum(reasons.values()) > 20


def test_the_internal_door_shows_and_logs_nothing(watched: Watched) -> None:
    for service in SERVICES:
        token = watched.node.app.apps[service].state.runtime.service_token()
        for body in (
            marked.WORD,
            f'["{marked.WORD}"]',
            f'[{{"topic": "{marked.WORD}", "partition": "{marked.WORD}"}}]',
            f'[{{"{marked.WORD}": 1}}]',
        ):
            for bearer in (token, marked.WORD):
                answer = watched.node.client.request(
                    "POST",
                    f"/{service}/internal/events",
                    headers={"Authorization": f"Bearer {bearer}"},
                    data=body.encode(),
                )
                assert answer.status_code in (400, 401), (service, body, answer.status_code)
                assert not marked.shown(answer.content)


def test_logs_traces_and_the_database_server_never_saw_the_number(watched: Watched) -> None:
    """Runs last in this module: everything above has been sent by now."""
    for service in SERVICES:
        watched.node.app.apps[service].state.runtime.telemetry.flush()
    assert watched.sink.spans
    assert not marked.shown(watched.sink.texts())
    log = watched.log.getvalue()
    assert "request failed" not in log
    assert not marked.shown(log), [line for line in log.splitlines() if marked.shown(line)][:5]
    server = marked.server_log(watched.urls["catalog"])
    if server is None:
        pytest.skip("the database server's log cannot be read from here")
    assert not marked.shown(server)
