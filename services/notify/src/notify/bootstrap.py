"""The only place where notify is wired."""

from datetime import timedelta

from kernel.runtime import Job, Runtime, ServiceDefinition
from notify import counts
from notify.calendars import activation
from notify.calendars import endpoints as calendars
from notify.clocks import endpoints as clocks
from notify.digests import endpoints as digests
from notify.digests import service as digest_service
from notify.filings import endpoints as filings
from notify.filings import numbering
from notify.handlers import make_handlers
from notify.inbox import endpoints as inbox
from notify.reminders import service as reminders


def define(runtime: Runtime) -> ServiceDefinition:
    """Return the service on a runtime."""
    return ServiceDefinition(
        name="notify",
        runtime=runtime,
        routers=(
            filings.router,
            clocks.router,
            digests.router,
            inbox.router,
            counts.router,
            calendars.router,
        ),
        handlers=make_handlers(runtime),
        jobs=jobs(),
        startup=numbering.reseed,
    )


def jobs() -> tuple[Job, ...]:
    """Return the periodic jobs; a digest's period is also how long changes are gathered."""
    return (
        Job(name="reminders", every=timedelta(seconds=30), run=reminders.run),
        Job(name="digest", every=timedelta(seconds=15), run=digest_service.run),
        Job(name="calendar-activation", every=timedelta(seconds=5), run=activation.run),
        Job(name="calendar-watch", every=timedelta(hours=1), run=activation.watch),
    )
