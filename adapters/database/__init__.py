"""The database: the ledgers of events, cases, letters, commands and outcomes, on SQLite or PostgreSQL.

Touch it when something more must be kept or listed. `schema.py` has the tables and `migrations/` their
history; `store.py` is what running cases write through, `views.py` what people read.
"""

from adapters.database.addresses import DatabaseUnusable, masked
from adapters.database.outages import DatabaseAway, is_away
from adapters.database.settings import DatabaseSettings
from adapters.database.store import Store, open_store
from adapters.database.views import CaseLine, StoryLine, Summary, Views

__all__ = [
    "CaseLine",
    "DatabaseAway",
    "DatabaseSettings",
    "DatabaseUnusable",
    "Store",
    "StoryLine",
    "Summary",
    "Views",
    "is_away",
    "masked",
    "open_store",
]
