"""What both sides of a share request must agree on once everything has arrived."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sharing.filings.domain import FilingState
from sharing.grants.domain import GrantState
from sharing.requests.domain import RequestState

_S = RequestState
AGREE: dict[RequestState, frozenset[RequestState]] = {
    _S.RECEIVED: frozenset({_S.RECEIVED_BY_SOURCE}),
    _S.NEEDS_FIX: frozenset({_S.NEEDS_FIX}),
    _S.AGREED: frozenset({_S.AGREED}),
    _S.REFUSED: frozenset({_S.REFUSED, _S.WITHDRAWN}),
    _S.DELIVERED: frozenset({_S.DELIVERED}),
    _S.ACTIVE: frozenset({_S.ACTIVE}),
    _S.ENDED: frozenset({_S.ENDED, _S.WITHDRAWN}),
    _S.WITHDRAWN: frozenset({_S.WITHDRAWN}),
}
OVER = frozenset({_S.REFUSED, _S.ENDED, _S.WITHDRAWN})


def check_sides(world: Any, emissions: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Compare requests, grants, filings and clocks of all nodes at rest."""
    if world.stuck:
        return
    requests = {key: row for s in _sharing(world) for key, row in _rows(s, "requests")}
    grants = {key: row for s in _sharing(world) for key, row in _rows(s, "grants")}
    for (request_id, side), request in sorted(requests.items()):
        if side == "sent":
            yield from _request(request, requests.get((request_id, "received")))
    for (grant_id, side), grant in sorted(grants.items()):
        if side == "issued":
            yield from _grant(grant, grants.get((grant_id, "held")))
    for service in _sharing(world):
        for _, filing in _rows(service, "filings"):
            yield from _filing(filing)
    yield from _clocks(requests, emissions)


def _sharing(world: Any) -> list[Any]:
    return [service for (_, name), service in world.services.items() if name == "sharing"]


def _rows(service: Any, table: str) -> list[tuple[Any, Any]]:
    return [(key, row["value"]) for key, row in service.database.tables[table].rows.items()]


def _request(sent: Any, received: Any) -> Iterator[tuple[str, str]]:
    name = sent.request_id[-12:]
    if received is None:
        yield "sides", f"request {name} is {sent.state} here and unknown at its source"
        return
    if sent.state not in AGREE[received.state]:
        yield "sides", f"request {name} is {sent.state} here and {received.state} at its source"
    instants = (sent.receipt.entered_at, sent.receipt.stored_at, sent.receipt.returned_at)
    if any(instant is None for instant in instants):
        yield "sides", f"request {name} has no complete receipt"


def _grant(issued: Any, held: Any) -> Iterator[tuple[str, str]]:
    name = issued.grant_id[-12:]
    if held is None:
        if issued.state is GrantState.ACTIVE:
            yield "sides", f"grant {name} is active and its holder does not know it"
        return
    if issued.state is not held.state:
        yield (
            "sides",
            f"grant {name} is {issued.state} at its source and {held.state} at its holder",
        )


def _filing(filing: Any) -> Iterator[tuple[str, str]]:
    name = filing.filing_id[-12:]
    if filing.state in (FilingState.QUEUED, FilingState.SENT):
        yield "sides", f"filing {name} is {filing.state} for ever"
    if not (filing.entered_at and filing.stored_at and filing.receipt_at and filing.filing_no):
        yield "sides", f"filing {name} has no complete receipt"


def _clocks(requests: dict[Any, Any], emissions: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each clock starts once and ends at most once, and none runs on after its case is over."""
    counts: dict[str, Counter[str]] = {}
    for facts in emissions:
        if facts["clock"]:
            kind = facts["type"].split(".")[2]
            counts.setdefault(facts["clock"], Counter())[kind] += 1
    for clock, kinds in sorted(counts.items()):
        if kinds["started"] != 1 or kinds["ended"] > 1:
            yield "clocks", f"{clock[-40:]} {dict(kinds)}"
        request = requests.get((clock.split(":")[0], "received"))
        if request is not None and request.state in OVER and not kinds["ended"]:
            yield "clocks", f"{clock[-40:]} runs on although the request is {request.state}"
