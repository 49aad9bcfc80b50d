"""The revisions of a database: which it has, which there are, and going from one to another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, func, inspect, select, table, text

from adapters.database.addresses import DatabaseUnusable, shown
from adapters.database.engines import Database
from adapters.database.schema import REVISION

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

MIGRATIONS = Path(__file__).with_name("migrations")
EMPTY = "base"
"""The revision of a database without our tables."""

_LOCK = 0x0AF7E25A1E5
"""The number of the PostgreSQL advisory lock that lets one process migrate at a time."""
_ALEMBIC = threading.Lock()
"""Alembic's context is global to a process, so two databases are not migrated side by side in one."""


@dataclass(frozen=True)
class Loss:
    """What a downgrade would throw away: so many rows of a table, or of a column (`table.column`)."""

    revision: str
    what: str
    rows: int


def revision_of(connection: Connection) -> str | None:
    """The revision that a database is at; None where it has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


async def change_revision(database: Database, revision: str) -> None:
    """Go up or down to a revision, `base` for no tables at all, in one transaction. Processes may do it together.

    Raises:
        DatabaseUnusable: there is no such revision, or the database is at one that this code does not know.
        DatabaseAway: the database does not answer.
    """
    async with _alone():
        await database.write(lambda connection: _migrate(connection, revision))


def losses(connection: Connection, revision: str) -> list[Loss]:
    """What going down to a revision would throw away, newest first; empty for going up, or where nothing is in there.

    A migration names in `DROPS` the tables that its downgrade drops, and columns as `table.column`.

    Raises:
        DatabaseUnusable: there is no such revision.
    """
    found = revision_of(connection)
    known = {script.revision: script for script in _scripts()}
    order = [*known]
    _check(connection, found, revision, order)
    if found is None:
        return []
    going = order[order.index(found) : len(order) if revision == EMPTY else order.index(revision)]
    lost = []
    for each in going:
        for what in getattr(known[each].module, "DROPS", ()):
            name, _, filled = what.partition(".")
            count = select(func.count(column(filled)) if filled else func.count()).select_from(table(name))
            if rows := connection.execute(count).scalar_one():
                lost.append(Loss(each, what, rows))
    return lost


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Wait for the lock beside the event loop, as a process may have several."""
    await asyncio.to_thread(_ALEMBIC.acquire)
    try:
        yield
    finally:
        _ALEMBIC.release()


def _migrate(connection: Connection, revision: str) -> None:
    """Migrate inside the transaction that holds the lock; another process may have done it meanwhile."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # It may take as long as it takes: tables are copied, or another process is at it.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = revision_of(connection)
    if found == revision or (found is None and revision == EMPTY):
        return
    from alembic import command

    order = [script.revision for script in _scripts()]
    _check(connection, found, revision, order)
    config = _config()
    config.attributes["connection"] = connection
    if revision == EMPTY or (found is not None and order.index(revision) > order.index(found)):  # the newest is first
        command.downgrade(config, revision)
        if revision == EMPTY:
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    else:
        command.upgrade(config, revision)


def _check(connection: Connection, found: str | None, revision: str, known: list[str]) -> None:
    if found is not None and found not in known:
        raise DatabaseUnusable(
            f"database {shown(connection.engine.url)} is at revision {found} and this code knows up to {REVISION}: "
            "it was written by a newer version; update Aftersales, or use another database"
        )
    if revision not in {EMPTY, *known}:
        raise DatabaseUnusable(f"there is no revision {revision!r}; there are {', '.join([EMPTY, *reversed(known)])}")


def _scripts() -> list[Script]:
    """The migrations, newest first."""
    from alembic.script import ScriptDirectory

    return [*ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
