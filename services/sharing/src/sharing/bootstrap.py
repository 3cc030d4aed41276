"""The only place where the sharing service is wired."""

from kernel.handlers import Handlers
from kernel.runtime import Runtime, ServiceDefinition
from sharing.datasets.endpoints import router as datasets
from sharing.delivery.endpoints import router as delivery
from sharing.filings.endpoints import router as filings
from sharing.filings.handlers import handlers as filing_handlers
from sharing.grants.endpoints import router as grants
from sharing.grants.repository import still_active
from sharing.jobs import jobs
from sharing.known.handlers import handlers as known_handlers
from sharing.requests.endpoints import router as requests
from sharing.requests.handlers import handlers as request_handlers


def define(runtime: Runtime) -> ServiceDefinition:
    """Return the service on this runtime."""
    handlers = Handlers()
    for slice_handlers in (known_handlers, request_handlers, filing_handlers):
        handlers.include(slice_handlers(runtime))
    return ServiceDefinition(
        name="sharing",
        runtime=runtime,
        routers=(requests, grants, datasets, filings, delivery),
        handlers=handlers,
        jobs=jobs(),
        guards={"grant": still_active},
    )
