"""All rows of this service on one metadata, for migrations and their test."""

from notify.calendars import models as calendars
from notify.clocks import models as clocks
from notify.digests import models as digests
from notify.filings import models as filings
from notify.inbox import models as inbox
from notify.organisations import models as organisations
from notify.orm import Base
from notify.reminders import models as reminders

__all__ = [
    "calendars",
    "clocks",
    "digests",
    "filings",
    "inbox",
    "metadata",
    "organisations",
    "reminders",
]

metadata = Base.metadata
