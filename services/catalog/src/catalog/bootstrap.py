"""The only place where the catalogue is wired."""

from catalog.agencies.endpoints import router as agencies
from catalog.editions.endpoints import router as editions
from catalog.editions.handlers import handlers as edition_handlers
from catalog.entries.act_endpoints import router as entry_acts
from catalog.entries.claim_endpoints import router as claims
from catalog.entries.endpoints import router as entries
from catalog.entries.handlers import handlers as entry_handlers
from catalog.entries.jobs import jobs
from catalog.filings.endpoints import router as filings
from catalog.filings.handlers import handlers as filing_handlers
from catalog.imports.endpoints import profile_router as profiles
from catalog.imports.endpoints import router as imports
from catalog.search.endpoints import router as search
from catalog.search.handlers import handlers as replica_handlers
from kernel.handlers import Handlers
from kernel.runtime import Runtime, ServiceDefinition


def define(runtime: Runtime) -> ServiceDefinition:
    """Return the service on this runtime."""
    handlers = Handlers()
    for slice_handlers in (replica_handlers, edition_handlers, entry_handlers, filing_handlers):
        handlers.include(slice_handlers())
    return ServiceDefinition(
        name="catalog",
        runtime=runtime,
        routers=(
            agencies,
            entries,
            entry_acts,
            claims,
            editions,
            imports,
            profiles,
            filings,
            search(runtime.clock),
        ),
        handlers=handlers,
        jobs=jobs(),
    )
