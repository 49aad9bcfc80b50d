"""Bringing a database to the newest revision when it is opened."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from adapters.database.engines import Database, DatabaseUnusable, shown, unreachable
from adapters.database.schema import REVISION

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x0AF7E25A1E5
"""The number of the PostgreSQL advisory lock that lets one process migrate at a time."""
_ALEMBIC = threading.Lock()
"""Alembic's context is global to a process, so two databases are not migrated side by side in one."""
_WAL_TRIES = 300
_WAL_PAUSE = 0.1


async def bring_up_to_date(database: Database) -> None:
    """Run the migrations that are missing, which costs next to nothing when none is. Processes may do it together.

    Raises:
        DatabaseUnusable: the database cannot be reached, is not ours, or is newer than this code.
    """
    try:
        if await database.write(_found) != REVISION:
            async with _alone():
                await database.write(_migrate)
    except (DBAPIError, OSError) as error:
        raise unreachable(database.url, error) from error


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Wait for the lock beside the event loop, as a process may have several."""
    await asyncio.to_thread(_ALEMBIC.acquire)
    try:
        yield
    finally:
        _ALEMBIC.release()


def _found(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        _use_wal(connection)
    return _revision(connection)


def _use_wal(connection: Connection) -> None:
    """Switch the file to write-ahead logging, which it then stays in.

    SQLite does not wait for its busy timeout here when another process does the same, so we do.
    """
    for _ in range(_WAL_TRIES):
        try:
            mode = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
        except OperationalError as error:
            if "locked" not in str(error.orig):
                raise
        else:
            if mode == "wal":
                return
        time.sleep(_WAL_PAUSE)
    raise DatabaseUnusable(
        f"database {shown(connection.engine.url)} cannot be switched to write-ahead logging: another program holds "
        "it, or it lies on a network folder; close that program, or use a local disk or PostgreSQL"
    )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(connection: Connection) -> None:
    """Upgrade inside the transaction that holds the lock; another process may have done it meanwhile."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = _revision(connection)
    if found == REVISION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseUnusable(
            f"database {shown(connection.engine.url)} is at revision {found} and this code knows up to {REVISION}: "
            "it was written by a newer version; update Aftersales, or use another database"
        )
    command.upgrade(config, REVISION)
