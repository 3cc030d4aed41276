"""To-do figures. Each is the count of a list, and names the address that opens exactly that list."""

from collections.abc import Sequence
from urllib.parse import urlencode

from kernel.policies import may
from kernel.web import Edge, EdgeDep, ServiceRouter
from notify.clocks import repository as clocks
from notify.clocks.domain import OPEN_STATES, State
from notify.clocks.endpoints import edge_today
from notify.clocks.repository import ClockFilter
from notify.filings import repository as filings
from notify.filings.repository import FilingFilter
from notify.inbox import repository as inbox
from notify.inbox.repository import InboxFilter
from notify.schemas import View
from notify.scope import organisation_scope

router = ServiceRouter(prefix="/counts", tags=["counts"])

_CLOCKS: tuple[tuple[State, str, str], ...] = (
    ("due_soon", "即将到期", "Due soon"),
    ("overdue", "已逾期", "Overdue"),
    ("escalated", "已督办", "Escalated"),
)
_FILINGS = (
    ("received", "待登记备案", "Filings to record"),
    ("awaiting_external_receipt", "待录入平台外备案号", "Filings awaiting an external number"),
    ("returned", "已退回待补正", "Filings returned for completion"),
)


class Count(View):
    """A figure; a GET of ``href`` lists what it counts."""

    name: str
    label_zh: str
    label_en: str
    count: int
    href: str


class Counts(View):
    """All figures of the caller."""

    items: tuple[Count, ...]


@router.get("", summary="待办数 / To-do figures")
async def read_counts(edge: EdgeDep) -> Counts:
    """Count the caller's unread messages, deadlines and, for an authority, filings."""
    edge.allow("inbox.read", node=edge.runtime.node)
    found = [await _inbox(edge)]
    if may(edge.principal, "clock.read", node=edge.runtime.node):
        found += await _clocks(edge)
    if may(edge.principal, "filing.read", node=edge.runtime.node):
        found += await _filings(edge)
    return Counts(items=tuple(found))


def _href(path: str, criteria: Sequence[tuple[str, str]]) -> str:
    return f"/notify/v1/{path}?{urlencode(criteria)}"


async def _inbox(edge: Edge) -> Count:
    number = await inbox.count(edge.tx.connection, edge.principal, InboxFilter(unread=True))
    return Count(
        name="inbox.unread",
        label_zh="未读消息",
        label_en="Unread messages",
        count=number,
        href=_href("inbox", [("unread", "true")]),
    )


async def _clocks(edge: Edge) -> list[Count]:
    own = organisation_scope(edge.principal, "clock.read")
    groups = [("open", OPEN_STATES, "进行中的时限", "Running deadlines")]
    groups += [(state, (state,), zh, en) for state, zh, en in _CLOCKS]
    found = []
    for name, states, zh, en in groups:
        wanted = ClockFilter(states=states, own_org=own)
        number = await clocks.count(edge.tx.connection, wanted, edge_today(edge))
        href = _href("clocks", [("state", state) for state in states])
        found.append(
            Count(name=f"clocks.{name}", label_zh=zh, label_en=en, count=number, href=href)
        )
    return found


async def _filings(edge: Edge) -> list[Count]:
    own = organisation_scope(edge.principal, "filing.read")
    found = []
    for state, zh, en in _FILINGS:
        wanted = FilingFilter(state=state, own_org=own)
        number = await filings.count(edge.tx.connection, wanted)
        href = _href("filings", [("state", state)])
        found.append(
            Count(name=f"filings.{state}", label_zh=zh, label_en=en, count=number, href=href)
        )
    return found
