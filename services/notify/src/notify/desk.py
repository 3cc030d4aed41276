"""This node's filing desk, as its authority, rules and calendar make it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.calendar import civil_date
from contracts.events.base import DueDate, OrganisationRef
from contracts.identifiers import filing_number
from kernel.runtime import Runtime
from notify.due import due_date
from notify.filings.printing import document_of
from notify.filings.service import Desk
from notify.organisations import repository as organisations


async def desk_of(connection: AsyncConnection, runtime: Runtime) -> Desk:
    """Return the desk of this node with what is in force now."""
    rules, calendar = runtime.rulebook.current, runtime.calendar()

    def number(rule: str, serial: int, at: datetime) -> str:
        return filing_number(runtime.node, rule, year=civil_date(at).year, serial=serial)

    def due(rule: str, at: datetime) -> DueDate | None:
        return due_date(rules, rule, at, calendar=calendar)

    authority = await authority_of(connection, runtime)
    return Desk(
        node=runtime.node,
        filers=filers_of(runtime),
        authority=authority,
        number=number,
        due=due,
        escalate_to=lambda rule: rules.deadline(rule).escalate_to,
        document=lambda filing: document_of(
            filing, rulebook=runtime.rulebook, authority=authority.name
        ),
    )


def filers_of(runtime: Runtime) -> frozenset[str]:
    """Return the nodes whose agencies file with this node's authority (同级、上一级、市)."""
    lower = {record.node for record in runtime.registry if record.parent == runtime.node}
    return frozenset({runtime.node, *lower})


async def authority_of(connection: AsyncConnection, runtime: Runtime) -> OrganisationRef:
    """Return this node's data authority; without an announced one, the node by its name."""
    found = await organisations.first_of_kind(connection, runtime.node, "data_authority")
    if found is not None:
        return OrganisationRef(org_id=found.org_id, name=found.name, node=runtime.node)
    record = runtime.registry.node(runtime.node)
    name = record.name if record and record.name else runtime.node
    return OrganisationRef(org_id="", name=name, node=runtime.node)
