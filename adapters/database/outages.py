"""What an error of the database means: it is away, a connection broke, or two transactions were in each other's way."""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from adapters.database.addresses import shown
from aftersales.ports import Unavailable

FAILURES = (DBAPIError, OSError, NoConnectionFree)
"""All that a database may raise: its driver's errors, the network's, and that all connections are busy."""

_AWAY_STATES = (
    "08",  # connection
    "28",  # user or password refused
    "3D000",  # no such database
    "53",  # out of disk, of memory, of connections
    "57",  # told to stop, still starting, statement given up
    "55P03",  # a lock was not to be had
    "25006",  # a standby, which only reads
    "25P03",  # idle within a transaction
    "58",  # system error
)
_CONFLICTS = {"40001", "40P01"}
_AWAY_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class DatabaseAway(Unavailable):
    """The database does not answer now; the text says which and why. Whatever was asked for can be asked again."""

    def __init__(self, url: URL, error: BaseException) -> None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        said = str(cause) or type(cause).__name__
        remedy = "that its disk is there and has room" if url.drivername.startswith("sqlite") else "that it runs"
        super().__init__(f"the database {shown(url)} is away ({said}); check {remedy}, and try again")


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be used now, and not that what it was asked is wrong."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is not None:
            return code & 0xFF in _AWAY_CODES  # the rest of the number says more closely why
        return error.connection_invalidated or _state(error).startswith(_AWAY_STATES)
    return isinstance(error, (Unavailable, OSError, NoConnectionFree))


def is_lost(error: BaseException) -> bool:
    """Whether the connection broke that was to be used, so that a new one may work."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction was undone because of another one, and works when it is repeated."""
    return isinstance(error, DBAPIError) and _state(error) in _CONFLICTS


def _state(error: DBAPIError) -> str:
    """PostgreSQL's five characters for an error; empty for an error that has none."""
    return str(getattr(error.orig, "sqlstate", None) or "")
