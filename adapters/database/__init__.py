"""The database: the ledgers of events, cases, letters, commands and outcomes, on SQLite or PostgreSQL.

Touch it when something more must be kept or listed. `schema.py` has the tables and `migrations/` their
history; `store.py` is what running cases write through, `views.py` what people read.
"""

from adapters.database.engines import DatabaseUnusable
from adapters.database.store import Store, open_store
from adapters.database.views import CaseLine, StoryLine, Summary, Views

__all__ = ["CaseLine", "DatabaseUnusable", "Store", "StoryLine", "Summary", "Views", "open_store"]
