"""Bringing a database to the newest revision when it is opened."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from adapters.database.addresses import DatabaseUnusable, shown, unreachable
from adapters.database.engines import Database
from adapters.database.outages import FAILURES, DatabaseAway
from adapters.database.revisions import change_revision, revision_of
from adapters.database.schema import REVISION

_WAL_TRIES = 300
_WAL_PAUSE = 0.1


async def bring_up_to_date(database: Database, *, allowed: bool = True) -> None:
    """Run the migrations that are missing, which costs next to nothing when none is. Processes may do it together.

    Where that is not `allowed`, a database at another revision is refused.

    Raises:
        DatabaseUnusable: the database cannot be reached, is not ours, is newer than this code, or too old.
    """
    try:
        found = await database.write(_found)
        if found == REVISION:
            return
        if not allowed:
            raise DatabaseUnusable(
                f"database {shown(database.url)} is at revision {found or 'none'} and this code needs {REVISION}; it "
                "is not upgraded by itself (auto_upgrade is off): run ./dev db upgrade"
            )
        await change_revision(database, REVISION)
    except DatabaseAway as away:
        cause = away.__cause__
        raise unreachable(database.url, cause if isinstance(cause, Exception) else away) from away
    except FAILURES as error:
        raise unreachable(database.url, error) from error


def _found(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        _use_wal(connection)
    return revision_of(connection)


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
