"""Every table of the service, imported once so that ``orm.metadata`` is complete."""

from catalog.agencies import models as agencies
from catalog.editions import models as editions
from catalog.entries import models as entries
from catalog.filings import models as filings
from catalog.imports import models as imports
from catalog.orm import metadata
from catalog.search import models as search

__all__ = ["agencies", "editions", "entries", "filings", "imports", "metadata", "search"]
